"""What the ledger of graces says of a workspace, and how that stands in its file. Pure.

The file is kept by `stacks.ledger`; what is concluded from it, in `stacks.tombstones` and
`stacks.homes`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from state_index.models import Published

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the ledger knows of one workspace.

    Attributes:
        removal: Which removal it is; "" when no grace runs.
        left: Milliseconds that it is still to be watched.
        volumes: Its homes when it was removed, by name.
        removing: Of these, those that the engine was told to remove.
        removed: Of these, those that it has removed.
        engine: Which engine was told to remove the former, as `Power.identity` has it; "" where that
            is not known of all of them.
        readable: False for what stands in for all, where the ledger cannot be read.
    """

    removal: str = ""
    left: int = 0
    volumes: tuple[str, ...] = ()
    removing: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    engine: str = ""
    readable: bool = True

    @property
    def begun(self) -> bool:
        """Whether the removal of its homes began."""
        return bool(self.removing or self.removed)

    @property
    def unseen(self) -> frozenset[str]:
        """The homes that may be there, as far as it knows: also those that may be there in part."""
        return frozenset({*self.volumes, *self.removing}) - {*self.removed}

    @property
    def is_gone(self) -> bool:
        """Whether all of its homes are gone, as the engine said or a look at it proved."""
        return bool(self.removed) and not self.unseen


UNREADABLE = Entry(readable=False)
"""Stands for what nobody knows: nothing ends by it."""

Entries = Mapping[str, Entry]


def torn_homes(entries: Entries) -> frozenset[str]:
    """Name the volumes that the engine was told to remove, and may have in part."""
    return frozenset(name for entry in entries.values() for name in entry.removing)


def gone(entry: Entry, names: Iterable[str]) -> Entry:
    """Give an entry in which homes that were being removed are."""
    removed = frozenset(names)
    left = tuple(name for name in entry.removing if name not in removed)
    return replace(entry, removing=left, removed=tuple(sorted({*entry.removed, *removed})))


def agree(row: Published | None, entry: Entry | None) -> bool:
    """Whether index and ledger speak of the same removal: else one of them is an older copy."""
    if row is None or entry is None or not entry.readable:
        return False
    return bool(row.removal) and entry.removal == row.removal


def is_over(row: Published | None, watched: int | None, entry: Entry | None) -> bool:
    """Whether a tombstone's grace is over, by the index and by the ledger.

    Args:
        row: What is published.
        watched: Milliseconds that runners watched so far; None: nothing expires here.
        entry: What the ledger says.
    """
    if row is None or row.grace_end is None or watched is None:
        return False
    if row.expires_at is None:
        return False  # it was shown without an end: homes did not expire then
    return agree(row, entry) and entry is not None and not entry.left and watched >= row.grace_end


_TEXTS = ("volumes", "removing", "removed")
_NEW = frozenset({"engine"})
"""What a file from before does not have."""

_KEYS = frozenset({"removal", "left", *_TEXTS, *_NEW})


def dump(entries: Entries, *, at: float) -> bytes:
    """Give the file's content; `at` is when it is written, by the wall clock. Pure."""
    known = {
        id_: {key: value for key, value in asdict(entry).items() if key in _KEYS}
        for id_, entry in sorted(entries.items())
    }
    told = {"version": VERSION, "written": at, "workspaces": known}
    return json.dumps(told, indent=1, sort_keys=True).encode() + b"\n"


def parse(content: bytes) -> tuple[dict[str, Entry], float]:
    """Read the file's content: the entries, and when it was written. Pure.

    Raises:
        ValueError: It is not what `dump` gives.
    """
    data = json.loads(content)
    _check(isinstance(data, dict) and data.keys() == {"version", "written", "workspaces"}, "keys")
    _check(data["version"] == VERSION, "version")
    _check(isinstance(data["written"], float | int), "written")
    _check(isinstance(data["workspaces"], dict), "workspaces")
    return {id_: _entry(told) for id_, told in data["workspaces"].items()}, float(data["written"])


def _entry(told: Any) -> Entry:
    _check(isinstance(told, dict) and told.keys() | _NEW == _KEYS, "keys of a workspace")
    left = told["left"]
    engine = told.get("engine", "")
    _check(isinstance(told["removal"], str), "removal")
    _check(isinstance(engine, str), "engine")
    _check(isinstance(left, int) and not isinstance(left, bool) and left >= 0, "left")
    for key in _TEXTS:
        names = told[key]
        _check(isinstance(names, list) and all(isinstance(name, str) for name in names), key)
    names = {key: tuple(told[key]) for key in _TEXTS}
    return Entry(removal=told["removal"], left=left, engine=engine, **names)


def _check(right: bool, what: str) -> None:
    if not right:
        raise ValueError(f"wrong {what}")
