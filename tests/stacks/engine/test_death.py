"""An operation whose runner is killed: nothing of it goes on, and the next runner picks it up."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.engine.processes import session_members
from tests.stacks.integration.kills import find_cli
from tests.stacks.room import Room
from tests.waiting import until

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[3]

RUNNER = """
import asyncio, json, sys
from pathlib import Path
from stacks.engine import Engine, EngineConfig, Kind, Operation
from stacks.power_docker import DockerPower

async def main(given):
    config = EngineConfig(**{k: Path(v) for k, v in given["paths"].items()})
    power = DockerPower(name_prefix=given["prefix"], run=Path(given["run"]))
    async with power, Engine(config, leftovers=power) as engine:
        operation = Operation(kind=Kind.UP, stack=given["stack"], inputs=given["inputs"])
        await engine.run(operation, on_event=lambda event: print(event.kind, flush=True))

asyncio.run(main(json.loads(sys.argv[1])))
"""


async def test_everything_of_an_operation_dies_with_its_runner(room: Room) -> None:
    inputs = room.inputs()
    names = ("pulumi", "pulumi_home", "state", "work")
    given = {
        "paths": {name: str(getattr(room.config, name)) for name in names},
        "prefix": room.prefix,
        "run": str(room.run),
        "stack": inputs.id,
        "inputs": inputs.to_json(),
    }
    runner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUNNER, json.dumps(given), stdout=subprocess.PIPE, cwd=ROOT
    )
    assert runner.stdout is not None
    assert await runner.stdout.readline() == b"prelude\n"
    session = os.getsid(find_cli(inputs.id, room.config.work))

    runner.kill()
    await runner.wait()

    await until(lambda: _ended(session))
    assert (await room.up(inputs)).check().ok
    assert (await room.up(inputs)).check().changed == ()


async def _ended(session: int) -> bool:
    return not session_members(session)


async def test_the_runner_itself_loads_no_pulumi() -> None:
    """The SDK keeps state for a whole process; it is only ever in the fork server and below."""
    code = (
        "import sys, stacks.engine.engine; print(sorted(m for m in sys.modules if 'pulumi' in m))"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout.strip() == b"[]"
