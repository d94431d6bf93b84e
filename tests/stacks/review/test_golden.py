"""The golden table says what the real `pulumi preview` says, property by property."""

import json
from dataclasses import replace

import pytest

from stacks.engine import Kind, Operation, ResourceChange
from stacks.programs import resources
from stacks.programs.inputs import CONTAINER_TYPE, HomeInputs, WorkspaceInputs
from stacks.review import golden
from stacks.review.golden import GOLDEN, Effect
from tests.stacks.review.programs import LABEL, OTHER
from tests.stacks.room import Room


def _inputs() -> WorkspaceInputs:
    return WorkspaceInputs(
        id="aa", owner="alice", name_prefix="p-", image="i", cpu=1, memory=1 << 30, pids=64,
        spec_hash="h", home=HomeInputs(number=1, owner="alice"), run_folder="/run/aa", network="n",
    )  # fmt: skip


def test_the_table_knows_each_property_that_a_program_renders() -> None:
    for found in resources.workspace(_inputs()):
        assert GOLDEN[found.type].keys() == found.properties.keys()
    assert OTHER.keys() == GOLDEN[CONTAINER_TYPE].keys()


def test_what_the_table_does_not_know_is_not_promised() -> None:
    assert golden.effect("docker:index/network:Network", "name") is Effect.UNSUPPORTED
    assert golden.effect(CONTAINER_TYPE, "privileged") is Effect.UNSUPPORTED
    assert golden.strongest([Effect.UPDATE, Effect.UNSUPPORTED, Effect.REPLACE]) is (
        Effect.UNSUPPORTED
    )
    assert golden.strongest([]) is Effect.NONE


async def previewed(room: Room, inputs: WorkspaceInputs, changed: list[str]) -> ResourceChange:
    """Preview a container of which these properties have other values."""
    file = room.run / "changed.json"
    file.write_text(json.dumps(changed))
    data = {**inputs.to_json(), "labels": {LABEL: str(file)}}
    kind = Kind.PREVIEW if changed else Kind.UP
    outcome = await room.engine.run(
        Operation(
            kind=kind,
            stack=inputs.id,
            inputs=data,
            policies=False,
            program="tests.stacks.review.programs:CHANGED",
        )
    )
    return next(found for found in outcome.check().changes if found.name == resources.CONTAINER)


@pytest.mark.engine
async def test_the_table_says_what_a_real_preview_says(room: Room) -> None:
    """Alone proves the golden table: reviews of pull requests never ask Pulumi."""
    inputs = await _made(room)
    table = GOLDEN[CONTAINER_TYPE]
    all_ = await previewed(room, inputs, sorted(table))
    assert all_.op == "replace"
    assert {name.partition("[")[0].partition(".")[0] for name in all_.properties} == table.keys()
    real = dict.fromkeys(table, Effect.UPDATE) | {
        name: Effect.REPLACE
        for path, kind in all_.properties.items()
        if (name := path.partition("[")[0].partition(".")[0]) and kind.endswith("-replace")
    }
    real |= dict.fromkeys(all_.replace_keys, Effect.REPLACE)
    assert real == table
    in_place = sorted(name for name, effect in table.items() if effect is Effect.UPDATE)
    assert (await previewed(room, inputs, in_place)).op == "update"


@pytest.mark.engine
@pytest.mark.long
@pytest.mark.parametrize("name", sorted(OTHER))
async def test_each_property_alone_does_what_the_table_says(room: Room, name: str) -> None:
    """Alone proves that no effect comes from another property that changed beside it."""
    found = await previewed(room, await _made(room), [name])
    assert found.op == GOLDEN[CONTAINER_TYPE][name].value


async def _made(room: Room) -> WorkspaceInputs:
    inputs = room.inputs()
    await previewed(room, inputs, [])
    return inputs


@pytest.mark.engine
@pytest.mark.long
async def test_a_homes_labels_do_nothing(room: Room) -> None:
    """Alone proves the table's rows for volumes that say `none`."""
    inputs = room.inputs()
    (await room.up(inputs)).check()
    other = replace(inputs, home=replace(inputs.home, owner="bob"))
    outcome = (await room.run_kind(Kind.PREVIEW, other)).check()
    ops = {found.name: found.op for found in outcome.changes}
    assert ops[resources.HOME] == "same"
