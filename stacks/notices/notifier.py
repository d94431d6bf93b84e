"""Looks at what is published, and shows it to the outboxes of all sinks, as long as this runner leads."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from stacks.errors import StacksError
from stacks.notices.matters import Matter, scene
from stacks.notices.outbox import Clock, Outbox, WallClock
from state_index.models import Published
from telemetry.logs import get_logger

EVERY = 2.0
"""Seconds between two looks."""

Extra = Callable[[], Awaitable[Iterable[Matter]]]
"""Gives what is the matter besides the published rows: what waits for approval."""

_log = get_logger(__name__)


class Rows(Protocol):
    """What is asked of the board."""

    async def rows(self) -> dict[str, Published]:
        """Read all rows, by id."""

    async def generation(self) -> int:
        """Read the generation of the newest publish."""


class Notifier:
    """Tells all sinks."""

    def __init__(
        self,
        board: Rows,
        outboxes: Sequence[Outbox],
        *,
        extra: Extra | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepare.

        Args:
            board: Where the rows are read.
            outboxes: One for each sink; without any, nothing is looked at.
            extra: What is the matter besides; its notices are told as those of the rows are.
            clock: The time.
        """
        self._board = board
        self._outboxes = tuple(outboxes)
        self._extra = extra
        self._clock = clock or WallClock()
        self._rows: dict[str, Published] = {}
        self._generation = -1
        self._seen = scene(())

    async def run(self) -> None:
        """Look and tell until cancelled."""
        if not self._outboxes:
            return
        for outbox in self._outboxes:
            await outbox.open()
        _log.info("telling", sinks=[outbox.name for outbox in self._outboxes])
        async with asyncio.TaskGroup() as group:
            for outbox in self._outboxes:
                group.create_task(outbox.run())
            while True:
                await self.look()
                await self._clock.sleep(EVERY)

    async def look(self) -> None:
        """Look once; what can't be read is looked at the next time."""
        try:
            news = await self._read()
            extra = await self._extra() if self._extra else ()
        except StacksError as error:
            _log.warning("nothing is told now", message=error.message)
            return
        except Exception:  # noqa: BLE001 - a bug here must not end the runner
            _log.exception("bug")
            return
        if news or self._extra:
            self._seen = scene(self._rows.values(), extra)
        for outbox in self._outboxes:
            await outbox.see(self._seen)

    async def _read(self) -> bool:
        """Read the rows when they changed; whether they did."""
        generation = await self._board.generation()
        if generation == self._generation:
            return False
        self._rows = await self._board.rows()
        self._generation = generation
        return True
