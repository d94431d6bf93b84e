"""Two data trees on one engine under one prefix: neither touches what the other made."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from settings.errors import DataFolderError
from settings.tree import TreeIds
from stacks.engine import Engine, Kind, Operation
from stacks.errors import HomeMissingError, OtherTreeError
from stacks.parts import docker_power, engine_config, facts
from stacks.programs.inputs import LABEL_TREE, HomeInputs, SharedInputs, WorkspaceInputs
from stacks.rendering import render
from stacks.shared import SHARED_STACK
from state_index.phases import Phase
from tests.stacks.house import House
from tests.stacks.integration.kills import mark
from tests.stacks.room import Room

pytestmark = [pytest.mark.engine]

OWN = "0123456789abcdef"


def second(house: House) -> House:
    """Another data tree and folder, with the same names on the engine."""
    other = replace(house, root=house.root / "other")
    other.root.mkdir()
    return other


def tree_of(house: House) -> str:
    return house.settings.paths.tree.read_text().split()[0]


async def test_a_prune_of_one_leaves_the_other_alone(house: House) -> None:
    house.write("alice")
    assert [result.phase for result in await house.up()] == [Phase.RUNNING]
    before = await house.started("alice")
    other = second(house)
    other.write("bob")
    assert [(one.id, one.phase) for one in await other.up(prune=True)] == [("bob", Phase.RUNNING)]
    assert await house.started("alice") == before
    assert other.row("alice") is None
    labels = {id_: (await house.inspect(id_))["Config"]["Labels"] for id_ in ("alice", "bob")}
    assert labels["alice"][LABEL_TREE] == tree_of(house)
    assert labels["bob"][LABEL_TREE] == tree_of(other)
    (alice,) = await house.up(prune=True)
    assert (alice.id, alice.action) == ("alice", "nothing")
    assert await house.containers() == {"alice", "bob"}


async def test_what_another_tree_made_is_refused_by_name(house: House) -> None:
    house.write("alice")
    await house.up()
    await house.leave_marker("alice", "mine")
    before = await house.started("alice")
    other = second(house)
    other.write("bob", state="warm")
    async with other.runner() as runner:
        for refused in (runner.start, runner.stop, runner.destroy, runner.logs):
            with pytest.raises(OtherTreeError, match=tree_of(house)):
                await refused("alice")
        other.write("alice", env="{A: b}")
        for _ in range(2):
            (alice,) = [one for one in await runner.up() if one.id == "alice"]
            assert (alice.reason, alice.phase) == (OtherTreeError.reason, Phase.ERROR)
            assert tree_of(house) in alice.message
            assert alice.remedy.startswith("Give this data tree a CODEHUB_NAME_PREFIX of its own")
            assert "Only if the folder of that other data tree is deleted" in alice.remedy
        shown = {change.id: change for change in await runner.preview(["alice"])}
        assert shown["alice"].error is not None
        assert shown["alice"].error["reason"] == OtherTreeError.reason
        assert (await runner.stop("alice")).reason == OtherTreeError.reason
    assert await house.started("alice") == before
    assert await house.marker("alice") == "mine"
    assert (await house.up())[0].action == "nothing"


@pytest.mark.parametrize("left", ["container and home", "home"])
async def test_a_data_tree_that_was_deleted_keeps_its_homes_until_they_are_taken_over(
    house: House, left: str
) -> None:
    house.write("alice")
    await house.up()
    await house.leave_marker("alice", "mine")
    lost = tree_of(house)
    shutil.rmtree(house.settings.paths.root)
    if left == "home":
        await house.remove_container("alice")
    there = await house.containers()
    for _ in range(2):
        (alice,) = await house.up()
        assert (alice.reason, alice.phase) == (OtherTreeError.reason, Phase.ERROR)
        assert f"append the line {lost} to {house.settings.paths.tree}," in alice.remedy
        assert (await house.containers(), await house.volumes()) == (there, {"alice-home-1"})

    with house.settings.paths.tree.open("a") as file:
        file.write(f"{lost}\n")
    (alice,) = await house.up()
    assert (alice.message, alice.phase) == ("", Phase.RUNNING)
    assert await house.marker("alice") == "mine"
    (again,) = await house.up()
    assert again.action == "nothing"


@pytest.mark.parametrize("left", ["container and home", "home"])
async def test_an_id_that_was_lost_is_taken_back(house: House, left: str) -> None:
    house.write("alice")
    await house.up()
    own, before = tree_of(house), await house.started("alice")
    if left == "home":
        house.remove("alice")
        async with house.runner() as runner:
            assert (await runner.destroy("alice")).phase == Phase.TOMBSTONED
        house.write("alice")
    house.settings.paths.tree.unlink()
    (alice,) = await house.up()
    assert (alice.reason, alice.phase, tree_of(house)) == ("", Phase.RUNNING, own)
    same = (alice.action, await house.started("alice")) == ("nothing", before)
    assert same is (left == "container and home")
    assert await house.volumes() == {"alice-home-1"}


async def test_a_lost_id_that_no_state_tells_is_not_made_up(house: House) -> None:
    house.write("alice")
    await house.up()
    own, before = tree_of(house), await house.started("alice")
    row = house.row("alice")
    house.settings.paths.tree.unlink()
    shutil.rmtree(house.settings.paths.state)
    with pytest.raises(DataFolderError, match="Write the id into that file") as caught:
        await house.up()
    assert str(house.settings.paths.tree) in str(caught.value)
    assert not house.settings.paths.tree.exists()
    assert (house.row("alice"), await house.started("alice")) == (row, before)
    house.settings.paths.tree.write_text(f"{own}\n")
    assert [result.reason for result in await house.up()] == [""]
    assert await house.started("alice") == before


async def test_homes_under_another_id_are_another_trees_not_missing(house: House) -> None:
    house.write("alice")
    house.write("bob")
    await house.up()
    own, before = tree_of(house), await house.started("bob")
    await house.remove_container("alice")
    house.settings.paths.tree.write_text(f"{OWN}\n")
    async with house.runner() as runner:
        for change in await runner.preview():
            assert change.error is not None
            assert change.error["reason"] == OtherTreeError.reason
        for _ in range(2):
            for result in await runner.up():
                assert (result.reason, result.phase) == (OtherTreeError.reason, Phase.ERROR)
                assert f"{result.id}-home-1 is that of another data tree, {own}" in result.message
                assert str(house.settings.paths.tree) in result.remedy
    house.settings.paths.tree.write_text(f"{own}\n")
    assert [result.phase for result in await house.up()] == [Phase.RUNNING] * 2
    assert await house.started("bob") == before


async def test_homes_under_another_name_prefix_are_told(house: House) -> None:
    house.write("alice")
    await house.up()
    other = replace(house, prefix=f"{house.prefix}more-")
    for _ in range(2):
        (alice,) = await other.up()
        assert (alice.reason, alice.phase) == (HomeMissingError.reason, Phase.ERROR)
        assert f"the volume {other.prefix}alice-home-1, is not on this engine" in alice.message
        assert f"made {house.prefix}alice-home-1 for it" in alice.message
        assert f"Set CODEHUB_NAME_PREFIX back to {house.prefix} " in alice.remedy
    assert await house.volumes() == {"alice-home-1"}
    assert [result.phase for result in await house.up()] == [Phase.RUNNING]


async def make_as_before_there_were_ids(house: House) -> None:
    """Make a workspace in the house's own state, without the tree's label on anything."""
    settings = house.settings
    settings.paths.make()
    house.write("alice")
    async with house.runner() as runner:
        spec = (await runner.source.read()).specs["alice"]
    found = replace(facts(settings, TreeIds("")), tree="")
    inputs = render(spec, facts=found, home=HomeInputs(number=1, owner="alice"))
    shared = SharedInputs(network=settings.network, name_prefix=settings.name_prefix)
    (settings.paths.run / "alice").mkdir(exist_ok=True)
    async with (
        docker_power(settings) as power,
        Engine(engine_config(settings), leftovers=power) as engine,
    ):
        network = Operation(
            kind=Kind.UP,
            stack=SHARED_STACK,
            program="stacks.programs.docker:SHARED",
            inputs=shared.to_json(),
        )
        (await engine.run(network)).check()
        up = Operation(kind=Kind.UP, stack="alice", inputs=inputs.to_json())
        (await engine.run(up)).check()


async def test_what_was_made_before_there_were_ids_is_of_the_tree_whose_state_knows_it(
    house: House,
) -> None:
    await make_as_before_there_were_ids(house)
    await house.leave_marker("alice", "mine")
    other = second(house)
    other.write("alice")
    (refused,) = await other.up()
    assert refused.reason == OtherTreeError.reason
    assert "append the line none" in refused.remedy

    (alice,) = await house.up()
    assert (alice.action, alice.phase, alice.message) == ("replace", Phase.RUNNING, "")
    assert await house.marker("alice") == "mine"
    assert (await house.inspect("alice"))["Config"]["Labels"][LABEL_TREE] == tree_of(house)
    (again,) = await house.up()
    assert again.action == "nothing"


async def home_of(room: Room, inputs: WorkspaceInputs) -> tuple[int, dict[str, str], bytes]:
    """Give what tells one home from another: its folder, its labels, what is in it."""
    found = await room.volume(inputs)
    inode, written = await asyncio.to_thread(look_into, Path(found["Mountpoint"]))
    return inode, found["Labels"], written


def look_into(folder: Path) -> tuple[int, bytes]:
    return folder.stat().st_ino, (folder / "marker").read_bytes()


async def test_an_id_replaces_no_home_that_has_none(room: Room) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()
    assert await mark(room, inputs)
    before = await home_of(room, inputs)
    named = replace(inputs, tree=OWN)
    changed = (await room.up(named)).check().changed
    assert [(one.name, one.op) for one in changed] == [("container", "replace")]
    assert await home_of(room, inputs) == before
    assert LABEL_TREE not in (await room.volume(inputs))["Labels"]
    for kind in (Kind.UP, Kind.REFRESH, Kind.UP):
        assert (await room.run_kind(kind, named)).check().changed == ()
    assert await home_of(room, inputs) == before


async def test_a_new_home_carries_the_id(room: Room) -> None:
    inputs = room.inputs(tree=OWN)
    (await room.up(inputs)).check()
    assert (await room.volume(inputs))["Labels"][LABEL_TREE] == OWN
    assert (await room.up(inputs, refresh=True)).check().changed == ()
