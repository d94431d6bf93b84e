"""Nothing is begun, broken or ended on the engine without the lease, and what runs ends with it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from stacks.engine import Engine, EngineEvent, Kind, Operation
from stacks.engine.processes import session_members
from stacks.errors import NotLeadingError, OperationKilledError
from stacks.fence import Fence
from stacks.power_docker import DockerPower
from tests.stacks.engine.test_engine import BAD
from tests.stacks.integration.kills import find_cli
from tests.stacks.room import Room

pytestmark = pytest.mark.engine


@asynccontextmanager
async def fenced(room: Room, fence: Fence) -> AsyncIterator[Engine]:
    async with Engine(room.config, leftovers=room.power, fence=fence) as engine:
        yield engine


@dataclass
class Clock:
    """A monotonic clock that jumps over the end of the lease after so many looks."""

    looks: int

    def __call__(self) -> float:
        self.looks -= 1
        return 0.0 if self.looks >= 0 else 1e9


async def up(room: Room, **more: object) -> Operation:
    inputs = room.inputs("alice")
    data = (await room.seen(inputs)).to_json()
    return Operation(kind=Kind.UP, stack="alice", inputs=data, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("looks", [0, 1], ids=["before it begins", "before it breaks the lock"])
async def test_pulumis_lock_is_broken_under_the_lease_only(room: Room, looks: int) -> None:
    operation = await up(room)
    locks = room.files(room.inputs("alice")).locks
    locks.mkdir(parents=True)
    lock = locks / "another.json"
    lock.write_text("{}")
    fence = Fence(clock=Clock(looks))
    fence.extend(1.0)
    async with fenced(room, fence) as engine:
        outcome = await engine.run(operation)
    assert isinstance(outcome.error, NotLeadingError)
    assert lock.exists()
    assert (await room.engine.run(operation)).check().ok
    assert not lock.exists(), "the control: with the lease it is broken"


async def test_none_is_begun_once_the_lease_is_over(room: Room) -> None:
    operation = await up(room)
    fence = Fence(clock=lambda: 0.0)  # this process thinks that it leads; its workers know better
    fence.extend(time.monotonic())
    async with fenced(room, fence) as engine:
        outcome = await engine.run(operation)
    assert isinstance(outcome.error, OperationKilledError)
    assert await room.power.container("alice") is None
    assert await room.power.homes("alice") == ()


async def test_one_that_runs_ends_when_the_lease_is_lost(room: Room) -> None:
    operation = await up(room, program=f"{BAD}:WAITING")
    fence = Fence()
    fence.extend(time.monotonic() + 60)
    sessions: list[int] = []

    def lose(event: EngineEvent) -> None:
        if event.kind == "begin" and not sessions:
            sessions.append(find_cli("alice", room.config.work))
            fence.close()

    async with fenced(room, fence) as engine:
        outcome = await engine.run(operation, on_event=lose)
    assert isinstance(outcome.error, OperationKilledError)
    assert sessions[0]
    assert session_members(sessions[0]) == []


async def test_one_goes_on_as_long_as_the_lease_is_prolonged(room: Room) -> None:
    operation = await up(room)
    fence = Fence()
    fence.extend(time.monotonic() + 60)
    async with fenced(room, fence) as engine:
        events: list[EngineEvent] = []

        def prolong(event: EngineEvent) -> None:
            events.append(event)
            fence.extend(time.monotonic() + 60)

        assert (await engine.run(operation, on_event=prolong)).ok
    assert events


async def test_the_engine_is_not_told_to_act(room: Room) -> None:
    inputs = room.inputs("alice")
    (await room.up(inputs)).check()
    fence = Fence()
    power = DockerPower(name_prefix=room.prefix, run=room.run, fence=fence)
    async with power:
        found = await power.container("alice")
        assert found is not None
        with pytest.raises(NotLeadingError):
            await power.start("alice", spec_hash=inputs.spec_hash, within=30)
        with pytest.raises(NotLeadingError):
            await power.remove_container(found.id)
        fence.extend(time.monotonic() + 60)
        await power.start("alice", spec_hash=inputs.spec_hash, within=30)
        fence.close()
        before = await room.inspect(inputs)
        with pytest.raises(NotLeadingError):
            await power.stop("alice", grace=1)
        assert (await room.inspect(inputs))["State"] == before["State"]
