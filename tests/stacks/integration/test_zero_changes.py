"""A second `up` finds nothing to do, whatever the spec and whatever was switched meanwhile.

Thirty generated specs each go through create, update, replace, start and stop; after each, an `up`
and one that reads the engine first must tell no event but ``same`` and leave the container and its
start time alone. A stack is never removed and made again on the way.
"""

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stacks.engine import EngineEvent, Kind
from stacks.programs.inputs import WorkspaceInputs
from tests.stacks.integration.kills import mark
from tests.stacks.room import Room

pytestmark = pytest.mark.engine

SPECS = 30
GROUPS = 6
QUICK = 2
"""Groups that are tried in every run: each keeps both cores busy for half a minute."""

TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=20
)
NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,15}", fullmatch=True).filter(
    lambda key: not key.startswith("CODEHUB")
)
MIB = 1 << 20

# What a file can say, as it reaches the program.
SHAPES = st.fixed_dictionaries({
    "cpu": st.one_of(st.integers(1, 2).map(float), st.decimals("0.1", "2", places=2).map(float)),
    "memory": st.one_of(st.integers(65, 256).map(lambda n: n * MIB), st.integers(65 * MIB, 256 * MIB)),
    "pids": st.integers(16, 4096),
    "env": st.dictionaries(NAMES, TEXT, max_size=4),
    "owner": st.sampled_from(["alice", "bob", "team-x"]),
})  # fmt: skip


def generated(seed: int, number: int) -> list[dict[str, Any]]:
    """Draw shapes outside of a test function, the same ones for the same seed."""
    drawn: list[dict[str, Any]] = []

    @settings(
        max_examples=number * 4, derandomize=True, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(SHAPES)
    def draw(shape: dict[str, Any]) -> None:
        drawn.append(shape)

    draw()
    return random.Random(seed).sample(drawn, number)


SHAPES_USED = generated(7, SPECS)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "group",
    [
        *range(QUICK),
        *(pytest.param(group, marks=pytest.mark.long) for group in range(QUICK, GROUPS)),
    ],
)
async def test_nothing_changes_by_itself(room: Room, group: int) -> None:
    both_cores = asyncio.Semaphore(2)

    async def live(number: int) -> None:
        async with both_cores:
            await _live(room, room.inputs(f"zero-{number}"), SHAPES_USED[number])

    async with asyncio.TaskGroup() as tasks:
        for number in range(group, SPECS, GROUPS):
            tasks.create_task(live(number))


async def _live(room: Room, inputs: WorkspaceInputs, shape: dict[str, Any]) -> None:
    """Create, update, replace, start and stop, each followed by a look."""
    await _apply(room, inputs, {"home": "create", "container": "create"})
    assert await mark(room, inputs)
    await _quiet(room, inputs)
    inputs = replace(inputs, memory=shape["memory"])
    await _apply(room, inputs, {"container": "update"})
    await _quiet(room, inputs)
    inputs = replace(inputs, **shape, spec_hash="two")
    await _apply(room, inputs, {"container": "replace"})
    await _quiet(room, inputs)
    container = room.docker.containers.container(inputs.container)
    await container.start()
    await _quiet(room, inputs)
    await container.stop(t=1)
    await _quiet(room, inputs)
    assert not await mark(room, inputs), "the home was made anew"


async def _apply(room: Room, inputs: WorkspaceInputs, expected: dict[str, str]) -> None:
    changed = (await room.up(inputs)).check().changed
    assert {item.name: item.op for item in changed} == expected


async def _quiet(room: Room, inputs: WorkspaceInputs) -> None:
    """Check that neither `up` nor reading the engine finds anything to do."""
    before = await _facts(room, inputs)
    events: list[EngineEvent] = []
    for refresh in (False, True):
        outcome = (await room.up(inputs, events.append, refresh=refresh)).check()
        assert outcome.changed == ()
    assert {event.op for event in events} <= {"", "same", "refresh"}
    assert await _facts(room, inputs) == before


async def _facts(room: Room, inputs: WorkspaceInputs) -> tuple[str, str, str]:
    container = await room.inspect(inputs)
    state = container["State"]
    return container["Id"], state["StartedAt"], state["Status"]


async def test_a_memory_change_keeps_the_container_and_its_limit_of_processes(room: Room) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()
    before = await room.inspect(inputs)

    changed = replace(inputs, memory=128 * MIB)
    outcome = (await room.up(changed)).check()

    after = await room.inspect(inputs)
    assert [(item.name, item.op) for item in outcome.changed] == [("container", "update")]
    assert after["Id"] == before["Id"]
    assert after["HostConfig"]["Memory"] == 128 * MIB
    assert after["HostConfig"]["PidsLimit"] == inputs.pids
    await _quiet(room, changed)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"image": "codehub/light@other"}, "image"),
        ({"cpu": 1.0}, "cpus"),
        ({"pids": 65}, "labels"),
        ({"env": {"NEW": "value"}}, "envs"),
        ({"owner": "bob"}, "labels"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
async def test_each_input_shows_in_the_preview(
    room: Room, change: dict[str, Any], path: str
) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()

    outcome = (await room.run_kind(Kind.PREVIEW, replace(inputs, **change))).check()

    (changed,) = outcome.changed
    assert (changed.name, changed.op) == ("container", "replace")
    assert path in changed.replace_keys
    assert any(item.startswith(path) for item in changed.properties)
