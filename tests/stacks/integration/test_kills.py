"""SIGKILL at every event of an `up`: running again gives what an undisturbed run gives.

The events of an undisturbed run are recorded first; then the operation is killed at each of them
(the whole group, the CLI alone, the plugin alone) and run again. A kill that found nothing to
kill fails. Each is logged with the event that it hit, in ``.pytest_cache/kills.jsonl``.
"""

import asyncio
import contextlib
import json
import os
import random
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from aiodocker.volumes import DockerVolume

from stacks.engine import Kind
from stacks.programs.inputs import WorkspaceInputs
from tests.stacks.integration.kills import (
    End,
    Hit,
    Scenario,
    Target,
    differences,
    find_cli,
    look,
    mark,
    play,
)
from tests.stacks.room import Room

pytestmark = [pytest.mark.engine]

KILLED = "kill-0"
"""Id of the workspace: the same in every run, so that what comes of it can be compared."""

SAMPLE = 3
ATTEMPTS = 5
LOG = Path(os.environ.get("CODEHUB_TEST_KILL_LOG") or ".pytest_cache/kills.jsonl")
SEED = int(os.environ.get("CODEHUB_TEST_SEED", "20"))


async def _nothing(room: Room, inputs: WorkspaceInputs) -> None:
    """Start from nothing."""


async def _made(room: Room, inputs: WorkspaceInputs) -> None:
    """Start from a workspace with work in its home."""
    (await room.up(inputs)).check()
    await mark(room, inputs)


async def _running(room: Room, inputs: WorkspaceInputs) -> None:
    """Start from a workspace that runs."""
    await _made(room, inputs)
    await room.docker.containers.container(inputs.container).start()


SCENARIOS = (
    Scenario(name="create", kind=Kind.UP, prepare=_nothing, change={}),
    Scenario(name="update", kind=Kind.UP, prepare=_made, change={"memory": 96 << 20}),
    Scenario(name="replace", kind=Kind.UP, prepare=_running, change={"spec_hash": "two"}),
    Scenario(name="destroy", kind=Kind.DESTROY, prepare=_made, change={}),
)


async def _kill_at(room: Room, scenario: Scenario, *, sample: int = 0) -> None:
    watch, undisturbed, _ = await play(room, scenario, id_=KILLED)
    await _forget(room, KILLED)
    again, _, _ = await play(room, scenario, id_=KILLED)
    await _forget(room, KILLED)
    assert again.labels == watch.labels
    # At the last events a process may or may not have ended by itself.
    alive = [one & two for one, two in zip(watch.alive, again.alive, strict=True)]
    every = [(target, at) for at, targets in enumerate(alive) for target in sorted(targets)]
    assert {target for target, _ in every} == set(Target)
    chosen = random.Random(SEED).sample(every, sample) if sample else every
    _log({"scenario": scenario.name, "events": watch.labels, "points": len(every), "seed": SEED})
    for target, at in chosen:
        hit, end = await _hit(room, scenario, target, at)
        assert hit is not None, f"{target} at {at} ({watch.labels[at]}) hit nothing"
        assert hit.label == watch.labels[at]
        found = differences(asdict(end), asdict(undisturbed)) if end else ["nothing is there"]
        assert not found, f"after {hit}: {found}"


async def _hit(
    room: Room, scenario: Scenario, target: Target, at: int
) -> tuple[Hit | None, End | None]:
    """Kill at one event; at the last ones a process may end by itself first: try those again."""
    for _ in range(ATTEMPTS):
        seen, end, outcome = await play(room, scenario, id_=KILLED, target=target, at=at)
        await _forget(room, KILLED)
        if seen.hit is not None:
            _log({**asdict(seen.hit), "recovered": outcome.recovered})
            return seen.hit, end
    return None, None


def _log(entry: dict[str, Any]) -> None:
    """Keep each kill with the event that it hit."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("a") as stream:
        stream.write(json.dumps(entry) + "\n")


async def _forget(room: Room, id_: str) -> None:
    """Remove the workspace with its home, so that the next kill starts like the first."""
    inputs = room.inputs(id_)
    if await room.power.container(id_):
        await room.power.remove_container(inputs.container)
    await room.engine.forget(id_)
    await DockerVolume(room.docker, inputs.volume).delete()  # type: ignore[no-untyped-call]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda item: item.name)
async def test_a_sample_of_kills_heals(room: Room, scenario: Scenario) -> None:
    await _kill_at(room, scenario, sample=SAMPLE)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda item: item.name)
async def test_every_kill_heals(room: Room, scenario: Scenario) -> None:
    await _kill_at(room, scenario)


async def test_only_the_rooms_own_cli_is_found_and_killed(tmp_path: Path) -> None:
    """Two suites on one machine use the same stack names: one killed the other's operations."""
    rooms = [tmp_path / "ours", tmp_path / "theirs"]
    script = "import sys; print(flush=True); sys.stdin.read()"
    async with contextlib.AsyncExitStack() as exits:
        pids = []
        for room in rooms:
            room.mkdir()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", script, f"organization/codehub/{KILLED}", cwd=room,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            exits.push_async_callback(process.communicate, b"")
            assert process.stdout is not None
            await process.stdout.readline()
            pids.append(process.pid)
        assert [find_cli(KILLED, room) for room in rooms] == pids
        assert find_cli(KILLED, tmp_path) == 0


async def test_the_comparison_sees_differences(room: Room) -> None:
    """Two workspaces that differ in their limit differ in the end: the loop can fail."""
    one, two = room.inputs("one"), room.inputs("two", memory=128 << 20)
    for inputs in (one, two):
        (await room.up(inputs)).check()
        await mark(room, inputs)
    assert await look(room, one) != await look(room, two)
