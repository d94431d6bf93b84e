"""Keeps what is remembered of the past within its bounds, a little at a time.

A pass removes a few hundred rows and files at most, so that nobody waits for it, and one that is cut
off is gone on with by the next. What is beyond a bound is found anew each time: nothing is noted down.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace

from stacks.board import Board, translated
from stacks.errors import StacksError
from stacks.fence import Fence
from stacks.gc.model import Fate, Item, Kind
from stacks.gc.shelves import File, Shelves
from state_index.retention import Retention
from telemetry.logs import get_logger

ROWS_AT_ONCE = 500
FILES_AT_ONCE = 500

STEP = "gc"
_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What one pass removed."""

    rows: int = 0
    files: int = 0
    size: int = 0
    failed: int = 0
    """Files that could not be removed."""
    problem: str = ""
    """What was wrong with the last of these."""

    @property
    def is_full(self) -> bool:
        """Whether there may be more."""
        return self.rows >= ROWS_AT_ONCE or self.files >= FILES_AT_ONCE


class Upkeep:
    """Prunes the records of one data tree."""

    def __init__(
        self, *, board: Board, shelves: Shelves, retention: Retention, fence: Fence
    ) -> None:
        """Prepare.

        Args:
            board: The index.
            shelves: What is kept in files.
            retention: What is kept in the index.
            fence: Says whether anything may be removed.
        """
        self._board = board
        self._shelves = shelves
        self._retention = retention
        self._fence = fence

    async def look(self) -> tuple[Item, ...]:
        """Tell what is beyond its bounds.

        Raises:
            PublishFailedError: The index cannot be read.
        """
        with translated():
            rows = await asyncio.to_thread(self._board.records.beyond, self._retention)
        files = await asyncio.to_thread(self._shelves.beyond)
        return _told(Pruned(rows=rows, files=len(files), size=_size(files)), Fate.FOUND)

    async def prune(self, only: Collection[str] | None = None) -> tuple[Item, ...]:
        """Bring all within its bounds, pass by pass; gives what went.

        Args:
            only: Keys of what is meant; all by default.

        Raises:
            NotLeadingError: We may not.
            PublishFailedError: The index cannot be written.
        """
        meant = {key for key, _ in _NAMES if only is None or f"{Kind.PRUNED}:{key}" in only}
        total, more = Pruned(), bool(meant)
        while more:
            done = await self.once(rows="rows" in meant, files="files" in meant)
            more = done.is_full
            total = Pruned(
                rows=total.rows + done.rows,
                files=total.files + done.files,
                size=total.size + done.size,
                # Tried anew in each pass.
                failed=done.failed,
                problem=done.problem,
            )
        return (*_told(total, Fate.REMOVED), *_failed(total))

    async def once(self, *, rows: bool = True, files: bool = True) -> Pruned:
        """Do one pass; raises as `prune`."""
        self._fence.check(STEP)
        gone = 0
        if rows:
            with translated():
                gone = await asyncio.to_thread(
                    self._board.records.prune, self._retention, limit=ROWS_AT_ONCE
                )
        return replace(await asyncio.to_thread(self._remove) if files else Pruned(), rows=gone)

    def _remove(self) -> Pruned:
        """Remove files, the oldest first; one that cannot be removed keeps no other."""
        removed: list[File] = []
        problems: list[str] = []
        for file in self._shelves.beyond():
            if len(removed) >= FILES_AT_ONCE:
                break
            self._fence.check(STEP)
            try:
                file.path.unlink(missing_ok=True)
            except OSError as error:
                problems.append(str(error))
            else:
                removed.append(file)
        return Pruned(
            files=len(removed),
            size=_size(removed),
            failed=len(problems),
            problem=problems[-1] if problems else "",
        )

    async def keep(
        self, every: float, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """Do a pass now and then, until cancelled.

        Args:
            every: Seconds between two.
            sleep: Waits; a seam for tests.
        """
        while True:
            await sleep(every)
            try:
                done = await self.once()
                while done.is_full:
                    await sleep(1.0)
                    done = await self.once()
                if done.failed:
                    _log.warning("files not pruned", count=done.failed, message=done.problem)
            except (StacksError, OSError) as error:
                _log.warning("records not pruned", message=str(error))


_NAMES = (("rows", "history and operations in the index"), ("files", "Pulumi's history and logs"))


def _told(found: Pruned, fate: Fate) -> tuple[Item, ...]:
    counts = {"rows": (found.rows, None), "files": (found.files, found.size)}
    return tuple(
        Item(
            kind=Kind.PRUNED,
            id=key,
            name=f"{counts[key][0]} {key} of {name}",
            why="beyond the bounds that are set",
            size=counts[key][1],
            fate=fate,
        )
        for key, name in _NAMES
        if counts[key][0]
    )


def _failed(found: Pruned) -> tuple[Item, ...]:
    """Tell of files that could not be removed."""
    if not found.failed:
        return ()
    return (
        Item(
            kind=Kind.PRUNED,
            id="files",
            name=f"{found.failed} files of {dict(_NAMES)['files']}",
            why="beyond the bounds that are set",
            fate=Fate.FAILED,
            remedy=found.problem,
        ),
    )


def _size(files: Collection[File]) -> int:
    return sum(file.size for file in files)
