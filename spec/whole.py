"""A workspace as it is with all that counts for it: its file, defaults, a generator. And where each value is written.

    whole(files, "class-a-bob", label="workspaces.d") -> Whole

Pure; `codehub render` shows it. What the runner works by comes from `spec.files`: this takes that,
and only adds the places.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from spec.errors import InvalidSpecError, UnknownIdError
from spec.files import File, Origin, read_files, shown_name
from spec.generated import MAX_NODES
from spec.generators import expand
from spec.model import WorkspaceSpec
from spec.nodes import Mapping as Tree
from spec.report import Report, read_tree
from spec.shared import most_bytes, shared_in

BUILT_IN = "built in"
"""Where a value is from that is written nowhere."""
WIDTH = 10_000
"""Columns of a line: none is folded."""


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A workspace, with where it comes from.

    Attributes:
        spec: the workspace.
        origin: where it is written.
        places: where each value is written, by dotted key; what is not there is built in.
    """

    spec: WorkspaceSpec
    origin: Origin
    places: Mapping[str, Origin]


def whole(files: Iterable[File], id_: str, *, label: str) -> Whole:
    """Find a workspace among the files of a folder.

    Args:
        files: all of them.
        id_: the workspace.
        label: what problems call the folder.

    Raises:
        InvalidSpecError: what is written of it is wrong.
        UnknownIdError: nothing is.
    """
    found = list(files)
    read = read_files(found, label=label)
    if id_ in read.invalid:
        raise InvalidSpecError(read.invalid[id_])
    if id_ not in read.specs:
        near = get_close_matches(id_, list(read.specs), n=1)
        raise UnknownIdError(id_, near[0] if near else "", doubt=read.doubt)
    origin = read.origins[id_]
    source = next(file for file in found if shown_name(file.name, label) == origin.file)
    defaults = shared_in(found, label=label).defaults
    shared = _places(defaults.root, defaults.file) if defaults.root is not None else ()
    own = _places(_tree(source, origin, id_), origin.file)
    return Whole(spec=read.specs[id_], origin=origin, places={**dict(shared), **dict(own)})


def _tree(file: File, origin: Origin, id_: str) -> Tree:
    """Read the workspace's own tree again, of a file that was found to be right."""
    assert file.raw is not None, "it was read"
    most = {"most_bytes": most_bytes(file.name), "most_nodes": MAX_NODES}
    root = read_tree(file.raw, Report(origin.file), example="", **most)
    assert root is not None, "it was right"
    if not origin.generated:
        return root
    made = expand(root, lambda _key, _flaw: None).workspaces
    return next(each.root for each in made if each.id == id_ and each.root is not None)


def _places(root: Tree, file: str, path: str = "") -> Iterator[tuple[str, Origin]]:
    for key, entry in root.entries.items():
        here = f"{path}{key}"
        if isinstance(entry.node, Tree):
            yield from _places(entry.node, file, f"{here}.")
        else:
            yield here, Origin(file, entry.node.place.line)


def plain(spec: WorkspaceSpec) -> dict[str, Any]:
    """Give a workspace as a file of its own would say it, every key written out."""
    found: dict[str, Any] = spec.model_dump(mode="json", exclude={"id"}, exclude_none=True)
    cores = found["resources"]["cpu"]
    found["resources"]["cpu"] = int(cores) if cores == int(cores) else cores
    return found


def text(found: Whole, *, origins: bool = False) -> str:
    """Give it as YAML, which read as a file of its own says the same.

    Args:
        found: the workspace.
        origins: whether a comment at each value says where it is written.
    """
    writer = YAML()
    writer.width = WIDTH
    stream = StringIO()
    writer.dump(_commented(plain(found.spec), found, origins=origins), stream)
    return stream.getvalue()


def _commented(
    values: Mapping[str, Any], found: Whole, *, origins: bool, path: Sequence[str] = ()
) -> CommentedMap:
    made = CommentedMap()
    for key, value in values.items():
        here = (*path, key)
        if isinstance(value, dict):
            made[key] = _commented(value, found, origins=origins, path=here)
            continue
        made[key] = _quoted(value)
        if origins:
            made.yaml_add_eol_comment(shown_place(found.places.get(".".join(here))), key, column=0)
    return made


def _quoted(value: Any) -> Any:
    """Have text with unprintable characters escaped: some of them the writer would leave as they are."""
    if isinstance(value, str) and not value.isprintable():
        return DoubleQuotedScalarString(value)
    return value


def shown_place(origin: Origin | None) -> str:
    """Say where a value is written."""
    return f"{origin.file}:{origin.line}" if origin is not None else BUILT_IN
