"""Waits until the index changes: a cheap probe, polled, and nudges that make it look at once.

On SQLite the probe is `PRAGMA data_version` on a connection of its own: a number in shared memory
that changes when any other connection commits; no query, no lock, microseconds. Elsewhere it is a
query for the newest row and the newest intent. What changed is for the caller to read.
"""

import asyncio
from contextlib import suppress
from typing import Self

from state_index.database import Database
from state_index.schema import NEWEST

INTERVAL = 0.05
"""Seconds between two looks: half of the 100 ms in which a change must arrive."""


class Watcher:
    """Watches one index; an async context manager. One task may wait at a time.

    Args:
        url: the index's URL; the index must have been opened (created) before.
        interval: seconds between looks.
        nudge: an event of `state_index.nudge.listen` that cuts the wait short; cleared here.

    Raises:
        IndexUnavailableError: the index can't be read; so do all methods.
    """

    def __init__(
        self, url: str, *, interval: float = INTERVAL, nudge: asyncio.Event | None = None
    ) -> None:
        self._database = Database(url)
        self._interval = interval
        self._nudge = nudge or asyncio.Event()
        try:
            self._probe = self._database.probe(NEWEST)
            self._seen = self._probe()
        except BaseException:
            self.close()
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
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
                    with suppress(TimeoutError):
                        async with asyncio.timeout(self._interval):
                            await self._nudge.wait()
        except TimeoutError:
            return False
        return True

    def _changed(self) -> bool:
        nudged = self._nudge.is_set()
        self._nudge.clear()
        now = self._probe()
        changed = nudged or now != self._seen
        self._seen = now
        return changed
