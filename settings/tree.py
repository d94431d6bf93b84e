"""The id of a data tree: who made what is on an engine that several data trees may use.

The id is random, made once and kept in the tree's file `tree` (0600), one id a line. The first line
is this tree's; further ones are those of lost trees whose workspaces this one takes over by hand,
and `none` stands for things that were made before trees had ids. Nothing here knows an engine.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from settings.errors import DataFolderError

ID_BYTES = 8
NONE = "none"
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class TreeIds:
    """The ids that a data tree answers for.

    Attributes:
        own: this tree's, put on what it makes.
        also: those of lost trees, "" for things without an id.
    """

    own: str
    also: frozenset[str] = frozenset()

    def name(self, label: str) -> bool:
        """Whether a label names this tree or one that it took over."""
        return label == self.own or label in self.also


def read(path: Path) -> TreeIds | None:
    """Read the file, None when there is none.

    Raises:
        DataFolderError: it can't be read, or does not hold ids.
    """
    try:
        lines = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DataFolderError(f"the data tree's id can't be read from {path}: {error}") from error
    if not lines or not _ID.fullmatch(lines[0]):
        raise DataFolderError(_broken(path, "its first line is not the id of a data tree"))
    for line in lines[1:]:
        if line != NONE and not _ID.fullmatch(line):
            raise DataFolderError(_broken(path, f"{line[:40]!r} is neither an id nor `{NONE}`"))
    return TreeIds(lines[0], frozenset("" if line == NONE else line for line in lines[1:]))


def ensure(path: Path, *, former: Callable[[], TreeIds | None] = lambda: None) -> TreeIds:
    """Read the file; make it, whole and for its owner alone, where there is none.

    Args:
        path: the file.
        former: called where there is none: gives the ids that the tree had before the file was
            lost, None when it never had one.

    Raises:
        DataFolderError: it can't be read or made, or does not hold ids.
    """
    found = read(path)
    while found is None:
        ids = former() or TreeIds(secrets.token_hex(ID_BYTES))
        try:
            _make(path, ids)
        except OSError as error:
            told = f"the data tree's id can't be kept in {path}: {error.strerror}"
            raise DataFolderError(told) from error
        found = read(path)
    return found


def _make(path: Path, ids: TreeIds) -> None:
    lines = [ids.own, *(label or NONE for label in sorted(ids.also))]
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.writelines(f"{line}\n" for line in lines)
            stream.flush()
            os.fsync(stream.fileno())
        # Not renamed: of two that begin at once, the second must take the first one's id.
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _broken(path: Path, what: str) -> str:
    return (
        f"{path}: {what}. Put the id back that the tree's containers and volumes carry "
        "as the label codehub.tree"
    )
