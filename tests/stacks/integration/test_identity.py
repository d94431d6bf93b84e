"""Whose home is whose, after losses: nothing changes hands, or is made empty, unless it was typed."""

import shutil

import pytest

from stacks.errors import (
    HomeMissingError,
    HomeOwnerError,
    HomeThereError,
    NotConfirmedError,
    NothingToAdoptError,
    UnknownWorkspaceError,
)
from state_index.phases import Phase, Sync
from tests.stacks.house import House
from tests.stacks.integration.test_losses import lose_index, volume
from tests.stacks.integration.test_renames import found, marked, rename

pytestmark = pytest.mark.engine


async def test_a_home_goes_to_another_owner_when_that_is_typed(house: House) -> None:
    house.write("alice")
    await house.up()
    mark = await marked(house, "alice")
    lose_index(house)
    house.write("alice", owner="bob")
    await house.up()
    async with house.runner() as runner:
        with pytest.raises(NotConfirmedError) as asked:
            await runner.adopt("alice", confirm="yes")
        assert asked.value.message == "the home of alice goes from alice to bob"
        assert "codehub adopt alice --confirm alice" in asked.value.remedy
        done = await runner.adopt("alice", confirm="alice", actor="cli:root")
        assert (done.action, done.phase) == ("replace", Phase.RUNNING)
        told = await runner.board.history("alice")
        cause = "cli:root had it adopted: the home of alice goes from alice to bob"
        assert {(change.actor, change.cause) for change in told[:2]} == {("cli:root", cause)}
        with pytest.raises(NothingToAdoptError):
            await runner.adopt("alice", confirm="alice")
    assert await found(house, "alice") == mark
    # The container remembers it, the volume cannot.
    lose_index(house)
    (again,) = await house.up()
    assert (again.phase, again.reason) == (Phase.RUNNING, "")
    await house.remove_container("alice")
    lose_index(house)
    (again,) = await house.up()
    assert again.reason == HomeOwnerError.reason
    async with house.runner() as runner:
        await runner.adopt("alice", confirm="alice")
    assert await found(house, "alice") == mark
    assert await house.volumes() == {"alice-home-1"}


async def test_a_rename_to_another_owner_is_adopted_too(house: House) -> None:
    house.write("alice")
    await house.up()
    mark = await marked(house, "alice")
    rename(house, "alice", "bobs", owner="bob")
    await house.up()
    async with house.runner() as runner:
        done = await runner.adopt("bobs", confirm="bobs")
        assert (done.action, done.phase) == ("create", Phase.RUNNING)
    assert await found(house, "bobs") == mark
    assert await house.containers() == {"bobs"}
    assert house.row("alice") is None


async def test_a_new_home_is_made_where_the_old_one_is_gone_and_that_is_typed(house: House) -> None:
    house.write("alice")
    await house.up()
    async with house.runner() as runner:
        with pytest.raises(HomeThereError):
            await runner.new_home("alice", confirm="alice")
        with pytest.raises(UnknownWorkspaceError):
            await runner.new_home("nobody", confirm="nobody")
    await house.remove_container("alice")
    await house.remove_volume("alice-home-1")
    (missed,) = await house.up()
    assert missed.reason == HomeMissingError.reason
    assert "codehub home new" in missed.remedy
    async with house.runner() as runner:
        with pytest.raises(NotConfirmedError) as asked:
            await runner.new_home("alice")
        assert asked.value.message.endswith("; home 2 of alice is made, empty")
        assert await house.volumes() == set()
        done = await runner.new_home("alice", confirm="alice", actor="cli:root")
        assert (done.action, done.phase) == ("create", Phase.RUNNING)
        (_, last, *_) = await runner.board.history("alice")
        told = "cli:root asked for a new home: home 1 is gone, home 2 is made"
        assert (last.actor, last.cause) == ("cli:root", told)
    assert await house.volumes() == {"alice-home-2"}
    assert [result.changed for result in await house.up()] == [False]


async def test_a_second_home_is_missed_under_its_own_number(house: House) -> None:
    house.write("alice")
    await house.up()
    for number in (1, 2):
        await marked(house, "alice")
        await house.remove_container("alice")
        await house.remove_volume(f"alice-home-{number}")
        if number > 1:
            lose_index(house)
        (missed,) = await house.up()
        assert f"{house.prefix}alice-home-{number}" in missed.message
        async with house.runner() as runner:
            await runner.new_home("alice", confirm="alice")
        assert await house.volumes() == {f"alice-home-{number + 1}"}
        with pytest.raises(KeyError):
            await house.marker("alice")


async def test_no_new_home_while_something_has_the_name_of_the_old_one(house: House) -> None:
    house.write("alice")
    await house.up()
    await house.remove_container("alice")
    await house.remove_volume("alice-home-1")
    await house.docker.volumes.create({"Name": f"{house.prefix}alice-home-1"})  # type: ignore[no-untyped-call]
    async with house.runner() as runner:
        with pytest.raises(HomeThereError) as refused:
            await runner.new_home("alice", confirm="alice")
    assert "a volume without a home's labels has that name" in refused.value.message
    assert await house.volumes() == {"alice-home-1"}


async def test_a_renamed_workspace_gets_a_new_home_under_its_own_id(house: House) -> None:
    house.write("alice")
    await house.up()
    rename(house, "alice", "ada")
    await house.up()
    kept = await volume(house, "alice-home-1")
    await house.remove_container("ada")
    await house.remove_volume("alice-home-1")
    await house.up()
    async with house.runner() as runner:
        assert (await runner.new_home("ada", confirm="ada")).phase == Phase.RUNNING
    assert await house.volumes() == {"ada-home-2"}
    mark = await marked(house, "ada")
    # The former one being found after all changes nothing: the higher number counts.
    told = {"Name": kept["Name"], "Labels": kept["Labels"]}
    await house.docker.volumes.create(told)  # type: ignore[no-untyped-call]
    lose_index(house)
    for _ in range(2):
        await house.up()
        assert await found(house, "ada") == mark


async def fleet(house: House) -> dict[str, str]:
    """Make one workspace of each kind, then lose the index; gives the marks in their homes."""
    for workspace in ("awake", "asleep", "gone", "homeless", "other"):
        house.write(workspace)
    await house.up()
    marks = {id_: await marked(house, id_) for id_ in ("awake", "asleep", "gone")}
    house.remove("gone")
    async with house.runner() as runner:
        await runner.stop("asleep")
        await runner.destroy("gone")
    await house.remove_container("homeless")
    await house.remove_volume("homeless-home-1")
    lose_index(house)
    house.write("other", owner="bob")
    return marks


async def test_a_lost_index_is_rebuilt_from_what_is_there(house: House) -> None:
    marks = await fleet(house)
    started = {id_: await house.started(id_) for id_ in ("awake", "asleep", "other")}
    async with house.runner() as runner:
        results = {result.id: result for result in await runner.rebuild(actor="cli:root")}
        assert {id_: (result.phase, result.changed) for id_, result in results.items()} == {
            "asleep": (Phase.WARM, True),
            "awake": (Phase.RUNNING, True),
            "gone": (Phase.TOMBSTONED, True),
            "homeless": (Phase.ERROR, True),
            "other": (Phase.RUNNING, True),
        }
        rows = await runner.board.rows()
        assert {row.owner for id_, row in rows.items() if id_ != "homeless"} == {"alice"}
        assert rows["homeless"].reason == HomeMissingError.reason
        assert rows["gone"].grace_end is None, "nobody is known to have removed it"
        (made, *_) = await runner.board.history("asleep")
        told = "cli:root had the index rebuilt; found by the labels of its container"
        assert (made.actor, made.cause) == ("cli:root", told)
        assert not any(result.changed for result in await runner.rebuild(actor="cli:root"))
        assert await runner.board.rows() == rows
    after = {result.id: result for result in await house.up()}
    assert (after["asleep"].phase, after["awake"].phase) == (Phase.WARM, Phase.RUNNING)
    assert after["other"].reason == HomeOwnerError.reason
    assert after["homeless"].reason == HomeMissingError.reason
    assert {id_: await house.started(id_) for id_ in started} == started
    house.write("gone")
    await house.up()
    assert {id_: await found(house, id_) for id_ in marks} == marks


async def test_an_index_of_yesterday_makes_nothing_new(house: House) -> None:
    house.write("alice")
    house.write("moved")
    await house.up()
    marks = {id_: await marked(house, id_) for id_ in ("alice", "moved")}
    yesterday = house.root / "yesterday.db"
    shutil.copy(house.root / "data" / "index.db", yesterday)
    house.write("bob", owner="bob")
    await house.up()
    marks["bob"] = await marked(house, "bob")
    house.write("slept", owner="bob", state="warm")
    await house.up()
    rename(house, "moved", "mover")
    await house.up()
    marks["mover"] = marks.pop("moved")
    lose_index(house)
    shutil.copy(yesterday, house.root / "data" / "index.db")
    volumes = await house.volumes()
    for _ in range(2):
        results = {result.id: result for result in await house.up()}
        assert {result.sync for result in results.values()} == {Sync.SYNCED}
        assert await house.volumes() == volumes
    assert house.row("moved") is None
    assert {id_: await found(house, id_) for id_ in marks} == marks
    assert await house.containers() == {"alice", "bob", "mover", "slept"}
