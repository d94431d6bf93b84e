"""An operation whose runner is killed: nothing of it goes on, and the next runner picks it up."""

import asyncio
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.engine.checkpoint import read
from stacks.engine.processes import read_process, session_members
from stacks.programs.inputs import WorkspaceInputs
from tests.stacks.integration.kills import find_cli
from tests.stacks.room import Room
from tests.waiting import until

pytestmark = pytest.mark.engine

WAITING = "tests.stacks.programs.bad:WAITING"
ROOT = Path(__file__).resolve().parents[3]

RUNNER = """
import asyncio, json, os, signal, sys, time
from pathlib import Path
from stacks.engine import Engine, EngineConfig, Kind, Operation
from stacks.fence import Fence
from stacks.power_docker import DockerPower

async def main(given):
    config = EngineConfig(**{k: Path(v) for k, v in given["paths"].items()})
    power = DockerPower(name_prefix=given["prefix"], run=Path(given["run"]))
    fence = Fence()
    async with power, Engine(config, leftovers=power, fence=fence) as engine:
        fence.extend(time.monotonic() + given["lease"])
        operation = Operation(kind=Kind.UP, **given["operation"])
        await engine.run(operation, on_event=lambda _: os.kill(os.getpid(), signal.SIGSTOP))

asyncio.run(main(json.loads(sys.argv[1])))
"""


async def test_everything_of_an_operation_dies_with_its_runner(room: Room) -> None:
    """Also when the runner dies with words of the worker unread: its end then closes by a reset."""
    inputs = room.inputs()
    # It would wait for ever between home and container: nothing but the kill can end it.
    runner = await _stopped_at_its_first_event(room, inputs, program=WAITING)
    session = os.getsid(find_cli(inputs.id, room.config.work))
    await until(lambda: _is_recorded(room, inputs), "the home to be made and told")

    runner.kill()
    await runner.wait()

    await until(lambda: not session_members(session), "everything of the operation to end")
    assert await room.power.named("container", inputs.container) is None
    assert (await room.up(inputs)).check().ok
    assert (await room.up(inputs)).check().changed == ()


LEASE = 5.0
"""Seconds that the runner's right to act lasts: enough for an operation to begin."""


async def test_an_operation_ends_itself_when_its_runner_stands_still(room: Room) -> None:
    inputs = room.inputs()
    runner = await _stopped_at_its_first_event(room, inputs, program=WAITING, lease=LEASE)
    session = os.getsid(find_cli(inputs.id, room.config.work))
    await until(lambda: _is_recorded(room, inputs), "the home to be made and told")

    await until(lambda: not session_members(session), "everything of the operation to end")

    assert _is_stopped(runner.pid)
    assert await room.power.named("container", inputs.container) is None
    runner.kill()
    await runner.wait()
    assert (await room.up(inputs)).check().ok


async def _stopped_at_its_first_event(
    room: Room, inputs: WorkspaceInputs, *, program: str, lease: float = math.inf
) -> asyncio.subprocess.Process:
    """Begin an operation in a runner of its own, which reads no more than one event of it."""
    names = ("pulumi", "pulumi_home", "state", "work")
    given = {
        "paths": {name: str(getattr(room.config, name)) for name in names},
        "prefix": room.prefix,
        "run": str(room.run),
        "lease": lease,
        "operation": {"stack": inputs.id, "inputs": inputs.to_json(), "program": program},
    }
    runner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUNNER, json.dumps(given), cwd=ROOT
    )
    await until(lambda: _is_stopped(runner.pid), "the first event")
    return runner


def _is_stopped(pid: int) -> bool:
    found = read_process(pid)
    assert found is not None
    return found.state == "T"


def _is_recorded(room: Room, inputs: WorkspaceInputs) -> bool:
    """Whether Pulumi's state has the home, so that the worker was told of it."""
    state, _ = read(room.files(inputs))
    return state is not None and inputs.volume in {item.get("id") for item in state.resources}


async def test_the_runner_itself_loads_no_pulumi() -> None:
    """The SDK keeps state for a whole process; it is only ever in the fork server and below."""
    code = "import sys, stacks.engine.engine; print(sorted(m for m in sys.modules if m.startswith('pulumi')))"
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout.strip() == b"[]"
