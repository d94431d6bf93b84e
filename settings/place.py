"""Where a data tree was made: tells a copy, or a tree from a backup, from the one it was taken of.

The mark is a file beside the tree's id. It holds the inode of the file `tree`, which a copy does not
have, and the path. What a tree remembers of the time since it was copied is wrong, and two that live
with one id would each take the other's homes for its own. A tree that is renamed, or mounted at two
places, is the same one. Nothing here knows what a tree remembers.
"""

import contextlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from settings import tree
from settings.errors import CopiedTreeError, DataFolderError
from settings.paths import DataPaths

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The mark.

    Attributes:
        inode: that of the file `tree`.
        path: of the data tree.
    """

    inode: int
    path: str


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
    return marked.inode != here.inode


def mark(paths: DataPaths) -> None:
    """Write down where the tree is; nothing where that is known.

    Raises:
        DataFolderError: it can't be written.
    """
    here = _here(paths)
    if paths.place.exists() and _read(paths.place) == here:
        return
    beside = paths.place.with_name(f".{paths.place.name}.{secrets.token_hex(4)}")
    told = {"version": VERSION, "inode": here.inode, "path": here.path}
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
    return Place(inode=paths.tree.stat().st_ino, path=str(paths.root.resolve()))


def _read(path: Path) -> Place | None:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads(path.read_bytes())
        if told["version"] == VERSION:
            return Place(inode=int(told["inode"]), path=str(told["path"]))
    return None


def _is_other(root: Path, paths: DataPaths, own: str) -> bool:
    """Whether there is a tree of the same id that is not this very one."""
    there = DataPaths(root).tree
    try:
        if there.samefile(paths.tree):
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
