"""Stand-ins at our own seams: a clock that is moved by hand, a sink that does as it is told, rows."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from stacks.fence import Fence
from stacks.notices.memory import Memory
from stacks.notices.model import Message
from stacks.notices.outbox import Outbox, Pace
from state_index.models import Published
from tests.stacks.notices.scenes import START
from tests.waiting import until


class HandClock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.time = START
        self.slept: list[float] = []
        self._sleepers: list[tuple[datetime, asyncio.Event]] = []

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self.slept.append(seconds)
        self._sleepers.append((self.time + timedelta(seconds=seconds), woken))
        await woken.wait()

    @property
    def sleeping(self) -> int:
        """How many sleep."""
        return len(self._sleepers)

    async def asleep(self, number: int = 1) -> None:
        """Wait until so many sleep."""
        await until(lambda: self.sleeping >= number, f"{number} asleep")

    async def pass_(self, seconds: float, *, sleepers: int = 1) -> None:
        """Wait until so many sleep, then let the time pass."""
        await self.asleep(sleepers)
        self.time += timedelta(seconds=seconds)
        due = [one for one in self._sleepers if one[0] <= self.time]
        self._sleepers = [one for one in self._sleepers if one[0] > self.time]
        for _, woken in due:
            woken.set()


@dataclass
class HandSink:
    """Takes messages, or does what the test wants first."""

    name: str = "hand"
    tried: list[Message] = field(default_factory=list)
    taken: list[Message] = field(default_factory=list)
    does: Callable[[], None] = lambda: None

    def send(self, message: Message) -> None:
        self.tried.append(message)
        self.does()
        self.taken.append(message)

    def fails(self, *errors: Exception) -> None:
        """Raise these, one at each attempt; after the last it works."""
        left = list(errors)

        def act() -> None:
            if left:
                raise left.pop(0)

        self.does = act

    async def took(self, number: int = 1) -> Message:
        await until(lambda: len(self.taken) >= number, f"{number} taken")
        return self.taken[number - 1]


class Stuck:
    """What blocks until it is let go."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.let_go = threading.Event()

    def __call__(self) -> None:
        self.began.set()
        assert self.let_go.wait(60)


@dataclass
class HandRows:
    """What is published."""

    now: list[Published] = field(default_factory=list)
    reads: int = 0
    number: int = 0
    fails: list[Exception] = field(default_factory=list)

    def publish(self, *rows: Published) -> None:
        self.now, self.number = list(rows), self.number + 1

    async def generation(self) -> int:
        if self.fails:
            raise self.fails.pop(0)
        return self.number

    async def rows(self) -> dict[str, Published]:
        self.reads += 1
        return {row.id: row for row in self.now}


class Room:
    """One data tree: outboxes that are opened again and again, as by one runner after another."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = HandClock()
        self.fence = Fence.always()
        self.sink = HandSink()

    def outbox(self, sink: HandSink | None = None) -> Outbox:
        sink = sink or self.sink
        pace = Pace(
            after=timedelta(seconds=120),
            check=self.fence.check,
            clock=self.clock,
            chance=lambda: 0.0,
        )
        return Outbox(sink, Memory(self.root / "notices" / f"{sink.name}.json"), pace)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Outbox]:
        outbox = self.outbox()
        await outbox.open()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(outbox.run())
            try:
                yield outbox
            finally:
                task.cancel()
