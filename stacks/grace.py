"""Counts the grace of kept homes, and dates tombstones by it.

The grace is time in which a runner watched: only then would the file have brought the workspace
back. So neither a clock that jumps, nor a night without a runner, nor an hour in which the folder
could not be read takes anything of it. The index keeps the sum over all runs; the ledger counts for
itself what is left of each grace.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from stacks.board import Board, Context, translated
from stacks.errors import LedgerError, OvertakenError
from stacks.ledger import ID_BYTES, Ledger
from state_index.models import Changes, Published, utc_now
from state_index.phases import Phase
from telemetry.logs import get_logger

_log = get_logger(__name__)

SHOWN_EXACTLY = timedelta(minutes=1)
"""How far the expiry that is shown may be off before it is told anew."""


NO_DATES = Changes(removed_at=None, expires_at=None, grace_end=None)
"""Of a workspace whose grace does not run."""


class GraceClock:
    """Counts the time that runners watch, and dates tombstones by it."""

    def __init__(
        self,
        board: Board,
        ledger: Ledger,
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
            ledger: The second memory, which counts for itself.
            grace: Seconds that a home is kept.
            longest: Most seconds between two ticks that count: whoever stood still did not watch.
            expires: Whether homes go by it; else no date of it is shown.
            monotonic: The clock that counts.
            now: The clock that is shown.
        """
        self._board = board
        self._ledger = ledger
        self._grace = grace
        self._longest = longest
        self._expires = expires
        self._monotonic = monotonic
        self._now = now
        self._last: float | None = None
        self._told = ""

    async def tick(self, *, complete: bool) -> int:
        """Count what passed since the last tick.

        Args:
            complete: Whether the folder was read whole just now; time before or after a reading
                that was not does not count.

        Returns:
            Milliseconds that runners watched so far.
        """
        passed = self._passed() if complete else 0
        self._last = self._monotonic() if complete else None
        try:
            await asyncio.to_thread(self._ledger.count, passed)
            self._told = ""
        except LedgerError as error:
            if error.message != self._told:
                _log.error("no home expires", message=error.message, remedy=error.remedy)
            self._told = error.message
        with translated():
            return await asyncio.to_thread(self._board.removals.watch, passed)

    async def watched(self) -> int:
        """Give milliseconds that runners watched so far, up to the last tick."""
        with translated():
            return await asyncio.to_thread(self._board.removals.watched)

    async def begin(self, workspace_id: str, volumes: Iterable[str]) -> Changes:
        """Begin a whole grace: durably in the ledger, and by the dates given here in the index.

        Where the ledger can't be used there are no dates, but the id of a removal: the grace begins
        once it can.

        Args:
            workspace_id: Whose home is kept.
            volumes: The names of its homes.
        """
        now, grace = self._now(), timedelta(seconds=self._grace)
        left = round(self._grace * 1000)
        try:
            removal = await asyncio.to_thread(
                self._ledger.begin, workspace_id, left=left, volumes=volumes
            )
        except LedgerError as error:
            _log.error("no grace begins", workspace=workspace_id, message=error.message)
            return NO_DATES | Changes(removal=secrets.token_hex(ID_BYTES))
        end = await self.watched() + self._passed() + left
        expires_at = now + grace if self._expires else None
        return Changes(removed_at=now, expires_at=expires_at, grace_end=end, removal=removal)

    async def correct(self, rows: Iterable[Published], watched: int) -> None:
        """Tell anew when homes go, where a jump of the clock or a time without runner moved it."""
        why = Context(cause="the clock was set, or no runner watched")
        for row in rows:
            if row.phase is not Phase.TOMBSTONED or row.grace_end is None:
                continue
            if row.expires_at is None and self._expires:
                continue  # its grace is yet to begin
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
