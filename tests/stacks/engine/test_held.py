"""A CLI that is started before its operation is known: used once, never missed, gone with its runner."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import pytest

from stacks.engine import Engine, EngineConfig, EngineEvent, Kind, Operation, Outcome, held
from stacks.engine.processes import Process, read_process, session_members
from stacks.errors import OperationKilledError
from stacks.programs.inputs import WorkspaceInputs
from tests.stacks.integration.kills import find_cli, find_plugin, find_waiting
from tests.stacks.room import Room
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[3]

RUNNER = """
import asyncio, json, sys
from pathlib import Path
from stacks.engine import Engine, EngineConfig
from stacks.power_docker import DockerPower

async def main(given):
    config = EngineConfig(**{k: Path(v) for k, v in given["paths"].items()}, ahead=True)
    power = DockerPower(name_prefix=given["prefix"], run=Path(given["run"]))
    async with power, Engine(config, leftovers=power):
        await asyncio.Event().wait()

asyncio.run(main(json.loads(sys.argv[1])))
"""

OFFICIAL = """#!/bin/sh
[ -z "$CODEHUB_HOLD" ] && exec {pulumi} "$@"
echo >> {starts}
"""
"""A CLI that knows nothing of waiting: without arguments it prints its help and ends."""


@asynccontextmanager
async def engine_ahead(room: Room, config: EngineConfig | None = None) -> AsyncIterator[Engine]:
    config = replace(config or room.config, ahead=True)
    async with Engine(config, leftovers=room.power) as engine:
        yield engine


async def until_held(room: Room) -> int:
    await until(lambda: find_waiting(room.config.work), "a CLI ahead")
    return find_waiting(room.config.work)


async def up(engine: Engine, room: Room, inputs: WorkspaceInputs, used: list[int]) -> Outcome:
    """Run an operation; gives also the id of the CLI that did it."""

    def see(_event: EngineEvent) -> None:
        if not used:
            used.append(find_cli(inputs.id, room.config.work))

    data = (await room.seen(inputs)).to_json()
    operation = Operation(kind=Kind.UP, stack=inputs.id, inputs=data)
    return (await engine.run(operation, on_event=see)).check()


async def test_operations_use_what_was_started_ahead_and_it_is_made_again(room: Room) -> None:
    inputs = room.inputs()
    async with engine_ahead(room) as engine:
        for _ in range(2):
            waiting, used = await until_held(room), list[int]()
            await up(engine, room, inputs, used)
            assert used == [waiting]
            assert await is_gone(waiting)
        last = await until_held(room)
    await until(lambda: is_gone(last), "the CLI ahead to end with its engine")


async def test_none_is_started_where_that_is_not_asked_for(room: Room) -> None:
    used: list[int] = []
    await up(room.engine, room, room.inputs(), used)
    assert used[0]
    assert not room.engine.workers.ahead


async def test_several_operations_at_once_use_it_once(room: Room) -> None:
    several = [room.inputs() for _ in range(3)]
    async with engine_ahead(room) as engine:
        waiting = await until_held(room)
        used: list[list[int]] = [[], [], []]
        async with asyncio.TaskGroup() as group:
            for inputs, pids in zip(several, used, strict=True):
                group.create_task(up(engine, room, inputs, pids))
        pids = [each[0] for each in used]
        assert waiting in pids
        assert len(set(pids)) == len(pids)


@pytest.mark.parametrize("leader", [False, True], ids=["the CLI", "its worker"])
async def test_an_operation_does_without_one_that_was_killed(room: Room, leader: bool) -> None:
    async with engine_ahead(room) as engine:
        waiting, used = await until_held(room), list[int]()
        os.kill(os.getsid(waiting) if leader else waiting, signal.SIGKILL)
        await until(lambda: is_gone(waiting), "its end")
        await up(engine, room, room.inputs(), used)
        assert used[0] != waiting


@pytest.mark.parametrize("is_plugin", [True, False], ids=["plugin", "policies"])
async def test_what_waits_beside_it_may_be_killed(room: Room, is_plugin: bool) -> None:
    """Without a plugin the CLI starts its own; nothing is done without policies."""
    inputs = room.inputs()
    async with engine_ahead(room) as engine:
        cli = await until_held(room)
        await until(lambda: len(beside(cli)) == len(Beside), "all that waits")
        waiting = beside(cli)[Beside.PLUGIN if is_plugin else Beside.POLICIES]
        os.kill(waiting, signal.SIGKILL)
        await until(lambda: is_gone(waiting), "its end")
        if not is_plugin:
            operation = Operation(kind=Kind.UP, stack=inputs.id, inputs=inputs.to_json())
            outcome = await engine.run(operation)
            assert isinstance(outcome.error, OperationKilledError)
            assert await room.power.container(inputs.id) is None
        await up(engine, room, inputs, [])


class Beside(StrEnum):
    """What waits beside a CLI and its worker."""

    PLUGIN = "plugin"
    POLICIES = "policies"


def beside(cli: int) -> dict[Beside, int]:
    """Give the ids: what is to be the plugin shares the CLI's standard error."""
    leader, words = os.getsid(cli), Path(f"/proc/{cli}/fd/2").readlink()
    others = {item.pid for item in session_members(leader)} - {cli, leader}
    shares = {pid: Path(f"/proc/{pid}/fd/2").readlink() == words for pid in others}
    return {
        Beside.PLUGIN if is_shared else Beside.POLICIES: pid for pid, is_shared in shares.items()
    }


async def test_what_was_made_ahead_and_is_not_wanted_ends(room: Room) -> None:
    inputs = room.inputs()
    async with engine_ahead(room) as engine:
        await until_held(room)
        await up(engine, room, inputs, [])
        leader = os.getsid(await until_held(room))
        seen: list[int] = []

        def see(_event: EngineEvent) -> None:
            seen.append(len(session_members(leader)))

        destroy = Operation(kind=Kind.DESTROY, stack=inputs.id)
        (await engine.run(destroy, on_event=see)).check()
    assert seen
    # The worker, the CLI and, from some event on, the plugin that the CLI started by itself.
    assert max(seen) <= 3


async def test_one_that_is_killed_at_work_is_picked_up(room: Room) -> None:
    inputs = room.inputs()
    async with engine_ahead(room) as engine:
        waiting = await until_held(room)

        def kill(event: EngineEvent) -> None:
            if event.kind == "begin" and event.resource == "container":
                os.kill(waiting, signal.SIGKILL)

        operation = Operation(kind=Kind.UP, stack=inputs.id, inputs=inputs.to_json())
        outcome = await engine.run(operation, on_event=kill)
        assert not outcome.ok
        assert not (room.config.work / f"{inputs.id}.session").exists()
        assert (await up(engine, room, inputs, [])).recovered
    assert (await room.up(inputs)).check().changed == ()


async def test_nothing_of_it_goes_on_when_its_worker_and_the_runner_are_gone(room: Room) -> None:
    """The plugin's port would stay open."""
    inputs = room.inputs()
    async with engine_ahead(room) as engine:
        await until_held(room)
        killed: list[int] = []

        def kill(event: EngineEvent) -> None:
            if event.kind == "begin" and event.resource == "container" and not killed:
                cli = find_cli(inputs.id, room.config.work)
                leader = os.getsid(cli)
                members = [item.pid for item in session_members(leader)]
                assert find_plugin(cli) in members
                os.kill(leader, signal.SIGKILL)
                killed.extend(members)
                # As long as this call lasts nobody else looks for them.
                deadline = time.monotonic() + PATIENCE
                while session_members(leader) and time.monotonic() < deadline:
                    time.sleep(0.01)
                left.extend(session_members(leader))

        left: list[Process] = []
        operation = Operation(kind=Kind.UP, stack=inputs.id, inputs=inputs.to_json())
        assert not (await engine.run(operation, on_event=kill)).ok
        assert killed
        assert left == []


async def test_it_ends_with_a_runner_that_is_killed(room: Room) -> None:
    paths = {
        key: str(getattr(room.config, key)) for key in ("pulumi", "pulumi_home", "state", "work")
    }
    given = {"paths": paths, "prefix": room.prefix, "run": str(room.run)}
    runner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUNNER, json.dumps(given), cwd=ROOT
    )
    waiting = await until_held(room)
    runner.kill()
    await runner.wait()
    await until(lambda: is_gone(waiting), "the CLI ahead to end")


async def test_a_cli_that_cannot_wait_is_asked_once(room: Room, tmp_path: Path) -> None:
    starts, pulumi = tmp_path / "starts", tmp_path / "official"
    pulumi.write_text(OFFICIAL.format(pulumi=room.config.pulumi, starts=starts))
    pulumi.chmod(0o755)
    async with engine_ahead(room, replace(room.config, pulumi=pulumi)) as engine:
        await until(lambda: not engine.workers.ahead, "the CLI to show that it does not wait")
        await up(engine, room, room.inputs(), [])
        assert not engine.workers.ahead
    assert starts.read_text() == "\n"


async def is_gone(pid: int) -> bool:
    found = read_process(pid)
    return found is None or found.state == "Z"


SILENT = """#!/bin/sh
[ -z "$CODEHUB_HOLD" ] && exec {pulumi} "$@"
exec sleep 600
"""


async def test_a_cli_that_says_nothing_is_waited_for_only_so_long(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi = tmp_path / "silent"
    pulumi.write_text(SILENT.format(pulumi=room.config.pulumi))
    pulumi.chmod(0o755)
    monkeypatch.setattr(held, "PATIENCE_SECONDS", 0.2)
    one = held.Held(replace(room.config, pulumi=pulumi), salt="")
    with one.stderr:
        assert not one.wait()
    assert one.process.poll() is not None
    assert not one.release(["version"], {})
    assert not one.add({})
