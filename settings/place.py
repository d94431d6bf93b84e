"""Where a data tree was made: tells a copy, or a tree from a backup, from the one it was taken of.

The mark is a file beside the tree's id. It holds the inode of the file `tree` and when that was
changed, which a copy does not have (inodes alone are often the same on two new file systems); the
machine, for copies of whole disks; and the path. What a tree remembers of the time since it was
copied is wrong, and two that live with one id would each take the other's homes for its own. A copy
by hard links (`cp -al`, `rsync --link-dest`) has the file itself, whose change time that moves: both are
then taken for copies once. A tree that is renamed, or mounted at two places, is the same one, and
known by its folder, which no link can be. Nothing here knows what a tree remembers.
"""

import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from settings import tree
from settings.errors import CopiedTreeError, DataFolderError
from settings.paths import DataPaths

VERSION = 2
BEFORE = 1
"""The version that knew inode and path only."""

MACHINE = Path("/etc/machine-id")
"""Names this installation; containers mostly have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The mark.

    Attributes:
        inode: that of the file `tree`.
        path: of the data tree.
        changed: when that file was changed last, in nanoseconds, which nobody can set; 0 when a
            former version did not write it down.
        machine: the machine's id, "" where that is not told.
    """

    inode: int
    path: str
    changed: int = 0
    machine: str = ""

    def is_of(self, other: "Place") -> bool:
        """Whether both are of the same tree, wherever it is by now."""
        known = not self.changed or not other.changed or self.changed == other.changed
        # A container that moves has no id, or another image's: only two that are told can differ.
        here = not self.machine or not other.machine or self.machine == other.machine
        return self.inode == other.inode and known and here


def check(paths: DataPaths) -> bool:
    """Whether a data tree is a copy that has not been begun with yet. Nothing is written.

    Raises:
        CopiedTreeError: the one that it is a copy of is still there.
        DataFolderError: the tree's id can't be read.
    """
    ids = tree.read(paths.tree)
    if ids is None or not paths.place.exists():
        return False
    here, marked = _here(paths), _read(paths.place)
    if marked is None:
        return True  # what it says is not known
    original = Path(marked.path)
    if marked.path != here.path and _is_other(original, paths, ids.own):
        raise CopiedTreeError(_told(paths.root, original))
    return not marked.is_of(here)


def mark(paths: DataPaths) -> None:
    """Write down where the tree is; nothing where that is known.

    Raises:
        DataFolderError: it can't be written.
    """
    here = _here(paths)
    if paths.place.exists() and _read(paths.place) == here:
        return
    beside = paths.place.with_name(f".{paths.place.name}.{secrets.token_hex(4)}")
    told = {"version": VERSION, **asdict(here)}
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump(told, stream)
            stream.flush()
            os.fsync(stream.fileno())
        beside.rename(paths.place)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise DataFolderError(f"{paths.place} can't be written: {error.strerror}") from error


def _here(paths: DataPaths) -> Place:
    found = paths.tree.stat()
    return Place(
        inode=found.st_ino,
        path=str(paths.root.resolve()),
        changed=found.st_ctime_ns,
        machine=_machine(),
    )


def _machine() -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return MACHINE.read_text().strip()
    return ""


def _read(path: Path) -> Place | None:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads(path.read_bytes())
        place = Place(inode=int(told["inode"]), path=str(told["path"]))
        if told["version"] == BEFORE:
            return place
        if told["version"] == VERSION:
            changed, machine = int(told["changed"]), str(told["machine"])
            return replace(place, changed=changed, machine=machine)
    return None


def _is_other(root: Path, paths: DataPaths, own: str) -> bool:
    """Whether there is a tree of the same id that is not this very one."""
    there = DataPaths(root).tree
    try:
        if root.samefile(paths.root):
            return False
        found = tree.read(there)
    except (OSError, DataFolderError):
        return False  # gone, or nothing that could be run
    return found is not None and found.own == own


def _told(root: Path, original: Path) -> str:
    return (
        f"{root} is a copy of the data tree {original}, which is still there: both would take the "
        f"same homes for their own. Go on with {original}; or move that away, and this one takes its "
        f"place; or write 16 other hexadecimal digits into {root / 'tree'}, and give it a "
        "CODEHUB_NAME_PREFIX of its own: it then knows none of the workspaces"
    )
