"""What the runner's tests share: a prefix of their own on the real engine, cleaned up at the end."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import aiodocker
import pytest
from aiodocker.exceptions import DockerError

from tests.stacks.house import House
from tests.waiting import until

LIGHT_IMAGE = os.environ.get("CODEHUB_TEST_LIGHT_IMAGE", "codehub/light:latest")
"""Built by images/; serves /healthz on the IDE's socket."""


@pytest.fixture
async def docker() -> AsyncIterator[aiodocker.Docker]:
    """A client of the engine, apart from the one that is tested."""
    client = aiodocker.Docker(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
def light_image() -> str:
    """An image that keeps the contract and starts in milliseconds."""
    return LIGHT_IMAGE


@pytest.fixture
async def prefix(docker: aiodocker.Docker) -> AsyncIterator[str]:
    """A name prefix of this test's own; what was made under it is removed at the end."""
    name = f"codehub-test-{uuid.uuid4().hex[:8]}-"
    try:
        yield name
    finally:
        await remove_all(docker, name)


Derive = Callable[[str], Awaitable[str]]


@pytest.fixture
async def derived(docker: aiodocker.Docker, prefix: str, light_image: str) -> AsyncIterator[Derive]:
    """Makes images from the light one with one line more, as `docker commit -c` does."""
    made: list[str] = []

    async def derive(line: str) -> str:
        name = f"{prefix}image-{len(made)}"
        container = await docker.containers.create({"Image": light_image}, name=f"{prefix}base")
        try:
            await container.commit(repository=name, tag="1", changes=line)
        finally:
            await container.delete(force=True, v=True)
        made.append(f"{name}:1")
        return made[-1]

    try:
        yield derive
    finally:
        for image in made:
            # By force: this test's containers go after it.
            await docker.images.delete(image, force=True)


@pytest.fixture
def house(tmp_path: Path, prefix: str, docker: aiodocker.Docker, light_image: str) -> House:
    """Surroundings of a runner, with nothing in them yet."""
    (tmp_path / "workspaces.d").mkdir()
    return House(root=tmp_path, prefix=prefix, docker=docker, image=light_image, extra={})


async def remove_all(docker: aiodocker.Docker, prefix: str) -> None:
    """Remove every container, volume and network whose name begins with the prefix."""
    listed = await docker.containers.list(all=True)
    ours = [found for found in listed if found["Names"][0].startswith(f"/{prefix}")]
    await asyncio.gather(*(found.delete(force=True, v=True) for found in ours))
    volumes = (await docker.volumes.list()).get("Volumes") or []  # type: ignore[no-untyped-call]
    for data in volumes:
        if data["Name"].startswith(prefix):
            await aiodocker.volumes.DockerVolume(docker, data["Name"]).delete()  # type: ignore[no-untyped-call]
    for data in await docker.networks.list():
        if data["Name"].startswith(prefix):
            try:
                await until(partial(_removed, docker, data["Id"]), within=10)
            except TimeoutError:
                # Docker 20.10 may lose count of a network's endpoints when a container is connected and
                # removed at once: that goes with the engine's next start.
                print(f"{data['Name']} is left: the engine has endpoints of no container")  # noqa: T201


async def _removed(docker: aiodocker.Docker, network: str) -> bool:
    try:
        await aiodocker.networks.DockerNetwork(docker, network).delete()  # type: ignore[no-untyped-call]
    except DockerError as error:
        if "active endpoints" in error.message:
            return False
        raise
    return True
