"""The end of a home's life on the real engine and the real Pulumi: dates, revival, expiry, purge."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import aiodocker
import pytest

from stacks import open_runner
from stacks.client import RunnerClient
from stacks.engine.checkpoint import StateFiles
from stacks.errors import FileStandsError, HomeKeptError, NotConfirmedError, NotRemovedError
from state_index.index import Index
from state_index.phases import Phase
from tests.stacks.house import House
from tests.waiting import until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

MINE = "what a person wrote"
HOME = "alice-home-1"


@pytest.fixture
def house(house: House) -> House:
    """Homes are kept for two seconds, unless a test says otherwise."""
    house.extra.update(CODEHUB_DELETE_GRACE="2s", CODEHUB_PRUNE="true")
    house.write("bob", state="warm")
    return house


async def removed(house: House) -> None:
    """Make a workspace with work in its home, and remove it."""
    house.write("alice")
    await house.up()
    await house.leave_marker("alice", MINE)
    house.remove("alice")
    results = {result.id: result for result in await house.up()}
    assert results["alice"].phase == Phase.TOMBSTONED


async def content(house: House) -> str:
    """Hash what is in the home now, read where the engine keeps it."""
    volume = aiodocker.volumes.DockerVolume(house.docker, f"{house.prefix}{HOME}")  # type: ignore[no-untyped-call]
    place = Path((await volume.show())["Mountpoint"])  # type: ignore[no-untyped-call]
    return hashlib.sha256((place / "marker").read_bytes()).hexdigest()


EXPECTED = hashlib.sha256(MINE.encode()).hexdigest()


def state(house: House) -> StateFiles:
    return StateFiles(house.settings.paths.state, "alice")


async def until_gone(house: House) -> None:
    async def gone() -> bool:
        return house.row("alice") is None

    await until(gone, within=60)


async def test_the_home_goes_when_its_grace_is_over_and_not_by_up(house: House) -> None:
    await removed(house)
    row = house.row("alice")
    assert row is not None
    assert row.removed_at is not None
    assert row.expires_at is not None
    assert (row.expires_at - row.removed_at).total_seconds() == 2
    assert state(house).checkpoint.exists()
    await house.up()
    assert await content(house) == EXPECTED
    async with house.daemon():
        await until_gone(house)
    assert await house.volumes() == {"bob-home-1"}
    assert not state(house).checkpoint.exists()
    house.write("alice")
    await house.up("alice")
    with pytest.raises(KeyError):
        await house.marker("alice")  # a new home, for who has the id now


async def test_no_home_goes_by_itself_where_the_setting_says_so(house: House) -> None:
    house.extra["CODEHUB_EXPIRE_HOMES"] = "false"
    await removed(house)
    with Index.open(house.settings.index_url) as index:

        async def over() -> bool:
            row, watched = house.row("alice"), await asyncio.to_thread(index.removals.watched)
            assert row is not None, "its home went"
            return row.grace_end is not None and watched > row.grace_end + 1000

        async with house.daemon():
            await until(over)
    row = house.row("alice")
    assert row is not None
    assert (row.phase, row.expires_at) == (Phase.TOMBSTONED, None)
    assert await content(house) == EXPECTED


async def test_the_file_brings_back_the_same_home(house: House) -> None:
    house.extra.update(CODEHUB_DELETE_GRACE="1h")
    await removed(house)
    assert await house.containers() == {"bob"}
    house.write("alice")
    async with house.daemon():
        row = await house.until_phase("alice", Phase.RUNNING)
    assert (row.removed_at, row.expires_at, row.grace_end) == (None, None, None)
    assert await content(house) == EXPECTED
    assert await house.marker("alice") == MINE
    assert {result.action for result in await house.up()} == {"nothing"}


async def test_a_lost_index_begins_the_grace_anew(house: House) -> None:
    house.extra.update(CODEHUB_DELETE_GRACE="1h")
    await removed(house)
    for path in (house.root / "data").glob("index.db*"):
        path.unlink()
    async with house.daemon():
        row = await house.until_phase("alice", Phase.TOMBSTONED)
    assert row.owner == "alice"
    assert row.expires_at is not None
    assert (row.expires_at - row.since).total_seconds() == pytest.approx(3600, abs=5)
    assert await content(house) == EXPECTED


async def test_what_is_mounted_stays(house: House) -> None:
    await removed(house)
    mount = {"Type": "volume", "Source": f"{house.prefix}{HOME}", "Target": "/x"}
    name = f"{house.prefix}by-hand"
    config: dict[str, Any] = {"Image": house.image, "HostConfig": {"Mounts": [mount]}}
    stranger = await house.docker.containers.create(config, name=name)
    async with house.daemon():
        row = await house.until("alice", lambda row: row.reason == HomeKeptError.reason)
        assert row.phase is Phase.TOMBSTONED
        assert f"it is mounted by {name}" in row.message
        assert await content(house) == EXPECTED
        assert state(house).checkpoint.exists()
        await stranger.delete(force=True)
        await until_gone(house)
    assert await house.volumes() == {"bob-home-1"}


@pytest.mark.parametrize("daemon", [False, True])
async def test_purge_by_name(house: House, daemon: bool) -> None:
    house.extra.update(CODEHUB_DELETE_GRACE="1h")
    if daemon:
        async with house.daemon():

            async def serves() -> bool:
                return house.settings.paths.runner_sock.exists()

            await until(serves, within=60)
            await story(house, daemon=True)
    else:
        await story(house, daemon=False)
    with Index.open(house.settings.index_url) as index:
        history = index.history("alice")
    assert history[0].to_phase is None
    assert {row.actor for row in history[1:3]} == {"cli:tester"}
    assert await house.volumes() == {"bob-home-1"}
    assert not state(house).checkpoint.exists()


async def story(house: House, *, daemon: bool) -> None:
    house.write("alice")
    async with open_runner(house.settings) as runner:
        assert isinstance(runner, RunnerClient) is daemon
        await runner.up()
        await house.leave_marker("alice", MINE)
        with pytest.raises(FileStandsError):
            await runner.purge("alice", confirm="alice")
        house.remove("alice")
        if not daemon:  # which prunes by itself
            with pytest.raises(NotRemovedError, match="still has its container"):
                await runner.purge("alice", confirm="alice")
        await runner.destroy("alice")
        with pytest.raises(NotConfirmedError):
            await runner.purge("alice", confirm="bob")
        assert await content(house) == EXPECTED
        result = await runner.purge("alice", confirm="alice", actor="cli:tester")
        assert (result.action, result.phase, result.ok) == ("purge", "DELETED", True)


async def test_a_home_under_another_name_prefix_is_not_taken_for_gone(house: House) -> None:
    """The real engine shows none of it there; only who types so forgets it."""
    await removed(house)
    right = dict(house.extra)
    house.extra["CODEHUB_NAME_PREFIX"] = f"{house.prefix}z-"
    async with house.daemon():
        row = await house.until("alice", lambda row: row.reason == "HOME_UNSEEN")
    assert row.phase is Phase.TOMBSTONED
    async with house.runner() as runner:
        refused = await runner.purge("alice", confirm="alice")
        assert (refused.ok, refused.reason) == (False, "HOME_UNSEEN")
    house.extra.clear()
    house.extra.update(right)
    assert await content(house) == EXPECTED
    async with house.daemon():
        await until_gone(house)
    assert HOME not in await house.volumes()
