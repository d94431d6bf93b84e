"""Whom the watch looks at, and when: by events, by the list, by time, never while work is under way."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from stacks.drift_watch import AT_ONCE, EVERY, DriftWatch, Memory
from stacks.engine_events import Gap, Happened
from stacks.errors import EngineUnavailableError
from tests.waiting import until


@dataclass
class Queue:
    """Notes down who is looked at."""

    listed: dict[str, str] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    looks: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def is_busy(self, workspace_id: str) -> bool:
        return workspace_id in self.busy

    async def glance(self, workspace_id: str, cause: str) -> bool:
        assert cause
        self.looks.append(workspace_id)
        if self.failures:
            raise self.failures.pop()
        return False


@dataclass
class Events:
    """Tells what it is given."""

    queue: "asyncio.Queue[Happened | Gap]" = field(default_factory=asyncio.Queue)

    async def follow(self) -> AsyncGenerator[Happened | Gap]:
        while True:
            yield await self.queue.get()


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def watching(queue: Queue, *, every: float = 3600.0) -> AsyncIterator[Events]:
    events = Events()
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(DriftWatch(queue, events=events, every=every).run())
        yield events
        watch.cancel()


def test_each_is_due_at_first_and_hourly_a_few_at_a_time() -> None:
    memory = Memory()
    listed = {f"w{number:04}": "c" for number in range(1000)}
    rounds, now = [], 0.0
    while due := memory.due(listed, now):
        rounds.append(due)
        for id_ in due:
            memory.looked(id_, "c", now)
        now += 10
    assert {len(each) for each in rounds} == {AT_ONCE}
    assert sorted(id_ for each in rounds for id_ in each) == sorted(listed)
    assert memory.due(listed, EVERY - 1) == []
    # The same ones in the same order, so they stay spread.
    assert memory.due(listed, EVERY) == rounds[0]


def test_whose_container_is_another_in_the_list_is_due_at_once() -> None:
    memory = Memory()
    memory.looked("a", "one", 0)
    memory.looked("b", "one", 0)
    assert memory.due({"a": "one", "b": "two"}, 1) == ["b"]
    # What is not listed is forgotten, and looked at when it is back.
    assert memory.due({"b": "one"}, 1) == []
    assert memory.due({"a": "one", "b": "one"}, 1) == ["a"]


def test_all_that_are_named_are_due_whatever_their_number() -> None:
    memory = Memory()
    memory.named |= {f"w{number:02}" for number in range(50)}
    assert len(memory.due({}, 0)) == 50


async def test_an_hour_is_one_by_the_clock_that_is_given() -> None:
    queue, clock = Queue(listed={"a": "c"}), Clock()
    watch = DriftWatch(queue, events=Events(), every=1, clock=clock)
    await watch.round()
    await watch.round()
    assert queue.looks == ["a"]
    clock.now = EVERY
    await watch.round()
    assert queue.looks == ["a", "a"]


async def test_events_name_whom_to_look_at() -> None:
    queue = Queue(listed={"a": "one", "b": "two"})
    async with watching(queue) as events:
        await until(lambda: queue.looks == ["a", "b"])
        queue.looks.clear()
        for found in (
            Happened(container="two", action="disconnect"),
            Happened(container="a stranger's", action="connect"),
            Happened(workspace="new", action="create"),
            Happened(workspace="new", action="start"),
        ):
            events.queue.put_nowait(found)
        await until(lambda: sorted(queue.looks) == ["b", "new"])


async def test_events_of_our_own_work_wait_until_it_has_ended() -> None:
    queue = Queue(listed={"a": "one"}, busy={"a"})
    async with watching(queue) as events:
        events.queue.put_nowait(Happened(workspace="a", action="create"))
        events.queue.put_nowait(Happened(workspace="b", action="create"))
        await until(lambda: queue.looks == ["b"])
        queue.busy.clear()
        await until(lambda: queue.looks == ["b", "a"])


async def test_a_gap_has_all_looked_at_again() -> None:
    queue = Queue(listed={"a": "one"})
    async with watching(queue, every=0.01) as events:
        await until(lambda: queue.looks == ["a"])
        events.queue.put_nowait(Gap())
        await until(lambda: queue.looks == ["a", "a"])


async def test_a_look_that_fails_is_made_again() -> None:
    failures = [ValueError("a bug"), EngineUnavailableError("away")]
    queue = Queue(listed={"a": "one"}, failures=failures)
    async with watching(queue, every=0.01):
        await until(lambda: len(queue.looks) == 3)
    assert queue.failures == []
