"""Counts the grace of kept homes, and dates tombstones by it.

The grace is time in which a runner watched: only then would the file have brought the workspace
back. So neither a clock that jumps nor a night without a runner takes anything of it. The index
keeps the sum over all runs.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from stacks.board import Board, Context, translated
from stacks.errors import OvertakenError
from state_index.models import Changes, Published, utc_now
from state_index.phases import Phase

SHOWN_EXACTLY = timedelta(minutes=1)
"""How far the expiry that is shown may be off before it is told anew."""


class GraceClock:
    """Counts the time that runners watch, and dates tombstones by it."""

    def __init__(
        self,
        board: Board,
        *,
        grace: float,
        longest: float,
        expires: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Prepare; it counts from its first `tick` on.

        Args:
            board: The way to the index, which keeps the sum.
            grace: Seconds that a home is kept.
            longest: Most seconds between two ticks that count: whoever stood still did not watch.
            expires: Whether homes go by it; else no date of it is shown.
            monotonic: The clock that counts.
            now: The clock that is shown.
        """
        self._board = board
        self._grace = grace
        self._longest = longest
        self._expires = expires
        self._monotonic = monotonic
        self._now = now
        self._last: float | None = None

    async def tick(self) -> int:
        """Count what passed since the last tick; milliseconds that runners watched so far."""
        passed, self._last = self._passed(), self._monotonic()
        with translated():
            return await asyncio.to_thread(self._board.removals.watch, passed)

    async def watched(self) -> int:
        """Give milliseconds that runners watched so far, up to this moment."""
        with translated():
            counted = await asyncio.to_thread(self._board.removals.watched)
        return counted + self._passed()

    async def dates(self, row: Published | None) -> Changes:
        """Give the dates of a tombstone that is set now; nothing where it has some already."""
        if row is not None and row.grace_end is not None:
            return Changes()
        now, grace = self._now(), timedelta(seconds=self._grace)
        end = await self.watched() + round(self._grace * 1000)
        expires_at = now + grace if self._expires else None
        return Changes(removed_at=now, expires_at=expires_at, grace_end=end)

    async def correct(self, rows: Iterable[Published], watched: int) -> None:
        """Tell anew when homes go, where a jump of the clock or a time without runner moved it."""
        why = Context(cause="the clock was set, or no runner watched")
        for row in rows:
            if row.phase is not Phase.TOMBSTONED or row.grace_end is None:
                continue
            end = self._end(row.grace_end - watched)
            if _differ(end, row.expires_at):
                told = Changes(expires_at=end)
                with suppress(OvertakenError):
                    await self._board.say(row.id, why, changes=told, if_generation=row.generation)

    def _end(self, left: int) -> datetime | None:
        return self._now() + timedelta(milliseconds=max(0, left)) if self._expires else None

    def _passed(self) -> int:
        if self._last is None:
            return 0
        return round(min(self._monotonic() - self._last, self._longest) * 1000)


def _differ(end: datetime | None, shown: datetime | None) -> bool:
    if end is None or shown is None:
        return end is not shown
    return abs(end - shown) > SHOWN_EXACTLY
