"""What `preview` tells: real Pulumi, every kind of change at once, destructive first."""

import json
from dataclasses import replace

import pytest

from stacks.changes import PropertyChange, WorkspaceChange
from stacks.errors import ImageMissingError, NameTakenError
from tests.stacks.house import House

pytestmark = pytest.mark.engine

SMALL = "{cpu: 1, memory: 64Mi, pids: 128}"
LARGER = "{cpu: 1, memory: 96Mi, pids: 128}"


async def preview(house: House, *ids: str) -> dict[str, WorkspaceChange]:
    async with house.runner() as runner:
        return {change.id: change for change in await runner.preview(ids or None)}


async def test_every_kind_of_change_in_one_preview(house: House) -> None:
    for workspace in ("gone", "kept", "moved", "same", "woken"):
        house.write(workspace, state="warm", env="{A: b}")
    await house.up()
    before = {workspace: await house.started(workspace) for workspace in ("gone", "moved", "kept")}
    house.remove("gone")
    house.write("kept", state="warm", env="{A: b}", resources=LARGER)
    house.write("moved", state="warm", env="{A: c, B: d}")
    house.write("woken", state="running", env="{A: b}")
    house.write("newer")
    house.write_raw("wrong", "owner: alice\n")
    house = replace(house, extra={"CODEHUB_PRUNE": "true"})
    told = await preview(house)
    assert [(change.id, change.action) for change in told.values()] == [
        ("gone", "delete"),
        ("moved", "replace"),
        ("wrong", "invalid"),
        ("kept", "update"),
        ("newer", "create"),
        ("woken", "start"),
        ("same", "nothing"),
    ]
    assert [change.id for change in told.values() if change.destructive] == ["gone", "moved"]
    assert told["moved"].details == (
        PropertyChange(path="env.A", kind="update", before='"b"', after='"c"', replaces=True),
        PropertyChange(path="env.B", kind="add", after='"d"', replaces=True),
    )
    assert told["kept"].details == (
        PropertyChange(path="resources.memory", kind="update", before='"64Mi"', after='"96Mi"'),
    )
    assert told["kept"].data == "home 1 is kept; nothing restarts"
    assert told["gone"].data.startswith("home 1 is kept; what was written outside")
    assert told["newer"].data == "a new, empty home is made"
    assert told["wrong"].problems[0]["key"] == "image"
    assert told["same"].details == ()
    assert {workspace: await house.started(workspace) for workspace in before} == before
    for change in told.values():
        assert WorkspaceChange.from_json(json.loads(json.dumps(change.to_json()))) == change


async def test_a_removed_key_and_a_removed_container_are_told(house: House) -> None:
    house.write("alice", state="warm", env="{A: b}")
    await house.up()
    house.write("alice", state="warm")
    (change,) = (await preview(house, "alice")).values()
    assert change.details == (
        PropertyChange(path="env.A", kind="delete", before='"b"', replaces=True),
    )
    house.write("alice", state="warm", env="{A: b}")
    await house.remove_container("alice")
    (change,) = (await preview(house)).values()
    assert (change.action, change.reason) == ("create", "its container is gone")
    assert change.data == "home 1 is kept and mounted again"


async def test_a_lost_home_is_told_before_anything_is_done(house: House) -> None:
    house.write("alice", state="warm")
    await house.up()
    await house.remove_container("alice")
    await house.remove_volume("alice-home-1")
    (change,) = (await preview(house)).values()
    assert change.action == "blocked"
    assert change.error is not None
    assert change.error["reason"] == "HOME_MISSING"
    assert change.error["remedy"]


async def test_a_home_that_only_pulumi_knows_is_not_told_to_be_made(house: House) -> None:
    house.write("alice", state="warm")
    await house.up()
    await house.remove_container("alice")
    await house.remove_volume("alice-home-1")
    for path in (house.root / "data").glob("index.db*"):
        path.unlink()
    (change,) = (await preview(house)).values()
    assert change.error is not None
    assert (change.error["reason"], change.data) == ("HOME_MISSING", "")


async def test_a_home_that_changes_hands_is_told_in_words(house: House) -> None:
    house.write("alice", state="warm")
    await house.up()
    house.write("alice", state="warm", owner="bob")
    (change,) = (await preview(house)).values()
    assert change.destructive
    told = "home 1 is kept and goes from alice to bob; what was written outside of it is lost"
    assert change.data == told


async def test_what_pulumi_cannot_preview_is_told(house: House) -> None:
    house.write("alice", state="warm")
    none = str(house.root / "no-pulumi")
    (change,) = (await preview(replace(house, extra={"CODEHUB_PULUMI": none}))).values()
    assert change.action == "create"
    assert change.error is not None
    assert change.error["reason"] == "TOOLCHAIN_MISSING"


async def test_what_up_would_refuse_is_told_before(house: House) -> None:
    """Each is refused by `up` with the same error, and the preview left everything as it was."""
    house.write("alice", state="warm", image="codehub-test-none:1")
    house.write("bob", state="warm")
    await house.docker.containers.create({"Image": house.image}, name=f"{house.prefix}bob")
    told = await preview(house)
    assert await house.volumes() == set()
    assert await house.containers() == {"bob"}
    results = {result.id: result for result in await house.up()}
    for workspace, kind in (("alice", ImageMissingError), ("bob", NameTakenError)):
        change, result = told[workspace], results[workspace]
        assert (change.action, change.data) == ("create", "")
        assert change.error is not None
        assert change.error["reason"] == result.reason == kind.reason
        assert (change.error["message"], change.error["remedy"]) == (result.message, result.remedy)


async def test_renames_and_new_owners_are_destructive_and_come_first(house: House) -> None:
    for workspace in ("alice", "handed", "theirs"):
        house.write(workspace, state="warm")
    await house.up()
    house.write("aa-new", state="warm")
    house.write("handed", state="warm", owner="bob")
    house.remove("alice")
    house.write("zoe", state="warm", formerly="alice")
    house.remove("theirs")
    house.write("taken", state="warm", formerly="theirs", owner="bob")
    told = list((await preview(house)).values())
    assert [change.id for change in told if change.destructive] == ["handed", "taken", "zoe"]
    assert [change.id for change in told][:4] == ["handed", "taken", "zoe", "aa-new"]
    handed, taken, zoe = told[:3]
    assert (handed.action, handed.former_owner, handed.formerly) == ("replace", "alice", "")
    assert (taken.action, taken.former_owner, taken.formerly) == ("blocked", "alice", "theirs")
    assert (zoe.action, zoe.former_owner, zoe.formerly) == ("create", "", "alice")
    assert zoe.reason == "it was alice"
    assert zoe.data == (
        "home 1 is kept, it is that of alice; the container of alice goes, and what was written "
        "outside of the home is lost"
    )
    assert WorkspaceChange.from_json(json.loads(json.dumps(zoe.to_json()))) == zoe
    assert await house.containers() == {"alice", "handed", "theirs"}
