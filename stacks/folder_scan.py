"""What a folder of workspace files holds, by fingerprint, and what is not known of it while it changes.

It reads no file; `stacks.source` does, and `spec` says what is in them.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from spec import FolderRead, Problem
from spec.defaults import NAME as DEFAULTS
from spec.folder import inner_names
from spec.problems import printable
from spec.rule_folder import is_rule_file
from spec.shared import GENERATORS, is_shared, kind
from stacks.folder_events import Fingerprint

ABSENCE = 5.0
"""Seconds that a file of defaults or rules, or a generator, must be gone to count as gone."""


def settle_delay(print_: Fingerprint, *, now_ns: int, seen_for: float, settle: float) -> float:
    """Give the seconds until a file counts; 0 when it does. Pure.

    Args:
        print_: The file's state.
        now_ns: The wall clock.
        seen_for: Seconds that this very state has been seen, by the monotonic clock.
        settle: Seconds that a file must be unchanged.
    """
    if print_.sealed or seen_for >= settle:
        return 0.0
    # The change time cannot be set by hand; one in the future says nothing.
    age = (now_ns - print_.ctime_ns) / 1e9
    if age >= settle:
        return 0.0
    return settle - max(seen_for, age, 0.0)


class Vanished:
    """Names of files that count for many workspaces, and were there a moment ago.

    Who moves such a file away, or has git put another in its place, may have it back in a moment; a whole
    fleet made anew meanwhile is not.
    """

    def __init__(self, patience: float) -> None:
        """Prepare.

        Args:
            patience: Seconds that a name must be gone to count as gone.
        """
        self._patience = patience
        self._there: frozenset[str] = frozenset()
        self._since: dict[str, float] = {}

    def look(self, names: Iterable[str], *, now: float) -> frozenset[str]:
        """Give the names that were there a moment ago.

        Args:
            names: All that are there now.
            now: The monotonic clock.
        """
        there = frozenset(name for name in names if _counts_for_many(name))
        gone = self._since | dict.fromkeys(self._there - there, now)
        self._there = there
        self._since = {
            name: since
            for name, since in gone.items()
            if name not in there and now - since < self._patience
        }
        return frozenset(self._since)


def _counts_for_many(name: str) -> bool:
    return is_rule_file(name) or name == DEFAULTS or name.startswith(f"{GENERATORS}/")


def scan(folder: Path) -> dict[str, Fingerprint]:
    """Give the state of each name that may change what workspaces are.

    Raises:
        OSError: The folder can't be listed.
    """
    with os.scandir(folder) as entries:
        found = {
            entry.name: Fingerprint.of(entry.stat(follow_symlinks=False))
            for entry in entries
            if _counts(entry.name)
        }
    if GENERATORS in found:
        with suppress(OSError):  # the reading tells of one that can't be listed
            names = inner_names(folder, GENERATORS)
            del found[GENERATORS]  # it is what is in it: that something was put there says nothing
            found |= dict(_generators(folder, names))
    return found


def _generators(folder: Path, names: Iterable[str]) -> Iterator[tuple[str, Fingerprint]]:
    for name in names:
        with suppress(FileNotFoundError):
            whole = f"{GENERATORS}/{name}"
            yield whole, Fingerprint.of((folder / whole).lstat())


def _counts(name: str) -> bool:
    """Whether a name may change what workspaces are: templates do not."""
    if is_rule_file(name) or kind(name) in {"defaults", "generators"}:
        return True
    return not name.startswith((".", "_"))


def pending_of(read: FolderRead, unsettled: Collection[str], *, folder: str) -> frozenset[str]:
    """Name the workspaces of which it is not known what they will be.

    Args:
        read: What was read.
        unsettled: Names that are still being written, or were there a moment ago.
        folder: What problems call the folder.
    """
    own = {_id(name) for name in unsettled if not is_rule_file(name) and not is_shared(name)}
    if any(kind(name) == "defaults" for name in unsettled):
        return frozenset(own | read.origins.keys())
    made = {printable(f"{folder}/{name}") for name in unsettled if is_shared(name)}
    return frozenset(own | {id_ for id_, origin in read.origins.items() if origin.file in made})


def _id(name: str) -> str:
    return name.lower().removesuffix(".yml").removesuffix(".yaml")


def problem_of(folder: str, name: str, gone: Collection[str]) -> Problem:
    """Say that a file does not count yet; args as `snapshot_of` has them."""
    hint = "rename a finished file into its place"
    return Problem(f"{folder}/{name}", 1, 1, "", f"it {why(name, gone)}", hint)


def why(name: str, gone: Collection[str]) -> str:
    """Say why it is not known what a file will say."""
    return "was there a moment ago" if name in gone else "is still being written"
