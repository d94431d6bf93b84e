"""The files beside workspaces' that are about several of them: which names these are, and what they say. Pure.

    _defaults.yaml             what all workspace files say together   (`spec.defaults`)
    _generators/<name>.yaml    one file, many workspaces               (`spec.generated`)
    _templates/<name>.yaml     what new workspaces are made from       (`spec.templates`)

Whoever lists a folder or a git tree gives one `File` a name, those of the two folders with the folder
before it (`_generators/class-a.yaml`). A name that was meant as one of these is told: taken for
nothing, thirty workspaces would look removed.
"""

from collections.abc import Iterable
from typing import Literal

from spec import defaults as shared_defaults
from spec.defaults import NONE, Defaults, read_defaults
from spec.generated import MAX_BYTES as MOST_GENERATOR_BYTES
from spec.generated import GeneratorRead, read_generators
from spec.named import FOLDER_INSIDE, SKIPPED, File, Shared, is_meant, shown_name
from spec.problems import Problem
from spec.reader import SUFFIX
from spec.templates import check_template
from spec.text import MAX_BYTES

GENERATORS = "_generators"
TEMPLATES = "_templates"
FOLDERS = (GENERATORS, TEMPLATES)
MOST_FILES = 64
"""Generators of a folder, and templates."""
TOO_MANY = (f"holds more than {MOST_FILES} files", "put several into one, or remove some")
NO_FOLDER = ("must be a folder", "make it one, and put the files there")

Kind = Literal["defaults", "generators", "templates"]
_KINDS: dict[str, Kind] = {
    "_default": "defaults",
    "_defaults": "defaults",
    "_generator": "generators",
    "_generators": "generators",
    "_template": "templates",
    "_templates": "templates",
}
_RIGHT: dict[Kind, str] = {
    "defaults": shared_defaults.NAME,
    "generators": GENERATORS,
    "templates": TEMPLATES,
}


def kind(name: str) -> Kind | None:
    """What a name was meant as, of a file or folder, or of a file in one of the two folders."""
    top = name.partition("/")[0].lower()
    for suffix in (".yaml", ".yml"):
        top = top.removesuffix(suffix)
    return _KINDS.get(top)


def is_shared(name: str) -> bool:
    """Whether a name is one of those that are about several workspaces, or was meant to be."""
    return kind(name) is not None


def is_template(name: str) -> bool:
    """Whether a name is a template's, or was meant to be; it changes no workspace."""
    return kind(name) == "templates"


def is_inner(name: str, *, folder: bool) -> bool:
    """Whether a name within one of the two folders was meant to be read."""
    return not name.startswith(SKIPPED) and is_meant(name, folder=folder)


def most_bytes(name: str) -> int:
    """How long a file of such a name may be."""
    return MOST_GENERATOR_BYTES if kind(name) == "generators" else MAX_BYTES


def shared_in(files: Iterable[File], *, label: str) -> Shared:
    """Read what of a folder's files is about several workspaces; all others are left out.

    Args:
        files: names, contents of at most `most_bytes` and one more, and why some were not taken.
        label: what problems call the folder.
    """
    found: dict[Kind, list[File]] = {"defaults": [], "generators": [], "templates": []}
    for file in sorted(files, key=lambda one: one.name):
        if (meant := kind(file.name)) is not None:
            found[meant].append(_checked(file, meant))
    defaults = _defaults(found["defaults"], label)
    read = read_generators(found["generators"], label=label, defaults=defaults)
    templates = [
        problem
        for file in found["templates"]
        for problem in check_template(file, label=label, defaults=defaults)
    ]
    return Shared(
        defaults=defaults,
        generated=tuple(named for each in read for named in each.named),
        problems=(
            *defaults.problems,
            *(problem for each in read for problem in each.problems),
            *templates,
        ),
        unread=_unread(defaults, read),
    )


def _unread(defaults: Defaults, read: Iterable[GeneratorRead]) -> dict[str, tuple[Problem, ...]]:
    found = {each.file: each.problems for each in read if not each.whole}
    return {defaults.file: defaults.problems, **found} if defaults.broken else found


def _checked(file: File, meant: Kind) -> File:
    """Refuse what is named almost right, or is a file in place of a folder."""
    top, slash, name = file.name.partition("/")
    right = _RIGHT[meant]
    if top != right:
        return File(name=file.name, refusal=(f"the name must be {right}", f"rename it to {right}"))
    if meant == "defaults" or file.raw is None:
        return file
    if not slash:
        return File(name=file.name, refusal=NO_FOLDER)
    if not name.endswith(SUFFIX):
        fitting = f"{name.rpartition('.')[0]}{SUFFIX}"
        return File(
            name=file.name, refusal=(f"the name must end in {SUFFIX}", f"rename it to {fitting}")
        )
    return file


def _defaults(files: list[File], label: str) -> Defaults:
    """Read the defaults; two names for them, one of them wrong, are one that is wrong."""
    for file in files:
        if file.raw is None:
            message, hint = file.refusal
            if file.refusal == FOLDER_INSIDE:
                message, hint = "is a folder", "put a file in its place"
            return shared_defaults.refused(shown_name(file.name, label), message, hint)
    if not files:
        return NONE
    (only,) = files
    assert only.raw is not None, "those without content are told"
    return read_defaults(only.raw, file=shown_name(only.name, label))
