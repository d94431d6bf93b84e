"""One file of a folder or git tree, by name and content, and what it says by itself. Pure.

A file is read by itself, so that a reading may be kept as long as its name, its content and the defaults
that fill it up are the same; what stands between files is settled by `spec.files`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from spec import quick
from spec.defaults import NONE, Defaults
from spec.model import WorkspaceSpec
from spec.problems import Problem, printable
from spec.reader import SUFFIX, Reading
from spec.reader import read as read_file
from spec.rule_files import RuleFiles
from spec.text import START, Place

SKIPPED = ("_", ".")
"""Names that begin so are no workspaces."""
_OTHER_SUFFIXES = (".yaml", ".yml")

FOLDER_INSIDE = ("a folder inside the folder is not read", "move its files up")
LINK = ("is a symbolic link", "put the file itself here")


@dataclass(frozen=True, kw_only=True)
class File:
    """One name of a folder or tree.

    Attributes:
        name: its name, below the folder of workspaces; bytes that are no UTF-8 as surrogates.
        raw: its content, cut after the first byte too many; None when it was not taken.
        refusal: why it was not taken: message and hint.
    """

    name: str
    raw: bytes | None = None
    refusal: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a workspace is written.

    Attributes:
        file: the file as problems call it: label of the folder and name within it.
        line: where in it the workspace begins; 1 in a file of its own.
        generated: whether that is a generator's entry, so that there is no file of its own.
    """

    file: str
    line: int = 1
    generated: bool = False


@dataclass(frozen=True)
class FolderRead:
    """What a folder says.

    Attributes:
        specs: the workspaces whose files are right, by id.
        problems: all that is wrong, by file and place.
        invalid: the problems of workspaces that have a file but no spec, by id. They must be left
            as they are: their file says that they exist.
        owners: whom invalid files name as the owner, by id, where that can be read.
        formerly: which former ids files name, by id, where that can be read: of invalid ones too.
        revisions: the content of each file that could be read, as git names it, by id.
        origins: where each workspace is written, by id, invalid ones too.
        unread: files of which it is not known which workspaces they make, each with why.
        shared_problems: those of `problems` that are in no workspace's own file.
        rules: what the files of owners and rules say, where their names were read too
            (`spec.rule_folder`); their problems are not among `problems`.
    """

    specs: dict[str, WorkspaceSpec] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    invalid: dict[str, list[Problem]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    formerly: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    unread: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    shared_problems: tuple[Problem, ...] = ()
    rules: RuleFiles = field(default_factory=RuleFiles)

    def generator(self, workspace_id: str) -> str:
        """Give the file of the generator that makes a workspace; "" where none does."""
        origin = self.origins.get(workspace_id)
        return origin.file if origin is not None and origin.generated else ""

    @property
    def doubt(self) -> str:
        """Why a workspace that is not here may be there all the same; "" when it is not."""
        if not self.unread:
            return ""
        file, problems = next(iter(sorted(self.unread.items())))
        return f"{file} can't be read whole: {problems[0].message}"


@dataclass(frozen=True, kw_only=True)
class Named:
    """What one file of a folder says, or one entry of a generator.

    Attributes:
        stem: the id that was meant.
        file: what problems call the file.
        reading: what it says.
        revision: its content, as git names it; "" when it was not read.
        place: where in the file it begins.
        generated: whether it is a generator's.
        told: whether its problems are told with another file's.
    """

    stem: str
    file: str
    reading: Reading
    revision: str = ""
    place: Place = START
    generated: bool = False
    told: bool = False


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the files say that are about several workspaces (`spec.shared`).

    Attributes:
        defaults: what counts where workspaces say nothing.
        generated: the workspaces of generators.
        problems: all that is wrong with these files.
        unread: those of which it is not known what they say of which workspaces, each with why.
    """

    defaults: Defaults = NONE
    generated: tuple[Named, ...] = ()
    problems: tuple[Problem, ...] = ()
    unread: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)


NOTHING_SHARED = Shared()


def is_meant(name: str, *, folder: bool) -> bool:
    """Whether someone may have meant a name as a workspace file, also by mistake."""
    if name.startswith(SKIPPED):
        return False
    return name.lower().endswith(_OTHER_SUFFIXES) or folder


def read_one(file: File, *, label: str, defaults: Defaults = NONE) -> Named:
    """Read one file; what is wrong with it is in the answer.

    Args:
        file: the file.
        label: what problems call its folder.
        defaults: what counts where it says nothing.
    """
    quickly = read_plain(file, label=label, defaults=defaults)
    return quickly or read_whole(file, label=label, defaults=defaults)


def read_plain(file: File, *, label: str, defaults: Defaults = NONE) -> Named | None:
    """Read one file the quick way; None when it must be read as YAML. Args as `read_one`."""
    if file.raw is None or not file.name.endswith(SUFFIX):
        return None
    shown_as = shown_name(file.name, label)
    found = quick.read(file.raw, file=shown_as, defaults=defaults.values)
    if found is None:
        return None
    reading = Reading(spec=found, owner=found.owner)
    named = Named(stem=found.id, file=shown_as, reading=reading, revision=blob(file.raw))
    return held(named, defaults)


def read_whole(file: File, *, label: str, defaults: Defaults = NONE) -> Named:
    """Read one file as YAML. Args as `read_one`."""
    shown_as = shown_name(file.name, label)
    stem = printable(_stem(file.name))
    if file.raw is None:
        return Named(stem=stem, file=shown_as, reading=refused(shown_as, *file.refusal))
    revision = blob(file.raw)
    if not file.name.endswith(SUFFIX):
        right = printable(_stem(file.name) + SUFFIX)
        reading = refused(shown_as, f"the name must end in {SUFFIX}", f"rename it to {right}")
        return Named(stem=stem, file=shown_as, reading=reading)
    reading = read_file(file.raw, file=shown_as, defaults=defaults)
    return held(Named(stem=stem, file=shown_as, reading=reading, revision=revision), defaults)


def held(named: Named, defaults: Defaults) -> Named:
    """Give what can be said of a workspace while defaults are broken: that it is there, and whose."""
    if not defaults.broken:
        return named
    reading = replace(named.reading, spec=None, problems=defaults.problems)
    return replace(named, reading=reading, told=True)


def shown_name(name: str, label: str) -> str:
    """What problems call a file."""
    return printable(f"{label}/{name}" if label else name)


def refused(file: str, message: str, hint: str, place: Place = START) -> Reading:
    """Give the reading of a file that says nothing for one reason."""
    return Reading(spec=None, problems=(Problem(file, *place, "", message, hint),))


def blob(raw: bytes) -> str:
    """The name that git gives to such a content: `git log --find-object` finds the commit."""
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def _stem(name: str) -> str:
    """The id that was meant: `Alice.YML` means alice, so that workspace is not taken for gone."""
    return next(_without_suffixes(name.lower()))


def _without_suffixes(name: str) -> Iterator[str]:
    for suffix in _OTHER_SUFFIXES:
        if name.endswith(suffix):
            yield name.removesuffix(suffix)
    yield name
