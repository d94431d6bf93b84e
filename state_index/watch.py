"""Waits until the index changes: a cheap probe, and what tells that it is worth a look.

On SQLite the probe is `PRAGMA data_version` on a connection of its own: a number in shared memory
that changes when any other connection commits; no query, no lock, microseconds. The kernel tells
when the log is written (`signs`), and how often to look besides depends on whether that proved true
(`pace`). On PostgreSQL the probe counts notices (LISTEN), whose socket wakes the watcher. Nudges
wake it on both. What changed is for the caller to read.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Self

from state_index.database import Database
from state_index.pace import Pace
from state_index.schema import GENERATION

INTERVAL = 0.05
"""Seconds between two looks: half of the 100 ms in which a change must arrive."""

PROVEN_INTERVAL = 1.0
"""The same where the kernel tells of changes and was not found wrong."""

NOTICED_INTERVAL = 5.0
"""The same where notices come by themselves: only so that a lost connection is found in the end."""

APART = 0.01
"""Seconds from one answer to the next: who writes much shall not keep readers reading."""


class Watcher:
    """Watches one index; an async context manager. One task may wait at a time.

    Args:
        url: the index's URL; the index must have been opened (created) before.
        interval: seconds between looks where nothing tells of changes; by default what suits the
            database.
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
        often = default if interval is None else interval
        self._pace = Pace(often=often, seldom=max(often, PROVEN_INTERVAL))
        self._nudge = nudge or asyncio.Event()
        self._answered = float("-inf")
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
        if self._probe.signs is not None:
            self._probe.signs.close()
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
                await self._keep_apart()
                while not self._changed():
                    await self._pause()
        except TimeoutError:
            return False
        self._answered = asyncio.get_running_loop().time()
        return True

    async def _keep_apart(self) -> None:
        since = asyncio.get_running_loop().time() - self._answered
        if since < APART:
            await asyncio.sleep(APART - since)

    async def _pause(self) -> None:
        """Wait for a nudge, a notice, a sign or the next look, whatever comes first."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.pause()) as limit:
                signs = self._probe.signs.fileno() if self._probe.signs is not None else None
                with (
                    _on_readable(self._probe.fileno(), self._nudge.set),
                    _on_readable(signs, lambda: _end(limit)),
                ):
                    await self._nudge.wait()

    def _changed(self) -> bool:
        nudged = self._nudge.is_set()
        self._nudge.clear()
        now = self._probe.look()
        moved = now != self._seen
        self._seen = now
        self._note(moved=moved)
        return nudged or moved

    def _note(self, *, moved: bool) -> None:
        """Tell the pace what was seen; after the look, so that the signs of a change are there."""
        signs = self._probe.signs
        if signs is not None and signs.read():
            self._pace.sign()
        if moved:
            self._pace.change()
        if signs is not None and signs.lost:
            self._pace.lost()


@contextmanager
def _on_readable(descriptor: int | None, call: Callable[[], None]) -> Iterator[None]:
    """Call once when a descriptor becomes readable while the block runs."""
    if descriptor is None:
        yield
        return
    loop = asyncio.get_running_loop()

    def once() -> None:
        loop.remove_reader(descriptor)
        call()

    loop.add_reader(descriptor, once)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)


def _end(limit: asyncio.Timeout) -> None:
    if not limit.expired():
        limit.reschedule(asyncio.get_running_loop().time())
