"""Decides which workspaces are looked at for drift, and has the queue look.

Looked at is: what an event of the engine names, at once; whose container is another one in the
newest list than at the last look; and each one hourly, a few at a time. A look reads one container
and compares; only where that finds work is it put into the queue.

What happens while the queue is at a workspace is looked at when that has ended: our own work makes
events too, and with what it left as it should be, a look is all that they cost.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from stacks.engine_events import Gap, Happened
from stacks.errors import StacksError
from telemetry.logs import get_logger

EVERY = 3600.0
"""Seconds after which each workspace is looked at, whatever is heard of it."""

AT_ONCE = 10
"""Most that are looked at in one round because of their time: a thousand are spread by that."""

SETTLE = 0.2
"""Seconds for which events are gathered: removing a container alone makes four."""

CAUSE = "the engine is not as it was left"

_log = get_logger(__name__)


class Looks(Protocol):
    """What is asked of the queue."""

    @property
    def listed(self) -> Mapping[str, str]:
        """The containers that were seen last: the engine's ids, by workspace."""

    def is_busy(self, workspace_id: str) -> bool:
        """Whether it is being worked on."""

    async def glance(self, workspace_id: str, cause: str) -> bool:
        """Look at one workspace, and see to it where that is needed; whether it was."""


class Stream(Protocol):
    """What gives events: `stacks.engine_events.EngineEvents`."""

    def follow(self) -> AsyncGenerator[Happened | Gap]:
        """Give what happens, for ever."""


@dataclass
class Memory:
    """What was looked at when; which is due is decided here. Pure but for its own values.

    Attributes:
        seen: Container and time at the last look, by workspace.
        named: Workspaces that events named since.
    """

    seen: dict[str, tuple[str, float]] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)

    def due(self, listed: Mapping[str, str], now: float) -> list[str]:
        """Give whom to look at: those that are named or replaced, and the oldest few besides."""
        for gone in self.seen.keys() - listed.keys():
            del self.seen[gone]
        news = {id_ for id_, (found, _) in self.seen.items() if listed[id_] != found}
        first = sorted(self.named | news)
        rest = [id_ for id_ in listed if id_ not in news and id_ not in self.named]
        late = [(self._last(id_), id_) for id_ in rest if now - self._last(id_) >= EVERY]
        return [*first, *(id_ for _, id_ in sorted(late)[:AT_ONCE])]

    def looked(self, workspace_id: str, container: str, now: float) -> None:
        """Note that it was looked at."""
        if container:
            self.seen[workspace_id] = (container, now)

    def forget_times(self) -> None:
        """Have all be looked at again, as before a first look."""
        self.seen = {id_: (found, float("-inf")) for id_, (found, _) in self.seen.items()}

    def _last(self, workspace_id: str) -> float:
        return self.seen.get(workspace_id, ("", float("-inf")))[1]


class DriftWatch:
    """Watches for drift, as long as its runner leads."""

    def __init__(
        self,
        queue: Looks,
        *,
        events: Stream,
        every: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare.

        Args:
            queue: Looks, and works.
            events: Tells what happens.
            every: Seconds between two rounds where no event comes.
            clock: Seconds that only grow.
        """
        self._queue = queue
        self._events = events
        self._every = every
        self._clock = clock
        self._memory = Memory()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            while True:
                await self.round()
                await self._pause()

    async def round(self) -> None:
        """Look at all that are due and that nobody is at."""
        for id_ in self._memory.due(self._queue.listed, self._clock()):
            if self._queue.is_busy(id_):
                continue  # still named, or still due, in the next round
            # Before: what happens during the look is for the next one.
            self._memory.named.discard(id_)
            now = self._clock()
            try:
                await self._queue.glance(id_, CAUSE)
                self._memory.looked(id_, self._queue.listed.get(id_, ""), now)
            except StacksError as error:
                # The list of the next pass says what the matter is.
                _log.debug("not looked at", workspace=id_, problem=error.message)
                self._memory.named.add(id_)
            except Exception:  # noqa: BLE001 - one workspace's bug must not end the watch
                _log.exception("bug", workspace=id_)

    async def _pause(self) -> None:
        """Wait for an event, gathering those that come with it, or for the time to pass."""
        waits = SETTLE if self._is_waiting() else self._every
        try:
            async with asyncio.timeout(waits):
                await self._news.wait()
            await asyncio.sleep(SETTLE)
        except TimeoutError:
            pass
        self._news.clear()

    def _is_waiting(self) -> bool:
        """Whether one that is named is being worked on, so that its turn comes soon."""
        return any(self._queue.is_busy(id_) for id_ in self._memory.named)

    async def _listen(self) -> None:
        async with aclosing(self._events.follow()) as stream:
            async for found in stream:
                self._hear(found)

    def _hear(self, found: Happened | Gap) -> None:
        if isinstance(found, Gap):
            self._memory.forget_times()
        elif named := found.workspace or self._named_by(found.container):
            self._memory.named.add(named)
            self._news.set()

    def _named_by(self, container: str) -> str:
        listed = self._queue.listed.items()
        return next((id_ for id_, found in listed if found == container), "")
