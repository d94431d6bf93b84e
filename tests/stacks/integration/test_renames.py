"""Renames: the home goes along, untouched, with nobody else in it; whatever is killed in between."""

import hashlib
import secrets

import pytest

from stacks.engine.checkpoint import StateFiles
from stacks.errors import FormerStandsError, HomeConflictError, HomeMissingError, HomeOwnerError
from stacks.programs.inputs import LABEL_FORMERLY
from state_index.phases import Phase, Sync
from tests.stacks.house import House
from tests.stacks.integration.test_losses import lose_index

pytestmark = pytest.mark.engine


async def marked(house: House, workspace: str) -> str:
    """Leave something in a home that nobody could make again; gives its hash."""
    text = secrets.token_hex(32)
    await house.leave_marker(workspace, text)
    return hashlib.sha256(text.encode()).hexdigest()


async def found(house: House, workspace: str) -> str:
    return hashlib.sha256((await house.marker(workspace)).encode()).hexdigest()


def rename(house: House, before: str, after: str, **keys: str) -> None:
    house.remove(before)
    house.write(after, formerly=before, **keys)


async def test_a_renamed_workspace_takes_its_home_along(house: House) -> None:
    house.write("alice")
    house.write("other")
    await house.up()
    mark = await marked(house, "alice")
    rename(house, "alice", "ada")
    others = await house.started("other")
    results = {result.id: result for result in await house.up()}
    assert (results["ada"].phase, results["ada"].message) == (Phase.RUNNING, "")
    assert await found(house, "ada") == mark
    assert await house.volumes() == {"alice-home-1", "other-home-1"}
    assert await house.containers() == {"ada", "other"}
    assert (await house.inspect("ada"))["Config"]["Labels"][LABEL_FORMERLY] == "alice"
    assert house.row("alice") is None
    assert not StateFiles(house.settings.paths.state, "alice").checkpoint.exists()
    async with house.runner() as runner:
        last = (await runner.board.history("alice"))[0]
        assert (last.to_phase, last.cause) == (None, "up; it was renamed: it is ada now")
    assert await house.started("other") == others
    assert [result.changed for result in await house.up()] == [False, False]
    async with house.runner() as runner:
        await runner.stop("ada")
        assert (await runner.start("ada")).phase == Phase.RUNNING
    assert await found(house, "ada") == mark


async def test_a_file_renamed_without_saying_so_is_a_new_workspace(house: House) -> None:
    house.write("alice")
    await house.up()
    mark = await marked(house, "alice")
    house.remove("alice")
    house.write("ada")
    await house.up()
    assert await house.volumes() == {"alice-home-1", "ada-home-1"}
    assert await found(house, "alice") == mark
    with pytest.raises(KeyError):
        await house.marker("ada")
    house.write("ada", formerly="alice")
    for _ in range(2):
        told = {result.id: result for result in await house.up()}["ada"]
        assert told.reason == HomeConflictError.reason
        assert await house.containers() == {"alice", "ada"}
    assert await found(house, "alice") == mark


async def test_a_former_id_without_a_home_makes_none(house: House) -> None:
    house.write("ada", formerly="alice")
    for _ in range(2):
        (told,) = await house.up()
        assert (told.phase, told.reason) == (Phase.ERROR, HomeMissingError.reason)
        assert await house.volumes() == set()


async def test_a_rename_to_another_owner_waits_and_ends_nothing(house: House) -> None:
    house.write("alice")
    await house.up()
    mark = await marked(house, "alice")
    before = await house.started("alice")
    rename(house, "alice", "bobs", owner="bob")
    for _ in range(2):
        told = {result.id: result for result in await house.up()}["bobs"]
        assert told.reason == HomeOwnerError.reason
        assert told.message == "the home of bobs belonged to alice, and its file says bob"
        assert await house.started("alice") == before
    row = house.row("bobs")
    assert row is not None
    assert row.owner == ""
    house.write("bobs", formerly="alice")
    await house.up()
    assert await found(house, "bobs") == mark


async def test_two_that_claim_one_home_leave_it_where_it_is(house: House) -> None:
    house.write("alice")
    await house.up()
    mark = await marked(house, "alice")
    before = await house.started("alice")
    rename(house, "alice", "ada")
    house.write("abby", formerly="alice")
    told = {result.id: result for result in await house.up()}
    assert {told[id_].sync for id_ in ("ada", "abby")} == {Sync.INVALID}
    assert [found["line"] for id_ in ("ada", "abby") for found in told[id_].problems] == [4, 4]
    assert await house.started("alice") == before
    house.remove("abby")
    await house.up()
    assert await found(house, "ada") == mark
    assert await house.volumes() == {"alice-home-1"}


async def test_a_file_that_comes_back_under_the_old_id_gets_nothing(house: House) -> None:
    house.write("alice")
    await house.up()
    mark = await marked(house, "alice")
    house.write("ada", formerly="alice")
    told = {result.id: result for result in await house.up()}
    assert told["alice"].sync == Sync.INVALID
    assert told["ada"].reason == FormerStandsError.reason
    assert await found(house, "alice") == mark
    house.remove("alice")
    await house.up()
    house.write("alice")
    told = {result.id: result for result in await house.up()}
    assert (told["alice"].phase, told["alice"].sync) == (Phase.PENDING, Sync.INVALID)
    assert told["ada"].phase == Phase.RUNNING
    assert await found(house, "ada") == mark
    assert await house.containers() == {"ada"}
    assert await house.volumes() == {"alice-home-1"}


async def test_a_second_rename_still_names_the_first_id(house: House) -> None:
    house.write("alice")
    await house.up()
    mark = await marked(house, "alice")
    rename(house, "alice", "ada")
    await house.up()
    rename(house, "ada", "abby")
    for _ in range(2):
        told = {result.id: result for result in await house.up()}["abby"]
        assert told.reason == HomeMissingError.reason
        assert told.remedy == "Ada had the home of alice: write `formerly: alice`."
    house.write("abby", formerly="alice")
    await house.up()
    assert await found(house, "abby") == mark
    assert await house.containers() == {"abby"}
    assert await house.volumes() == {"alice-home-1"}
    # And back to where it began.
    house.remove("abby")
    house.write("alice")
    for _ in range(2):
        await house.up()
        assert await house.containers() == {"alice"}
    assert await house.volumes() == {"alice-home-1"}
    assert await found(house, "alice") == mark


async def test_a_lost_index_and_lost_state_do_not_lose_a_renamed_home(house: House) -> None:
    house.write("alice")
    await house.up()
    mark = await marked(house, "alice")
    rename(house, "alice", "ada")
    await house.up()
    lose_index(house)
    await house.up()
    assert await found(house, "ada") == mark
    await house.remove_container("ada")
    lose_index(house)
    StateFiles(house.settings.paths.state, "ada").checkpoint.unlink()
    await house.up()
    assert await found(house, "ada") == mark
    assert await house.volumes() == {"alice-home-1"}


async def test_the_home_of_a_renamed_one_is_missed_under_its_former_name(house: House) -> None:
    house.write("alice")
    await house.up()
    rename(house, "alice", "ada")
    await house.up()
    await house.remove_container("ada")
    await house.remove_volume("alice-home-1")
    for _ in range(2):
        (told,) = await house.up()
        assert told.reason == HomeMissingError.reason
        assert f"{house.prefix}alice-home-1" in told.message
        assert await house.volumes() == set()
