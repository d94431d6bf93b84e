"""On/off and reading on a real engine, on containers made by hand with our labels."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import aiodocker
import pytest

from stacks import rundir
from stacks.errors import (
    EngineRefusedError,
    EngineUnavailableError,
    HomeMissingError,
    ImageMissingError,
    ImageUnfitError,
    IsolationUnenforcedError,
    NameTakenError,
    StaleContainerError,
    StartFailedError,
    UnknownWorkspaceError,
)
from stacks.log_tail import CUT, MOST_BYTES
from stacks.operator import MAX_LOG_TAIL
from stacks.power import Container
from stacks.power_docker import DockerPower
from stacks.programs.inputs import (
    LABEL_HOME,
    LABEL_OWNER,
    LABEL_PREFIX,
    LABEL_SPEC_HASH,
    LABEL_WORKSPACE,
)
from tests.stacks.conftest import Derive
from tests.waiting import until

pytestmark = pytest.mark.engine


class Maker:
    """Makes by hand what Pulumi would make."""

    def __init__(self, docker: aiodocker.Docker, prefix: str, run: Path, image: str) -> None:
        self.docker, self.prefix, self.run, self.image = docker, prefix, run, image

    def labels(self, workspace: str) -> dict[str, str]:
        return {LABEL_WORKSPACE: workspace, LABEL_PREFIX: self.prefix, LABEL_OWNER: "alice"}

    async def volume(self, workspace: str, number: int = 1, **labels: str) -> str:
        name = f"{self.prefix}{workspace}-home-{number}"
        all_labels = self.labels(workspace) | {LABEL_HOME: str(number)} | labels
        config = {"Name": name, "Labels": all_labels}
        await self.docker.volumes.create(config)  # type: ignore[no-untyped-call]
        return name

    async def container(
        self,
        workspace: str,
        *,
        name: str = "",
        labels: dict[str, str] | None = None,
        folder: Path | None = None,
        network: str = "none",
        devices: tuple[str, ...] = (),
        **more: Any,
    ) -> str:
        folder = folder or rundir.prepare(self.run, workspace)
        home = f"{self.prefix}{workspace}-home-1"
        host = {
            "Binds": [f"{home}:/home/coder", f"{folder}:/run/codehub"],
            "RestartPolicy": {"Name": "unless-stopped"},
            "NetworkMode": network,
            "Devices": [{"PathOnHost": at, "CgroupPermissions": "r"} for at in devices],
        }
        told = {LABEL_SPEC_HASH: "h1", **self.labels(workspace)} if labels is None else labels
        config: dict[str, Any] = {
            "Image": self.image,
            "Labels": told,
            "HostConfig": host,
            "User": "1000:1000",
            **more,
        }
        made = await self.docker.containers.create(config, name=name or f"{self.prefix}{workspace}")
        return made.id

    async def workspace(self, workspace: str, **more: Any) -> str:
        await self.volume(workspace)
        return await self.container(workspace, **more)


@pytest.fixture
def make(docker: aiodocker.Docker, prefix: str, tmp_path: Path, light_image: str) -> Maker:
    return Maker(docker, prefix, tmp_path / "run", light_image)


@pytest.fixture
async def power(make: Maker) -> AsyncIterator[DockerPower]:
    async with DockerPower(name_prefix=make.prefix, run=make.run) as found:
        yield found


async def test_the_inventory_holds_ours_and_only_ours(make: Maker, power: DockerPower) -> None:
    await make.workspace("alice")
    await make.volume("alice", 2)
    await make.volume("bob")
    await make.container("alice", name=f"{make.prefix}other")
    await make.container("carol", labels={})
    await make.volume("dave", 1, **{LABEL_HOME: "first"})
    await make.volume("erin", 1, **{LABEL_HOME: "7"})
    found = await power.inventory()
    assert set(found.containers) == {"alice"}
    alice = found.containers["alice"]
    assert (alice.state, alice.running, alice.image) == ("created", False, make.image)
    assert alice.home == f"{make.prefix}alice-home-1"
    assert alice.labels[LABEL_SPEC_HASH] == "h1"
    assert [stray.name for stray in found.strays] == [f"{make.prefix}other"]
    assert {id_: [home.number for home in homes] for id_, homes in found.homes.items()} == {
        "alice": [1, 2],
        "bob": [1],
    }
    assert found.homes["bob"][0].owner == "alice"


async def test_start_returns_when_the_ide_answers_and_stop_stops(
    make: Maker, power: DockerPower
) -> None:
    await make.workspace("alice")
    await power.start("alice", spec_hash="h1", within=30)
    found = await power.container("alice")
    assert found is not None
    assert found.running
    await power.start("alice", spec_hash="h1", within=30)
    assert "serving" in await power.logs("alice", tail=10)
    await power.stop("alice", grace=5)
    stopped = await power.container("alice")
    assert stopped is not None
    assert (stopped.state, stopped.id) == ("exited", found.id)
    await power.stop("alice", grace=5)
    await power.stop("nobody", grace=5)


async def test_limits_are_set_on_a_container_that_goes_on(make: Maker, power: DockerPower) -> None:
    made = await make.workspace("alice")
    await power.start("alice", spec_hash="h1", within=30)
    before = await make.docker.containers.container(made).show()
    await power.limit(made, pids=77, restart="no")
    after = await make.docker.containers.container(made).show()
    assert after["HostConfig"]["PidsLimit"] == 77
    assert after["HostConfig"]["RestartPolicy"]["Name"] == "no"
    assert after["HostConfig"]["Memory"] == before["HostConfig"]["Memory"]
    assert after["State"]["StartedAt"] == before["State"]["StartedAt"]
    with pytest.raises(EngineRefusedError):
        await power.limit("no-such-container", pids=77, restart="no")


async def test_a_container_of_another_spec_is_not_started(make: Maker, power: DockerPower) -> None:
    await make.workspace("alice")
    with pytest.raises(StaleContainerError, match="made from another spec"):
        await power.start("alice", spec_hash="h2", within=5)
    with pytest.raises(StaleContainerError, match="is not there"):
        await power.start("bob", spec_hash="h2", within=5)
    found = await power.container("alice")
    assert found is not None
    assert found.state == "created"


async def test_a_container_without_its_labelled_home_is_not_started(
    make: Maker, power: DockerPower
) -> None:
    await make.container("alice")  # Docker makes the volume, without labels
    with pytest.raises(HomeMissingError) as caught:
        await power.start("alice", spec_hash="h1", within=5)
    assert caught.value.message == f"the home volume {make.prefix}alice-home-1 is not there"
    found = await power.container("alice")
    assert found is not None
    assert found.state == "created"


async def test_other_volumes_of_an_image_do_not_matter(make: Maker, power: DockerPower) -> None:
    await make.workspace("alice", Volumes={"/cache": {}})
    await power.start("alice", spec_hash="h1", within=30)
    found = await power.container("alice")
    assert found is not None
    assert (found.running, found.home) == (True, f"{make.prefix}alice-home-1")


async def test_an_ide_that_ends_at_once_is_told_with_its_last_words(
    make: Maker, power: DockerPower, tmp_path: Path
) -> None:
    forbidden = tmp_path / "forbidden"
    forbidden.mkdir(mode=0o700)
    await make.workspace("alice", folder=forbidden)
    with pytest.raises(StartFailedError) as caught:
        await power.start("alice", spec_hash="h1", within=30)
    assert "ended with exit code" in caught.value.message
    assert "it said: " in caught.value.message
    assert caught.value.remedy.startswith("Read `codehub logs`")
    found = await power.container("alice")
    assert found is not None
    assert found.state == "exited", "it does not restart for ever"


def elsewhere(tmp_path: Path) -> Path:
    """Give a folder that the IDE can serve in, where nobody asks it."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    os.chown(folder, 1000, 1000)
    return folder


async def test_an_ide_that_does_not_answer_in_time_is_stopped(
    make: Maker, power: DockerPower, tmp_path: Path
) -> None:
    await make.workspace("alice", folder=elsewhere(tmp_path))
    with pytest.raises(StartFailedError, match=r"did not answer within 0\.5 s"):
        await power.start("alice", spec_hash="h1", within=0.5)
    found = await power.container("alice")
    assert found is not None
    assert found.state == "exited"


async def test_a_container_that_goes_away_while_it_starts_is_stale(
    make: Maker, power: DockerPower, tmp_path: Path
) -> None:
    container = await make.workspace("alice", folder=elsewhere(tmp_path))
    async with asyncio.TaskGroup() as group:
        starting = group.create_task(_failure(power.start("alice", spec_hash="h1", within=30)))
        await _until_running(power, "alice")
        await power.remove_container(container)
    assert isinstance(starting.result(), StaleContainerError)


async def test_one_that_is_stopped_while_it_starts_is_started_once_more(
    make: Maker, power: DockerPower, tmp_path: Path
) -> None:
    """As by an engine that is itself restarted; what ends by itself, the engine starts anew."""
    container = make.docker.containers.container(
        await make.workspace("alice", folder=elsewhere(tmp_path))
    )

    async def began() -> str:
        return str((await container.show())["State"]["StartedAt"])

    async def again(first: str) -> bool:
        return await began() != first

    async with asyncio.TaskGroup() as group:
        starting = group.create_task(_failure(power.start("alice", spec_hash="h1", within=30)))
        await _until_running(power, "alice")
        first = await began()
        await container.stop(t=1)
        await until(partial(again, first))
        await _until_running(power, "alice")
        await container.stop(t=1)
    error = starting.result()
    assert isinstance(error, StartFailedError)
    assert "ended with exit code" in error.message


async def _failure(awaited: Any) -> Exception | None:
    try:
        await awaited
    except (IsolationUnenforcedError, StaleContainerError, StartFailedError) as error:
        return error
    return None


async def _until_running(power: DockerPower, workspace: str) -> None:
    async def running() -> bool:
        found = await power.container(workspace)
        return found is not None and found.running

    await until(running)


async def test_a_network_that_is_gone_makes_the_container_stale(
    make: Maker, power: DockerPower
) -> None:
    name = f"{make.prefix}net"
    network = await make.docker.networks.create({"Name": name, "CheckDuplicate": True})
    await make.workspace("alice", network=name)
    await network.delete()
    with pytest.raises(StaleContainerError, match="cannot be started"):
        await power.start("alice", spec_hash="h1", within=5)


async def test_a_container_that_is_refused_twice_is_broken(make: Maker, power: DockerPower) -> None:
    await make.workspace("alice", devices=("/dev/not-there",))
    with pytest.raises(StaleContainerError, match="not-there") as caught:
        await power.start("alice", spec_hash="h1", within=5)
    assert (caught.value.broken, caught.value.supposed) == (True, True)


async def test_what_ends_while_it_is_watched_is_not_started_where_nothing_may_be(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when its engine is restarted: whoever let it run knew of another state of the machine."""

    async def open_door() -> None:
        raise IsolationUnenforcedError("the door is open")

    container = make.docker.containers.container(
        await make.workspace("alice", folder=elsewhere(tmp_path))
    )
    await container.start()
    async with DockerPower(name_prefix=make.prefix, run=make.run, cleared=open_door) as power:
        there, watched = power._there, asyncio.Event()

        async def seen(found: Container) -> dict[str, Any]:
            watched.set()
            return await there(found)

        monkeypatch.setattr(power, "_there", seen)
        async with asyncio.TaskGroup() as group:
            starting = group.create_task(_failure(power.start("alice", spec_hash="h1", within=30)))
            await watched.wait()
            await container.stop(t=1)
        assert isinstance(starting.result(), IsolationUnenforcedError)
        found = await power.container("alice")
        assert found is not None
        assert found.state == "exited"


async def test_one_that_is_found_while_it_ends_again_and_again_is_stopped(
    make: Maker, power: DockerPower, tmp_path: Path
) -> None:
    """The runner was killed while it started it; the engine would restart it for ever."""
    forbidden = tmp_path / "forbidden"
    forbidden.mkdir(mode=0o700)
    container = make.docker.containers.container(await make.workspace("alice", folder=forbidden))
    await container.start()

    async def loops() -> bool:
        return int((await container.show())["RestartCount"]) > 0

    await until(loops)
    with pytest.raises(StartFailedError, match=r"ended (again and again|with exit code)"):
        await power.start("alice", spec_hash="h1", within=30)
    found = await power.container("alice")
    assert found is not None
    assert found.state == "exited"


async def test_a_name_that_is_taken_names_the_remedy(make: Maker, power: DockerPower) -> None:
    await make.container("alice", labels={})
    with pytest.raises(NameTakenError) as caught:
        await power.container("alice")
    assert caught.value.step == "container"
    assert f"docker rename {make.prefix}alice" in caught.value.remedy


async def test_a_missing_image_names_the_remedy(power: DockerPower, light_image: str) -> None:
    await power.check_image(light_image)
    with pytest.raises(ImageMissingError) as caught:
        await power.check_image("codehub-test-none:1")
    assert caught.value.message == (
        "image codehub-test-none:1 is not on this engine; build or pull it"
    )


@pytest.mark.parametrize(
    ("line", "inside"),
    [
        ("VOLUME /home/coder/project", "/home/coder/project"),
        (
            'VOLUME ["/data", "/home//coder/x/../b/", "home/coder/a"]',
            "/home/coder/a, /home/coder/b",
        ),
    ],
)
async def test_an_image_that_keeps_parts_of_the_home_elsewhere_is_refused(
    power: DockerPower, derived: Derive, line: str, inside: str
) -> None:
    image = await derived(line)
    with pytest.raises(ImageUnfitError) as caught:
        await power.check_image(image)
    assert f"image {image} declares a VOLUME inside the home, at {inside}:" in caught.value.message
    assert caught.value.step == "image"
    assert "without that VOLUME" in caught.value.remedy


async def test_volumes_at_the_home_itself_and_outside_of_it_are_fine(
    power: DockerPower, derived: Derive
) -> None:
    await power.check_image(
        await derived('VOLUME ["/home/coder/", "/home/coder2", "/home", "/var"]')
    )


async def test_logs_are_the_last_lines(make: Maker, power: DockerPower) -> None:
    with pytest.raises(UnknownWorkspaceError):
        await power.logs("alice", tail=1)
    await make.workspace("alice")
    assert await power.logs("alice", tail=1) == ""


async def test_all_lines_that_can_be_asked_for_are_given_and_endless_ones_told_to_be_cut(
    make: Maker, power: DockerPower
) -> None:
    await make.workspace("alice")
    await power.start("alice", spec_hash="h1", within=30)
    await power.stop("alice", grace=1)
    found = await make.docker.containers.container(f"{make.prefix}alice").show()
    log = Path(found["LogPath"])
    _print(log, [f"{number}\n" for number in range(MAX_LOG_TAIL + 1)])
    lines = (await power.logs("alice", tail=MAX_LOG_TAIL)).splitlines()
    assert (len(lines), lines[0], lines[-1]) == (MAX_LOG_TAIL, "1", f"{MAX_LOG_TAIL}")
    _print(log, [f"{number:010}{'x' * 9990}\n" for number in range(MOST_BYTES // 10_000 + 9)])
    told, *kept = (await power.logs("alice", tail=MAX_LOG_TAIL)).splitlines(keepends=True)
    assert told == CUT
    assert 0 <= MOST_BYTES - len("".join(kept)) < 10_001
    assert kept[-1].startswith(f"{MOST_BYTES // 10_000 + 8:010}")


def _print(log: Path, lines: list[str]) -> None:
    """Write a container's log as the engine does, for it has no way to print so much."""
    entries = ({"log": line, "stream": "stdout", "time": "2026-01-01T00:00:00Z"} for line in lines)
    log.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))


async def test_leftovers_are_found_by_label_and_name(make: Maker, power: DockerPower) -> None:
    container = await make.workspace("alice")
    labels = make.labels("alice")
    network = f"{make.prefix}net"
    await make.docker.networks.create({"Name": network, "Labels": labels})
    found = await power.find(labels)
    assert sorted((left.kind, left.name) for left in found) == [
        ("container", f"{make.prefix}alice"),
        ("network", network),
        ("volume", f"{make.prefix}alice-home-1"),
    ]
    for left in found:
        named = await power.named(left.kind, left.name)
        assert named == left
    assert await power.named("container", f"{make.prefix}none") is None
    assert await power.named("volume", f"{make.prefix}alice-home") is None
    assert await power.named("network", f"{make.prefix}n") is None
    await power.remove_container(container)
    await power.remove_container(container)
    assert await power.container("alice") is None
    assert [left.kind for left in await power.find(labels)] == ["volume", "network"]


async def test_an_engine_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/none.sock"
    async with DockerPower(name_prefix="x-", run=tmp_path, docker_host=host) as power:
        for call in (power.inventory(), power.check_image("x"), power.stop("x", grace=1)):
            with pytest.raises(EngineUnavailableError) as caught:
                await call
            assert "the engine does not answer" in caught.value.message


async def test_a_refusal_quotes_the_engine(make: Maker, power: DockerPower) -> None:
    await make.workspace("alice", Entrypoint=["/not/there"])
    with pytest.raises(EngineRefusedError, match=r"the engine said: .*not/there"):
        await power.start("alice", spec_hash="h1", within=5)


async def test_calls_before_it_is_open_are_a_mistake(tmp_path: Path) -> None:
    power = DockerPower(name_prefix="x-", run=tmp_path)
    with pytest.raises(AssertionError, match="async with"):
        await power.inventory()
