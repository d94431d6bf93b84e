"""gc on a real engine, a real data tree and a real index: what goes, and what only looks like it."""

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiodocker
import pytest

from settings import tree
from stacks.errors import (
    EngineRefusedError,
    EngineUnavailableError,
    LockHeldError,
    NotLeadingError,
)
from stacks.gc import engine
from stacks.gc.decide import IMAGE_LABEL, RUNS
from stacks.gc.model import Fate, Item, Kind
from stacks.programs.inputs import LABEL_HOME, LABEL_PREFIX, LABEL_TREE, LABEL_WORKSPACE
from state_index.index import Index
from state_index.phases import Event
from tests.stacks.house import House
from tools.engine import Engine

pytestmark = pytest.mark.engine

PRUNED = "old records:files"


@pytest.fixture
def house(house: House, tmp_path: Path) -> House:
    """One with a row, so that its index is not lost, and Pulumi's folder of its own."""
    more = {"CODEHUB_PULUMI_HOME": str(tmp_path / "pulumi-home")}
    made = House(
        root=house.root, prefix=house.prefix, docker=house.docker, image=house.image, extra=more
    )
    made.settings.paths.make()
    made.write("alice")
    with Index.open(made.settings.index_url) as index:
        index.publish("alice", event=Event.PROVISION, cause="test", owner="alice")
    return made


def labels(house: House, workspace: str = "ghost", **other: str) -> dict[str, str]:
    own = tree.ensure(house.settings.paths.tree).own
    told = {LABEL_WORKSPACE: workspace, LABEL_PREFIX: house.prefix, LABEL_TREE: own}
    return told | {f"codehub.{key}": value for key, value in other.items()}


async def make(house: House, name: str, told: dict[str, str], **more: Any) -> Any:
    config = {"Image": house.image, "Labels": told, **more}
    return await house.docker.containers.create(config, name=f"{house.prefix}{name}")


async def make_network(house: House, name: str, told: dict[str, str]) -> str:
    config = {"Name": f"{house.prefix}{name}", "Driver": "bridge", "Labels": told}
    return str((await house.docker.networks.create(config)).id)


@pytest.fixture
async def nameless(docker: aiodocker.Docker, prefix: str) -> AsyncIterator[dict[str, str]]:
    """Images that lost their name to a newer one: ours, ours in use, and somebody's.

    And some that are named by their keys, beside the one that is `latest`.
    """

    def build(told: str) -> dict[str, str]:
        engine, found = Engine.from_env(), {}
        for kind in ("free", "used", "theirs"):
            changes = [f'LABEL {IMAGE_LABEL}="{prefix}"'] if kind != "theirs" else []
            for number in "12":
                layer = io.BytesIO()
                with tarfile.open(fileobj=layer, mode="w") as archive:
                    archive.addfile(tarfile.TarInfo(f"{told}-{kind}-{number}"))
                engine.import_image([layer.getvalue()], f"{prefix}image", kind, changes)
                if number == "1":
                    found[kind] = str(engine.image_id(f"{prefix}image:{kind}"))
        for tag, key in (("key-1", "key-1"), ("key-2", "key-2"), ("latest", "key-2")):
            layer = io.BytesIO()
            with tarfile.open(fileobj=layer, mode="w") as archive:
                archive.addfile(tarfile.TarInfo(f"{told}-{tag}"))
            label = [f'LABEL {IMAGE_LABEL}="{key}"']
            engine.import_image([layer.getvalue()], f"{prefix}image", tag, label)
            found[tag] = str(engine.image_id(f"{prefix}image:{tag}"))
        return found

    made = await asyncio.to_thread(build, prefix)
    yield made
    for id_ in [*made.values(), *(f"{prefix}image:{kind}" for kind in made)]:
        with suppress(aiodocker.exceptions.DockerError):  # gc removed it
            await docker.images.delete(id_, force=True)


def fates(items: list[Item], house: House) -> dict[str, str]:
    """What became of what bears this test's prefix."""
    return {
        item.name.removeprefix(house.prefix): item.fate
        for item in items
        if item.name.startswith(house.prefix)
    }


async def furnish(house: House, nameless: dict[str, str]) -> tuple[str, str]:
    """Make leftovers and their look-alikes; give a network that is free, and one in use."""
    for name, told in {
        "ghost": labels(house),
        "no-label": {},
        "other-tree": labels(house, "other-tree", tree="f" * 16),
        "other-prefix": labels(house, "other-prefix", prefix="codehub-test-else-"),
        "alice": labels(house, "alice"),
        "forged": labels(house, "forged"),
        "stray": labels(house, "alice"),
    }.items():
        made = await make(house, name, told)
        if name == "forged":
            await made.start()
    await make(house, "maker", {}, Image=nameless["used"], Cmd=["/a"])
    free = await make_network(house, "free", labels(house))
    used = await make_network(house, "used", labels(house))
    await make_network(house, "unlabelled", {})
    await make(house, "attached", {}, HostConfig={"NetworkMode": f"{house.prefix}used"})
    for id_ in ("ghost", "theirs"):
        told = {**labels(house, id_), LABEL_HOME: "1"} if id_ == "ghost" else {}
        config = {"Name": f"{house.prefix}{id_}-home-1", "Labels": told}
        await house.docker.volumes.create(config)  # type: ignore[no-untyped-call]
    for id_ in ("ghost", "forged", "lost"):
        (house.settings.paths.run / id_).mkdir()
    return free, used


async def test_what_is_left_over_goes_and_look_alikes_stay(
    house: House, nameless: dict[str, str]
) -> None:
    """The labels decide, and what is in use stays: with everything that the engine has by them."""
    free, used = await furnish(house, nameless)
    run = house.settings.paths.run
    async with house.runner() as runner:
        listed = await runner.gc()
        assert fates(listed, house) == {
            "ghost": "found",
            "forged": "kept",
            "stray": "kept",
            "image:key-1": "found",
            "image:key-2": "found",
            "free": "found",
            "used": "kept",
            "ghost-home-1": "kept",
        }
        by_id = {item.id: item for item in listed}
        assert by_id[nameless["free"]].fate is Fate.FOUND
        assert by_id[nameless["used"]].fate is Fate.KEPT
        assert nameless["theirs"] not in by_id
        assert [item.name for item in listed if item.kind is Kind.RUN_FOLDER] == ["lost"]
        # Others use this engine too: their images are theirs to remove.
        ours = {*fates(listed, house), "lost"}
        meant = [item.key for item in listed if item.name.removeprefix(house.prefix) in ours]
        meant.append(by_id[nameless["free"]].key)
        removed = await runner.gc(remove=True, only=meant, actor="cli:test")
        assert {item.fate for item in removed} == {Fate.REMOVED, Fate.KEPT}
        left = await runner.gc()
        assert set(fates(left, house)) == {"forged", "stray", "used", "ghost-home-1"}
        images = await house.docker.images.list(filters={"reference": [f"{house.prefix}image"]})
        tags = {tag for image in images for tag in image["RepoTags"]}
        assert {tag.partition(":")[2] for tag in tags} == {"free", "used", "theirs", "latest"}

    assert await house.containers() == {
        "no-label",
        "other-tree",
        "other-prefix",
        "alice",
        "stray",
        "forged",
        "maker",
        "attached",
    }
    networks = {data["Id"]: data["Name"] for data in await house.docker.networks.list()}
    assert free not in networks
    assert used in networks
    assert f"{house.prefix}unlabelled" in networks.values()
    assert await house.volumes() == {"ghost-home-1", "theirs-home-1"}
    # `ghost`'s folder was its container's; the next look takes it.
    assert {path.name for path in run.iterdir()} == {"ghost", "forged"}


async def test_what_came_into_use_meanwhile_is_refused_by_the_engine(house: House) -> None:
    """Between look and removal: nothing is forced, and the answer says why."""
    made = await make(house, "ghost", labels(house))
    async with house.runner() as runner:
        listed = await runner.gc()
        collector = runner._collector
        (item,) = (each for each in listed if each.name == f"{house.prefix}ghost")
        await made.start()
        async with collector._docker() as docker:
            scene = await collector._scene(docker)
            kept = await collector._removed(docker, item, scene)
            assert (kept.fate, kept.remedy) == (Fate.KEPT, RUNS)
            with pytest.raises(EngineRefusedError, match="running"):
                await engine.remove(docker, item.kind, item.id, fence=collector._fence)
            assert (await made.show())["State"]["Running"]
            await made.stop(t=0)
            await made.rename(f"{house.prefix}mine")
            kept = await collector._removed(docker, item, scene)
            assert (kept.fate, "docker rm" in kept.remedy) == (Fate.KEPT, True)
            await made.delete(force=True)
            gone = await collector._removed(docker, item, scene)
            assert gone.fate is Fate.REMOVED, "gone is fine"


async def test_who_may_not_act_removes_nothing(house: House) -> None:
    (house.settings.paths.run / "lost").mkdir()
    async with house.runner() as runner:
        with pytest.raises(LockHeldError):
            async with house.runner():
                raise AssertionError("two sat in one seat")
        runner._collector._fence.close()
        with pytest.raises(NotLeadingError):
            await runner.gc(remove=True)
    assert (house.settings.paths.run / "lost").exists()


async def test_what_was_done_is_told_though_the_rest_fails(house: House) -> None:
    """The right to act ends in the middle: what went before is told, and of the others why they stay."""
    run = house.settings.paths.run
    for id_ in ("first", "second"):
        (run / id_).mkdir()
    async with house.runner() as runner:
        listed = await runner.gc()
        folders = [item for item in listed if item.kind is Kind.RUN_FOLDER]
        fence = runner._collector._fence
        collector = runner._collector
        looked = collector._stays

        async def stays(workspace: str) -> str:
            if workspace == "second":
                fence.close()
            return await looked(workspace)

        collector._stays = stays  # type: ignore[method-assign]
        done = await runner.gc(remove=True, only=[*(item.key for item in folders), PRUNED])
    assert [(item.name, item.fate) for item in done] == [
        ("first", "removed"),
        ("second", "failed"),
        ("old records", "failed"),
    ]
    assert "the lease is not held" in done[1].remedy
    assert [path.name for path in run.iterdir()] == ["second"]


async def test_what_the_queue_is_at_or_came_back_is_left_alone(house: House) -> None:
    run = house.settings.paths.run
    for id_ in ("busy", "back", "lost"):
        (run / id_).mkdir()
    async with house.runner() as runner:
        listed = await runner.gc()
        folders = [item for item in listed if item.kind is Kind.RUN_FOLDER]
        assert len(folders) == 3
        house.write("back")
        with runner.queue.gaps.alone("busy"):
            collector = runner._collector
            async with collector._docker() as docker:
                scene = await collector._scene(docker)
                done = [await collector._removed(docker, item, scene) for item in listed]
            # Others use this engine too: what images they left is theirs to remove.
            again = await runner.gc(remove=True, only=[item.key for item in folders])
    assert {item.name: item.fate for item in done if item.kind is Kind.RUN_FOLDER} == {
        "busy": "kept",
        "back": "kept",
        "lost": "removed",
    }
    assert not [item for item in again if item.kind is Kind.RUN_FOLDER]
    assert {path.name for path in run.iterdir()} == {"busy", "back"}


async def test_without_an_engine_nothing_is_known(house: House) -> None:
    more = {**house.extra, "CODEHUB_DOCKER_HOST": f"unix://{house.root}/nowhere.sock"}
    deaf = House(
        root=house.root, prefix=house.prefix, docker=house.docker, image=house.image, extra=more
    )
    (house.settings.paths.run / "lost").mkdir()
    async with deaf.runner() as runner:
        with pytest.raises(EngineUnavailableError):
            await runner.gc(remove=True)
    assert (house.settings.paths.run / "lost").exists()
