"""A program's last part: begun while the CLI still is there, and told where all else ended well only."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from stacks.engine import EngineEvent
from stacks.errors import OperationFailedError, OperationKilledError
from stacks.programs.inputs import WorkspaceInputs
from tests.stacks.integration.kills import find_cli
from tests.stacks.programs.settling import mark
from tests.stacks.room import Room
from tests.waiting import PATIENCE

pytestmark = pytest.mark.engine

PROGRAMS = "tests.stacks.programs.settling"


def when_done(room: Room, inputs: WorkspaceInputs, then: int) -> Callable[[EngineEvent], None]:
    """Have the CLI stand still at its summary until the last part has begun, then get a signal."""

    def see(event: EngineEvent) -> None:
        if event.kind != "summary":
            return
        cli = find_cli(inputs.id, room.config.work)
        os.kill(cli, signal.SIGSTOP)
        deadline = time.monotonic() + PATIENCE
        while not mark(inputs.to_json()).exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(cli, then)

    return see


async def test_it_begins_before_the_cli_is_gone(room: Room) -> None:
    inputs = room.inputs()
    seen: list[bool] = []
    go_on = when_done(room, inputs, signal.SIGCONT)

    def see(event: EngineEvent) -> None:
        go_on(event)
        if event.kind == "summary":
            seen.append(mark(inputs.to_json()).exists())

    (await room.up(inputs, see, program=f"{PROGRAMS}:TELLING")).check()
    assert seen == [True]


async def test_its_failure_is_told(room: Room) -> None:
    outcome = await room.up(room.inputs(), program=f"{PROGRAMS}:FAILING")
    assert isinstance(outcome.error, OperationFailedError)
    assert outcome.error.message == "the last part failed"


@pytest.mark.parametrize("program", ["FAILING", "HANGING"])
async def test_of_an_operation_that_failed_it_is_not_told(room: Room, program: str) -> None:
    inputs = room.inputs()
    see = when_done(room, inputs, signal.SIGKILL)
    outcome = await room.up(inputs, see, program=f"{PROGRAMS}:{program}", timeout=PATIENCE)
    assert mark(inputs.to_json()).exists()
    assert isinstance(outcome.error, OperationKilledError)
    assert outcome.error.message == "the Pulumi CLI was ended by SIGKILL"


async def test_where_a_step_failed_it_is_not_begun(room: Room) -> None:
    inputs = room.inputs()
    await room.docker.containers.create({"Image": room.image}, name=inputs.container)
    assert not (await room.up(inputs, program=f"{PROGRAMS}:TELLING")).ok
    assert not mark(inputs.to_json()).exists()
