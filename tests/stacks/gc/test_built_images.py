"""gc of images that an engine built by our Dockerfiles: what a former build took of the disk is free."""

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator
from contextlib import suppress

import aiodocker
import pytest

from stacks.gc import collector
from stacks.gc.decide import IMAGE_LABEL, Scene, leftovers
from stacks.gc.model import Fate, Item
from state_index.index import Index
from state_index.phases import Event
from tests.stacks.house import House
from tools.engine import Engine

pytestmark = pytest.mark.engine

BASE = "FROM scratch\nCOPY a /a\nENV A=1\n"
ABOVE = 'ARG BASE\nFROM ${BASE}\nCOPY b /b\nENV B=1\nCMD ["/a"]\n'


def build(prefix: str, number: int) -> None:
    """Build a base and a service above it, as the set-up does, and make them `latest`."""
    engine, key = Engine.from_env(), f"key-{number}"
    base = f"{prefix}base:{key}"
    for name, recipe in (("base", BASE), ("service", ABOVE)):
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as tar:
            for path, text in (("Dockerfile", recipe), ("a", f"{prefix}{number}"), ("b", key)):
                entry = tarfile.TarInfo(path)
                entry.size = len(text)
                tar.addfile(entry, io.BytesIO(text.encode()))
        engine.build(
            [context.getvalue()],
            f"{prefix}{name}:{key}",
            labels={IMAGE_LABEL: key},
            arguments={"BASE": base} if name == "service" else {},
        )
        engine.tag(f"{prefix}{name}:{key}", f"{prefix}{name}", "latest")


async def steps(docker: aiodocker.Docker, image: str) -> set[str]:
    """Give the ids of an image and of all images that it was built from."""
    found, image_id = set(), (await docker.images.inspect(image))["Id"]
    while image_id:
        found.add(image_id)
        image_id = (await docker.images.inspect(image_id))["Parent"]
    return found


@pytest.fixture
async def builds(docker: aiodocker.Docker, prefix: str) -> AsyncIterator[list[set[str]]]:
    """Two builds, of which the second is `latest`: the ids of all that each consists of."""
    made: list[set[str]] = []
    for number in (1, 2):
        await asyncio.to_thread(build, prefix, number)
        made.append(await steps(docker, f"{prefix}service:latest"))
    yield made
    for name in ("service", "base"):
        for tag in ("key-1", "key-2", "latest"):
            with suppress(aiodocker.exceptions.DockerError):
                await docker.images.delete(f"{prefix}{name}:{tag}", force=True)


@pytest.mark.parametrize("base_first", [True, False])
async def test_a_former_build_goes_with_all_of_its_steps(
    house: House, builds: list[set[str]], monkeypatch: pytest.MonkeyPatch, *, base_first: bool
) -> None:
    """In whichever order the engine lists them: what was built in one second has none."""

    def in_order(scene: Scene) -> tuple[Item, ...]:
        return tuple(sorted(leftovers(scene), key=lambda it: it.name, reverse=not base_first))

    monkeypatch.setattr(collector, "leftovers", in_order)
    former, latest = builds
    assert len(former) == len(latest) > 4
    assert not former & latest
    house.settings.paths.make()
    house.write("alice")
    with Index.open(house.settings.index_url) as index:
        index.publish("alice", event=Event.PROVISION, cause="test", owner="alice")
    async with house.runner() as runner:
        found = [item for item in await runner.gc() if item.name.startswith(house.prefix)]
        names = {item.name.removeprefix(house.prefix) for item in found}
        assert names == {"base:key-1", "service:key-1"}
        removed = await runner.gc(remove=True, only=[item.key for item in found])
        told = {item.fate for item in removed if item.name.startswith(house.prefix)}
        assert told == {Fate.REMOVED}
    listed = await house.docker.images.list(all=True)
    left = {image["Id"] for image in listed}
    assert latest <= left
    assert not former & left
