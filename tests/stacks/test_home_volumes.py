"""The one call that removes a volume, on a real engine: only the one that was seen, never a used one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiodocker
import pytest

from stacks import home_volumes
from stacks.engine.model import Leftover
from stacks.errors import (
    EngineUnavailableError,
    HomeKeptError,
    HomeMissingError,
    HomeUnseenError,
)
from stacks.power import Container
from stacks.power_docker import DockerPower
from stacks.programs.inputs import LABEL_HOME, LABEL_PREFIX, LABEL_WORKSPACE
from tests.stacks.proxy import Cut
from tests.waiting import until

pytestmark = pytest.mark.engine


@pytest.fixture
async def power(prefix: str, tmp_path: Path) -> AsyncIterator[DockerPower]:
    async with DockerPower(name_prefix=prefix, run=tmp_path / "run") as found:
        yield found


@pytest.fixture
async def volume(docker: aiodocker.Docker, prefix: str) -> Leftover:
    labels = {LABEL_WORKSPACE: "ws", LABEL_HOME: "1", LABEL_PREFIX: prefix}
    name = f"{prefix}ws-home-1"
    await docker.volumes.create({"Name": name, "Labels": labels})  # type: ignore[no-untyped-call]
    return Leftover(kind="volume", id=name, name=name, labels=labels)


async def test_what_was_seen_is_removed_and_what_went_before_was_not_by_us(
    power: DockerPower, volume: Leftover
) -> None:
    await power.remove_home(volume)
    assert await power.named("volume", volume.name) is None
    with pytest.raises(HomeUnseenError, match="went meanwhile") as caught:
        await power.remove_home(volume)
    assert not caught.value.untouched, "else the ledger would forget that it was about to go"


async def test_what_goes_right_before_the_engine_is_told_was_not_by_us(
    docker: aiodocker.Docker, prefix: str
) -> None:
    with pytest.raises(HomeUnseenError):
        await home_volumes.remove(docker, f"{prefix}ws-home-1")


async def test_an_engine_names_its_store(power: DockerPower, docker: aiodocker.Docker) -> None:
    none: Any = await docker.networks.get("none")
    told = (await power.identity()).split(" ")
    assert told[-1] == (await none.show())["Id"]
    assert all(told)
    assert len(told) == 3


async def test_another_volume_of_that_name_stays(power: DockerPower, volume: Leftover) -> None:
    seen = replace(volume, labels={**volume.labels, LABEL_WORKSPACE: "other"})
    with pytest.raises(HomeKeptError, match="is another volume now"):
        await power.remove_home(seen)
    assert await power.named("volume", volume.name) is not None


async def test_what_a_container_mounts_stays(
    power: DockerPower, docker: aiodocker.Docker, volume: Leftover, prefix: str, light_image: str
) -> None:
    host = {"Binds": [f"{volume.name}:/x"]}
    config: dict[str, Any] = {"Image": light_image, "HostConfig": host}
    await docker.containers.create(config, name=f"{prefix}by-hand")
    with pytest.raises(HomeKeptError, match="volume is in use"):
        await power.remove_home(volume)
    assert await power.named("volume", volume.name) is not None


async def test_who_mounts_it_or_binds_its_folder_holds_it(
    power: DockerPower, docker: aiodocker.Docker, volume: Leftover, prefix: str, light_image: str
) -> None:
    """Also one that Docker does not know of as a user of the volume, and would remove it under."""
    found = aiodocker.volumes.DockerVolume(docker, volume.name)  # type: ignore[no-untyped-call]
    place = (await found.show())["Mountpoint"]  # type: ignore[no-untyped-call]
    assert await power.holders(volume.name) == ()
    binds = {"mounts": f"{volume.name}:/x", "binds": f"{place}:/x", "apart": "/tmp:/x"}
    for name, bind in binds.items():
        config: dict[str, Any] = {"Image": light_image, "HostConfig": {"Binds": [bind]}}
        await docker.containers.create(config, name=f"{prefix}{name}")
    holders = {each.name for each in await power.holders(volume.name)}
    assert holders == {f"{prefix}mounts", f"{prefix}binds"}


async def test_a_long_removal_keeps_nobody_from_seeing_the_homes(
    docker: aiodocker.Docker, volume: Leftover, prefix: str, tmp_path: Path
) -> None:
    """The engine lists no volumes while it removes one, for as long as its files take."""
    slow = Cut(tmp_path / "engine.sock")
    await slow.join()
    slow.removes.clear()

    async def removing() -> bool:
        return any(line.startswith("DELETE") for line in slow.asked)

    async with DockerPower(name_prefix=prefix, run=tmp_path, docker_host=slow.host) as power:
        async with asyncio.TaskGroup() as group:
            group.create_task(power.remove_home(volume))
            await until(removing)
            slow.lists.clear()
            assert [home.name for home in (await power.inventory()).homes["ws"]] == [volume.name]
            assert [home.name for home in await power.homes("ws")] == [volume.name]
            assert await power.holders(volume.name) == ()
            slow.lists.set()
            slow.removes.set()
        assert (await power.inventory()).homes == {}
    await slow.cut()


async def test_a_home_that_is_made_or_removed_during_a_removal_is_seen(
    docker: aiodocker.Docker, volume: Leftover, prefix: str, tmp_path: Path
) -> None:
    """The list from before the removal knows neither: by it, one would be missing, or come anew, empty."""
    slow = Cut(tmp_path / "engine.sock")
    await slow.join()
    slow.removes.clear()

    async def removing() -> bool:
        return any(line.startswith("DELETE") for line in slow.asked)

    async def all_asked() -> bool:
        return len(slow.held) >= 3  # the first one of `homes` is given up soon

    async def make(workspace: str) -> Any:
        labels = {**volume.labels, LABEL_WORKSPACE: workspace}
        told = {"Name": f"{prefix}{workspace}-home-1", "Labels": labels}
        return await docker.volumes.create(told)  # type: ignore[no-untyped-call]

    gone = await make("gone")
    async with (
        DockerPower(name_prefix=prefix, run=tmp_path, docker_host=slow.host) as power,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(power.remove_home(volume))
        await until(removing)
        await make("new")
        await gone.delete()
        assert set((await power.inventory()).homes) == {"ws", "new"}
        slow.lists.clear()
        made = group.create_task(power.homes("new"))
        held = group.create_task(refused(power, "gone", f"{prefix}gone-home-1"))
        await until(all_asked)
        slow.lists.set()
        assert [home.name for home in await made] == [f"{prefix}new-home-1"]
        await held
        slow.removes.set()
    await slow.cut()


async def refused(power: DockerPower, workspace: str, home: str) -> None:
    """What mounts a home that is not there is not started."""
    found = Container(
        id="c", name="n", workspace=workspace, state="exited", image="i", labels={}, home=home
    )
    with pytest.raises(HomeMissingError):
        await power._check_home(found)


async def test_an_engine_that_is_not_there_is_told_as_such(tmp_path: Path, prefix: str) -> None:
    nowhere = f"unix://{tmp_path}/none.sock"
    async with DockerPower(name_prefix=prefix, run=tmp_path, docker_host=nowhere) as power:
        with pytest.raises(EngineUnavailableError):
            await power.remove_home(Leftover(kind="volume", id="v", name="v"))
