"""What was read of files before, kept in the user's cache by name and blob.

A blob names its content, so what was read of it holds for ever; only the reader may change, so the
file is named by a hash of the reader's source, and what the file was filled up with, so each entry is
named by the defaults' hash too: nothing is taken that was read with others. A file that is cut, altered, foreign or writable by
others is not believed: then everything is read again. The cache never holds a problem, only what was
right, and losing it costs time only.
"""

import contextlib
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import spec
from spec import Resources, WorkspaceSpec
from spec.files import Named
from spec.problems import printable
from spec.reader import SUFFIX, Reading
from spec.renames import Claim
from spec.text import Place
from stacks.git.tree import TreeEntry

FORMAT = 2
MOST = 50_000
"""Files that are kept, those of the last reading first."""
LARGEST = 256 << 20
"""Bytes of the cache; a bigger one is not ours."""

Entry = list[Any]
"""Keys of the file, and line and column of its `formerly` (0 without)."""


def reader_hash() -> str:
    """Hash the source of what reads files."""
    digest = hashlib.sha256(str(FORMAT).encode())
    for path in sorted(Path(spec.__path__[0]).glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


class Kept:
    """The cache's content."""

    def __init__(self, file: Path, entries: dict[str, Entry], defaults: str) -> None:
        self._file = file
        self._entries = entries
        self._defaults = defaults
        self._used: dict[str, Entry] = {}

    @classmethod
    def load(cls, folder: Path, defaults: str = "") -> Self:
        """Load what is kept; nothing where it can't be believed.

        Args:
            folder: Where it is.
            defaults: Hash of what files are filled up with; "" for nothing.
        """
        file = folder / f"readings-{reader_hash()}"
        try:
            return cls(file, _trusted(file), defaults)
        except (OSError, ValueError):
            return cls(file, {}, defaults)

    def get(self, entry: TreeEntry, label: str) -> Named | None:
        """Give what was read of an entry; None when that is not known.

        Args:
            entry: The entry.
            label: What problems call the folder.
        """
        if entry.refusal is not None:
            return None
        key = self._key(entry)
        found = self._entries.get(key)
        if found is None:
            return None
        self._used[key] = found
        return _named(entry, found, label)

    def put(self, read: Iterable[tuple[TreeEntry, Named]]) -> None:
        """Keep what is right of what was read; a folder that can't be written keeps nothing."""
        fresh = {
            self._key(entry): _entry(named.reading)
            for entry, named in read
            if named.reading.spec is not None and named.revision == entry.sha
        }
        if fresh:
            with contextlib.suppress(OSError):
                _write(self._file, self._newest(fresh))

    def _key(self, entry: TreeEntry) -> str:
        # A hash has no space in it; a name may have.
        return f"{entry.sha} {self._defaults} {entry.name}"

    def _newest(self, fresh: dict[str, Entry]) -> dict[str, Entry]:
        found = self._used | fresh
        for key, entry in self._entries.items():
            if len(found) >= MOST:
                break
            found.setdefault(key, entry)
        return found


def _entry(reading: Reading) -> Entry:
    assert reading.spec is not None
    place = reading.claim.place if reading.claim else (0, 0)
    return [reading.spec.model_dump(exclude={"id"}), *place]


def _named(entry: TreeEntry, found: Entry, label: str) -> Named:
    """Put a reading together as `spec.files.read_one` would."""
    keys, line, column = found
    file = printable(f"{label}/{entry.name}" if label else entry.name)
    id_ = entry.name.removesuffix(SUFFIX)
    limits = Resources.model_construct(**keys["resources"])
    made = WorkspaceSpec.model_construct(**{**keys, "resources": limits, "id": id_})
    claim = None
    if made.formerly is not None:
        claim = Claim(id=id_, former=made.formerly, file=file, place=Place(line, column))
    reading = Reading(spec=made, owner=made.owner, claim=claim)
    return Named(stem=id_, file=file, reading=reading, revision=entry.sha)


def _trusted(file: Path) -> dict[str, Entry]:
    """Load a file of ours, whole and unaltered.

    Raises:
        OSError: It can't be read.
        ValueError: It is not to be believed.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as opened:
        found = os.fstat(opened.fileno())
        mine = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        if not mine or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or found.st_size > LARGEST:
            raise ValueError("not ours")
        head, _, rest = opened.read().partition(b"\n")
    if head != _sum(rest):
        raise ValueError("altered")
    loaded: dict[str, Entry] = json.loads(rest)
    return loaded


def _write(file: Path, entries: Mapping[str, Entry]) -> None:
    """Write all of it or nothing, and drop what other readers kept."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    rest = json.dumps(entries, separators=(",", ":"), ensure_ascii=True).encode()
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".readings-")
    with contextlib.ExitStack() as undo:
        undo.callback(Path(name).unlink, missing_ok=True)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(_sum(rest) + b"\n" + rest)
        Path(name).replace(file)
    for other in file.parent.glob("readings-*"):
        if other.name != file.name:
            other.unlink(missing_ok=True)


def _sum(rest: bytes) -> bytes:
    return hashlib.sha256(rest).hexdigest().encode()
