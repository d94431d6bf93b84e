"""Faults stop only their own workspace, say the step and the remedy, and lose nothing."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from stacks.errors import EngineUnavailableError, LockHeldError, OperationKilledError, SourceError
from stacks.steps import Result
from state_index.phases import Phase, Sync
from tests.stacks.conftest import Derive
from tests.stacks.house import House
from tests.stacks.proxy import Cut

pytestmark = pytest.mark.engine


def by_id(results: list[Result]) -> dict[str, Result]:
    return {result.id: result for result in results}


async def test_a_missing_image_stops_only_its_workspace(house: House) -> None:
    house.write("alice")
    house.write("bob", image="codehub-test-none")
    results = by_id(await house.up())
    assert results["alice"].phase == Phase.RUNNING
    bob = results["bob"]
    assert (bob.phase, bob.reason, bob.step) == (Phase.ERROR, "IMAGE_MISSING", "image")
    assert bob.message == "image codehub-test-none is not on this engine; build or pull it"
    row = house.row("bob")
    assert row is not None
    assert (row.reason, row.step, row.sync) == ("IMAGE_MISSING", "image", Sync.OUT_OF_SYNC)
    assert "Build or pull the image" in row.message
    assert await house.volumes() == {"alice-home-1"}, "no home was made for nothing"
    house.write("bob")
    assert by_id(await house.up())["bob"].phase == Phase.RUNNING


async def test_an_image_that_would_lose_files_of_the_home_replaces_nothing(
    house: House, derived: Derive
) -> None:
    house.write("alice")
    await house.up()
    before = await house.started("alice")
    unfit = await derived("VOLUME /home/coder/project")
    house.write("alice", image=unfit)
    house.write("bob", image=unfit)
    # Whoever works in the one that runs goes on.
    phases = {"alice": Phase.RUNNING, "bob": Phase.ERROR}
    for result in await house.up():
        assert (result.reason, result.step) == ("IMAGE_UNFIT", "image")
        assert result.phase == phases[result.id]
        assert "/home/coder/project" in result.message
        assert not result.retryable
    assert await house.started("alice") == before
    assert await house.volumes() == {"alice-home-1"}
    house.write("alice", image=await derived("VOLUME /home/coder"))
    await house.leave_marker("alice", "mine")
    assert by_id(await house.up("alice"))["alice"].action == "replace"
    assert await house.marker("alice") == "mine"


async def test_a_taken_name_stops_only_its_workspace(house: House) -> None:
    name = f"{house.prefix}bob"
    await house.docker.containers.create({"Image": house.image}, name=name)
    house.write("alice")
    house.write("bob")
    results = by_id(await house.up())
    assert results["alice"].phase == Phase.RUNNING
    bob = results["bob"]
    assert (bob.phase, bob.reason, bob.step) == (Phase.ERROR, "NAME_TAKEN", "container")
    assert "docker rename" in bob.remedy
    assert await house.volumes() == {"alice-home-1"}
    await house.remove_container("bob")
    assert by_id(await house.up())["bob"].phase == Phase.RUNNING


def plugin_killed_once(house: House, folder: Path) -> Path:
    """Make a home for Pulumi whose Docker plugin is killed as it starts, the first time."""
    home, real = folder / "pulumi-home", house.settings.pulumi_home
    shutil.copytree(real / "plugins", home / "plugins", symlinks=True)
    shutil.copy(real / "identity", home)
    (there,) = real.glob("plugins/*/pulumi-resource-docker")
    plugin = home / there.relative_to(real)
    plugin.unlink()  # not the real one that it leads to
    plugin.write_text(f'#!/bin/sh\nmkdir "{folder}/killed" && kill -9 $$\nexec "{there}" "$@"\n')
    plugin.chmod(0o755)
    return home


async def test_a_plugin_that_was_killed_as_it_started_heals_by_itself(
    house: House, tmp_path: Path
) -> None:
    home = plugin_killed_once(house, tmp_path)
    told = replace(house, extra={"CODEHUB_PULUMI_HOME": str(home)})
    told.write("alice")
    async with told.daemon():
        await told.until_phase("alice", Phase.RUNNING)
    assert OperationKilledError.reason in told.log()


async def test_an_ide_that_does_not_come_up_is_told(house: House) -> None:
    house.write("alice")
    async with house.runner() as runner:
        await runner.up()
        await runner.stop("alice")
        # A folder where the IDE's socket should be: it cannot listen there.
        blocked = house.settings.paths.run / "alice" / "ide.sock"
        blocked.unlink(missing_ok=True)
        (blocked / "full").mkdir(parents=True)
        failed = await runner.start("alice")
        assert (failed.phase, failed.reason, failed.step) == (Phase.ERROR, "START_FAILED", "start")
        assert not failed.retryable
        assert (await runner.logs("alice")).strip()
        (blocked / "full").rmdir()
        blocked.rmdir()
        assert (await runner.start("alice")).phase == Phase.RUNNING


@pytest.mark.parametrize("phase", ["kept", "revived"])
async def test_a_lost_home_is_never_made_anew(house: House, phase: str) -> None:
    house.write("alice")
    house.write("bob")
    async with house.runner() as runner:
        await runner.up()
        if phase == "revived":
            house.remove("alice")
            await runner.destroy("alice")
            house.write("alice")
        else:
            await house.remove_container("alice")
        await house.remove_volume("alice-home-1")
        results = by_id(await runner.up())
        assert results["bob"].action == "nothing"
        alice = results["alice"]
        assert (alice.phase, alice.reason, alice.step) == (Phase.ERROR, "HOME_MISSING", "home")
        assert f"the volume {house.prefix}alice-home-1, is not on this engine" in alice.message
        started = await runner.start("alice")
        assert started.reason == "HOME_MISSING"
    assert await house.volumes() == {"bob-home-1"}
    assert "alice" not in await house.containers()


async def test_a_bad_file_leaves_its_workspace_as_it_is(house: House) -> None:
    house.write("alice")
    house.write("bob")
    async with house.runner() as runner:
        await runner.up()
        before = await house.started("alice")
        house.write_raw("alice", "owner: alice\nimage: light\ncolour: red\n")
        results = by_id(await runner.up())
        assert results["bob"].action == "nothing"
        assert (results["alice"].reason, results["alice"].sync) == ("INVALID_FILE", Sync.INVALID)
        assert results["alice"].phase == Phase.RUNNING
        row = house.row("alice")
        assert row is not None
        assert row.problems[0]["line"] == 3
        assert row.problems[0]["file"].endswith("alice.yaml")
        assert await house.started("alice") == before
        assert (await runner.stop("alice")).phase == Phase.WARM
        house.write("alice")
        assert by_id(await runner.up())["alice"].sync == Sync.SYNCED
        found = house.row("alice")
        assert found is not None
        assert (found.problems, found.message) == ((), "")


async def test_a_file_that_was_never_right_is_shown_and_forgotten(house: House) -> None:
    house.write("alice", state="warm")
    house.write_raw("bob", "owner: bob\n")
    results = by_id(await house.up())
    assert (results["bob"].reason, results["bob"].sync) == ("INVALID_FILE", Sync.INVALID)
    house.remove("bob")
    assert by_id(await house.up())["bob"].action == "forget"
    assert house.row("bob") is None


async def test_an_empty_or_missing_folder_deletes_nothing(house: House) -> None:
    house.write("alice")
    await house.up()
    before = await house.started("alice")
    house.remove("alice")
    (kept,) = await house.up(prune=True)
    assert (kept.action, kept.phase, kept.sync) == ("nothing", Phase.RUNNING, Sync.OUT_OF_SYNC)
    house.folder.rmdir()
    with pytest.raises(SourceError, match="no such file"):
        await house.up("alice")
    with pytest.raises(SourceError, match="no such file"):
        await house.up(prune=True)
    async with house.runner() as runner:
        with pytest.raises(SourceError, match="not known"):
            await runner.destroy("alice")
    assert await house.started("alice") == before


async def test_a_half_written_file_deletes_nothing_and_counts_when_whole(house: House) -> None:
    house.write("alice")
    house.write("bob", state="warm")
    await house.up()
    before = await house.started("alice")
    path = house.folder / "alice.yaml"
    whole = path.read_text()
    async with house.runner() as runner, asyncio.TaskGroup() as group:
        path.write_text(whole[: len(whole) // 2])
        working = group.create_task(runner.up(prune=True))
        while not working.done():
            with path.open("a") as file:
                file.write("#")
            await asyncio.wait({working}, timeout=0.02)
        assert by_id(working.result())["alice"].action == "nothing"
        assert by_id(working.result())["bob"].action == "nothing"
        path.write_text(whole)
        assert by_id(await runner.up(prune=True))["alice"].action == "nothing"
    assert await house.started("alice") == before


async def test_two_runners_the_second_is_told_who_holds_the_lock(house: House) -> None:
    async with house.runner():
        with pytest.raises(LockHeldError, match=r"pid \d+ \(.+\), since 20"):
            await house.up()


async def test_an_engine_that_goes_away_is_unknown_and_comes_back(house: House) -> None:
    cut = Cut(house.root / "engine.sock")
    house = replace(house, extra={"CODEHUB_DOCKER_HOST": cut.host})
    await cut.join()
    house.write("alice")
    house.write("bob", state="warm")
    await house.up()
    before = await house.started("alice")
    await cut.cut()
    house.write("carol", state="warm")
    with pytest.raises(EngineUnavailableError, match="the engine does not answer"):
        await house.up()
    for workspace in ("alice", "bob", "carol"):
        row = house.row(workspace)
        assert row is not None
        assert (row.phase, row.reason) == (Phase.UNKNOWN, "ENGINE_UNAVAILABLE"), workspace
        assert "Start the Docker engine" in row.message
    await cut.join()
    results = by_id(await house.up())
    assert {id_: result.phase for id_, result in results.items()} == {
        "alice": Phase.RUNNING,
        "bob": Phase.WARM,
        "carol": Phase.WARM,
    }
    assert await house.started("alice") == before
    await cut.cut()
