"""What one memory lost, another proves: index, Pulumi's state, engine. No home is made anew."""

import shutil
from typing import Any

import aiodocker
import pytest

from stacks.errors import HomeMissingError, HomeOwnerError
from stacks.programs.inputs import LABEL_SPEC_HASH
from state_index.phases import Phase
from tests.stacks.house import House

pytestmark = pytest.mark.engine


def lose_index(house: House) -> None:
    for path in (house.root / "data").glob("index.db*"):
        path.unlink()


async def test_a_lost_index_and_container_come_back_with_the_home(house: House) -> None:
    house.write("alice")
    assert [result.phase for result in await house.up()] == [Phase.RUNNING]
    await house.leave_marker("alice", "mine")
    await house.remove_container("alice")
    lose_index(house)
    (alice,) = await house.up()
    assert (alice.phase, alice.message) == (Phase.RUNNING, "")
    assert await house.marker("alice") == "mine"


async def test_pulumis_state_proves_a_home_that_index_and_engine_lost(house: House) -> None:
    house.write("alice")
    assert [result.phase for result in await house.up()] == [Phase.RUNNING]
    await house.remove_container("alice")
    await house.remove_volume("alice-home-1")
    lose_index(house)
    for _ in range(2):
        (alice,) = await house.up()
        assert (alice.phase, alice.reason) == (Phase.ERROR, HomeMissingError.reason)
        assert await house.volumes() == set()
        assert await house.containers() == set()


async def test_a_workspace_is_destroyed_although_pulumis_state_is_lost(house: House) -> None:
    house.write("alice")
    house.write("bob")
    await house.up()
    await house.leave_marker("alice", "mine")
    shutil.rmtree(house.settings.paths.state)
    house.remove("alice")
    async with house.runner() as runner:
        assert (await runner.destroy("alice")).phase == Phase.TOMBSTONED
    assert await house.containers() == {"bob"}
    house.write("alice")
    await house.up()
    assert await house.marker("alice") == "mine"


async def test_a_volume_that_docker_made_in_a_homes_place_is_to_be_removed_first(
    house: House,
) -> None:
    house.write("alice")
    await house.up()
    found = await house.inspect("alice")
    home = await volume(house, "alice-home-1")
    await house.remove_container("alice")
    await house.remove_volume("alice-home-1")
    # As when the volume goes while the container is replaced.
    config = {**found["Config"], "HostConfig": found["HostConfig"]}
    await house.docker.containers.create(config, name=f"{house.prefix}alice")
    assert not (await volume(house, "alice-home-1"))["Labels"]
    name = f"{house.prefix}alice"
    for _ in range(2):
        (alice,) = await house.up()
        assert (alice.phase, alice.reason) == (Phase.ERROR, HomeMissingError.reason)
        assert alice.message.endswith(f"that name, mounted by the container {name} (created)")
        assert f"docker rm {name}; docker volume rm {name}-home-1." in alice.remedy
        assert "Restore the volume with its labels" in alice.remedy
    assert (await house.inspect("alice"))["State"]["Status"] == "created"

    await house.remove_container("alice")
    await house.remove_volume("alice-home-1")
    told = {"Name": home["Name"], "Labels": home["Labels"]}
    await house.docker.volumes.create(told)  # type: ignore[no-untyped-call]
    (alice,) = await house.up()
    assert (alice.phase, alice.message) == (Phase.RUNNING, "")


async def volume(house: House, name: str) -> dict[str, Any]:
    found = aiodocker.volumes.DockerVolume(house.docker, f"{house.prefix}{name}")  # type: ignore[no-untyped-call]
    return dict(await found.show())  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("by", ["index", "index and container", "tombstone"])
async def test_a_home_that_is_found_again_changes_hands_by_no_accident(
    house: House, by: str
) -> None:
    house.write("alice")
    await house.up()
    await house.leave_marker("alice", "mine")
    if by == "tombstone":
        house.remove("alice")
        async with house.runner() as runner:
            await runner.destroy("alice")
    else:
        lose_index(house)
    if by == "index and container":
        await house.remove_container("alice")
    containers = await house.containers()
    house.write("alice", owner="bob")
    for _ in range(3):
        (told,) = await house.up()
        assert (told.action, told.reason) == ("blocked", HomeOwnerError.reason)
        row = house.row("alice")
        assert row is not None
        assert row.owner != "bob"
        assert await house.containers() == containers
    house.write("alice")
    await house.up()
    assert await house.marker("alice") == "mine"
    house.write("alice", owner="bob")
    (handed,) = await house.up()
    assert (handed.action, handed.phase) == ("replace", Phase.RUNNING)
    assert await house.marker("alice") == "mine"


async def test_a_container_that_somebody_made_under_our_labels_is_replaced(house: House) -> None:
    house.write("alice")
    await house.up()
    await house.leave_marker("alice", "mine")
    found = await house.inspect("alice")
    await house.remove_container("alice")
    config = {**found["Config"], "HostConfig": found["HostConfig"]}
    config["Labels"] = {**config["Labels"], LABEL_SPEC_HASH: "by hand"}
    await house.docker.containers.create(config, name=f"{house.prefix}alice")
    (alice,) = await house.up()
    assert (alice.action, alice.phase) == ("replace", Phase.RUNNING)
    assert await house.marker("alice") == "mine"
    (again,) = await house.up()
    assert not again.changed


async def test_what_neither_file_nor_index_know_is_switched_when_asked(house: House) -> None:
    house.write("alice")
    house.write("bob")
    await house.up()
    lose_index(house)
    house.remove("alice")
    await house.up()
    async with house.runner() as runner:
        for switch, phase, there in (
            (runner.stop, Phase.WARM, "exited"),
            (runner.start, Phase.RUNNING, "running"),
        ):
            result = await switch("alice")
            assert (result.changed, result.phase) == (True, phase)
            assert (await house.inspect("alice"))["State"]["Status"] == there
            (row,) = [found for found in await runner.up() if found.id == "alice"]
            assert (row.changed, row.phase) == (False, phase)
