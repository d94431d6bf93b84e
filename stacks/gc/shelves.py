"""What is kept of the past in files: Pulumi's history and backups, its logs, unreadable states. Bounded.

Each shelf tells what is beyond its bound, oldest first, and nothing else: the state itself and the
copy that mends it are on none. Removing stops anywhere and goes on the next time.
"""

import contextlib
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from settings.paths import DataPaths
from stacks.engine import entries
from stacks.engine.checkpoint import StateFiles
from stacks.engine.command import ORGANIZATION, PROJECT

UNREADABLE_KEPT = 3
"""States of a stack that could not be read, and were kept beside it: so many stay."""

_LOG = re.compile(rf"{ORGANIZATION}\+{PROJECT}\+(?P<stack>.+)-[0-9T]+\.log")


@dataclass(frozen=True, kw_only=True)
class File:
    """A file, by what decides on it."""

    path: Path
    size: int
    changed: float


@dataclass(frozen=True, kw_only=True)
class Shelves:
    """All that is kept in files, and its bounds.

    Attributes:
        data: The data tree.
        pulumi_home: Pulumi's own folder.
        kept: Entries of Pulumi's history, and backups, that are kept of each stack.
        log_bytes: Bytes of logs that are kept.
        log_age: Seconds for which they are.
        clock: Seconds, as files have them; a seam for tests.
    """

    data: DataPaths
    pulumi_home: Path
    kept: int
    log_bytes: int
    log_age: float
    clock: Callable[[], float] = time.time

    def beyond(self) -> tuple[File, ...]:
        """Give the files that are beyond a bound, the oldest of each shelf first."""
        pulumi = StateFiles(self.data.state, "").checkpoint.parent.parent.parent
        history = _by_stack(pulumi / "history" / PROJECT, entries.HISTORY, self.kept)
        backups = _by_stack(pulumi / "backups" / PROJECT, entries.BACKUPS, self.kept)
        return (*history, *backups, *self._unreadable(), *self._logs())

    def _unreadable(self) -> Iterator[File]:
        by_stack: defaultdict[str, list[Path]] = defaultdict(list)
        for path in entries.files(StateFiles(self.data.state, "").checkpoint.parent):
            stack, marked, _ = path.name.partition(".json.corrupt-")
            if marked:
                by_stack[stack].append(path)
        for paths in by_stack.values():
            yield from map(_file, sorted(paths)[:-UNREADABLE_KEPT])

    def _logs(self) -> Iterator[File]:
        mine = self._stacks()
        named = (
            path
            for path in entries.files(self.pulumi_home / "logs")
            if (match := _LOG.fullmatch(path.name)) and match["stack"] in mine
        )
        return too_old_or_many(
            map(_file, named), now=self.clock(), age=self.log_age, most=self.log_bytes
        )

    def _stacks(self) -> frozenset[str]:
        """Name the stacks that this tree has, or had: Pulumi's folder of logs is everybody's."""
        stacks = StateFiles(self.data.state, "").checkpoint.parent
        history = stacks.parent.parent / "history" / PROJECT
        there = {path.stem for path in stacks.glob("*.json")}
        return frozenset(there | {path.name for path in _folders(history)})


def too_old_or_many(files: Iterable[File], *, now: float, age: float, most: int) -> Iterator[File]:
    """Give the files that are too old, and the oldest of those that are too many bytes. Pure."""
    newest = sorted(files, key=lambda file: (file.changed, file.path.name), reverse=True)
    total = 0
    gone = []
    for file in newest:
        total += file.size
        if total > most or now - file.changed > age:
            gone.append(file)
    return reversed(gone)


def _by_stack(folder: Path, named: re.Pattern[str], most: int) -> Iterator[File]:
    """Give the files of the entries that are one too many in each stack's folder."""
    for stack in sorted(_folders(folder)):
        yield from map(_file, entries.beyond(stack, named, most))


def _file(path: Path) -> File:
    with contextlib.suppress(OSError):
        found = path.stat(follow_symlinks=False)
        return File(path=path, size=found.st_size, changed=found.st_mtime)
    return File(path=path, size=0, changed=0.0)


def _folders(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return [path for path in folder.iterdir() if path.is_dir()]
    return []
