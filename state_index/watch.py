"""Waits until the index changes: a cheap probe, and nudges that make it look at once.

On SQLite the probe is `PRAGMA data_version` on a connection of its own: a number in shared memory
that changes when any other connection commits; no query, no lock, microseconds; it is polled. On
PostgreSQL it counts notices (LISTEN), whose socket wakes the watcher. What changed is for the
caller to read.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Self

from state_index.database import Database
from state_index.schema import GENERATION

INTERVAL = 0.05
"""Seconds between two looks: half of the 100 ms in which a change must arrive."""

NOTICED_INTERVAL = 5.0
"""The same where notices come by themselves: only so that a lost connection is found in the end."""


class Watcher:
    """Watches one index; an async context manager. One task may wait at a time.

    Args:
        url: the index's URL; the index must have been opened (created) before.
        interval: seconds between looks; by default what suits the database.
        nudge: an event of `state_index.nudge.listen` that cuts the wait short; cleared here.
        database: opens it; `state_index.readonly.looking` does so also where it can't be written.

    Raises:
        IndexReplacedError: the file was removed or replaced: what there is now takes another
            watcher; so do all methods.
        IndexUnavailableError: the index can't be read; so do all methods.
    """

    def __init__(
        self,
        url: str,
        *,
        interval: float | None = None,
        nudge: asyncio.Event | None = None,
        database: Callable[[str], Database] = partial(Database, make=False),  # noqa: B008 - pure
    ) -> None:
        self._database = database(url)
        default = INTERVAL if self._database.is_sqlite else NOTICED_INTERVAL
        self._interval = default if interval is None else interval
        self._nudge = nudge or asyncio.Event()
        self._probe = self._database.probe()
        try:
            self._database.number(GENERATION)  # that it is an index at all
            self._seen = self._probe.look()
        except BaseException:
            self.close()
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._probe.close()
        self._database.close()

    async def wait(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109
        """Wait until something was committed, or a nudge came, since the last call (or the making).

        Args:
            timeout: seconds; None waits without end.

        Returns:
            False when the time ran out.
        """
        try:
            async with asyncio.timeout(timeout):
                while not self._changed():
                    await self._pause()
        except TimeoutError:
            return False
        return True

    async def _pause(self) -> None:
        """Wait for a nudge, a notice or the next look, whatever comes first."""
        loop, noticed = asyncio.get_running_loop(), self._probe.fileno()
        if noticed is not None:
            loop.add_reader(noticed, self._nudge.set)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._nudge.wait()
        finally:
            if noticed is not None:
                loop.remove_reader(noticed)

    def _changed(self) -> bool:
        nudged = self._nudge.is_set()
        self._nudge.clear()
        now = self._probe.look()
        changed = nudged or now != self._seen
        self._seen = now
        return changed
