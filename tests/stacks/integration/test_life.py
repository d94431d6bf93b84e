"""A workspace's life, end to end, on the real Pulumi and the real engine."""

from collections.abc import AsyncIterator

import pytest

from stacks.errors import BadRequestError, FileStandsError, PinnedError, UnknownWorkspaceError
from stacks.operator import MAX_LOG_TAIL
from stacks.runner import Runner
from stacks.steps import Step
from state_index.index import Index
from state_index.phases import Phase, Sync
from tests.stacks.house import House

pytestmark = pytest.mark.engine


@pytest.fixture
async def runner(house: House) -> AsyncIterator[Runner]:
    """A runner over one workspace that was brought up and holds a marker in its home."""
    house.write("alice")
    async with house.runner() as runner:
        await runner.up()
        await house.leave_marker("alice", "mine")
        yield runner


async def test_a_new_file_runs_and_the_second_up_is_nothing(house: House) -> None:
    house.write("alice")
    steps: list[Step] = []
    async with house.runner() as runner:
        (made,) = await runner.up(on_step=steps.append)
        assert (made.action, made.phase, made.sync) == ("create", Phase.RUNNING, Sync.SYNCED)
        phases = list(dict.fromkeys(step.phase for step in steps))
        assert phases == [Phase.PROVISIONING, Phase.STARTING, Phase.RUNNING]
        assert {"image", "start"} <= {step.step for step in steps}
        before = await house.started("alice")
        (again,) = await runner.up()
    assert (again.action, again.changed) == ("nothing", False)
    assert await house.started("alice") == before
    row = house.row("alice")
    assert row is not None
    assert (row.upstream, row.image, row.owner) == ("unix:alice/ide.sock", house.image, "alice")
    assert row.applied_hash == row.desired_hash != ""
    assert (row.step, row.reason, row.message) == ("", "", "")


async def test_stop_and_start_keep_container_and_home(house: House, runner: Runner) -> None:
    before, _ = await house.started("alice")
    stopped = await runner.stop("alice")
    assert (stopped.action, stopped.phase) == ("stop", Phase.WARM)
    assert (await runner.up())[0].action == "nothing"
    started = await runner.start("alice")
    assert (started.action, started.phase) == ("start", Phase.RUNNING)
    assert (await house.started("alice"))[0] == before
    assert await house.marker("alice") == "mine"


async def test_a_changed_env_replaces_the_container_and_keeps_the_home(
    house: House, runner: Runner
) -> None:
    before, _ = await house.started("alice")
    house.write("alice", env="{A: b}")
    (replaced,) = await runner.up()
    assert (replaced.action, replaced.phase) == ("replace", Phase.RUNNING)
    found = await house.inspect("alice")
    assert found["Id"] != before
    assert "A=b" in found["Config"]["Env"]
    assert await house.marker("alice") == "mine"
    assert await house.volumes() == {"alice-home-1"}


async def test_a_sleeping_workspace_is_updated_and_sleeps_on(house: House, runner: Runner) -> None:
    await runner.stop("alice")
    house.write("alice", env="{A: b}")
    (replaced,) = await runner.up()
    assert (replaced.action, replaced.phase) == ("replace", Phase.WARM)
    assert (await house.inspect("alice"))["State"]["Running"] is False
    assert await house.marker("alice") == "mine"


async def test_changed_memory_is_applied_without_a_restart(house: House, runner: Runner) -> None:
    before = await house.started("alice")
    house.write("alice", resources="{cpu: 1, memory: 96Mi, pids: 128}")
    (updated,) = await runner.up()
    assert (updated.action, updated.phase) == ("update", Phase.RUNNING)
    found = await house.inspect("alice")
    assert found["HostConfig"]["Memory"] == 96 << 20
    assert await house.started("alice") == before
    assert (await runner.up())[0].action == "nothing"


async def test_destroy_keeps_the_home_and_the_file_revives_it(house: House, runner: Runner) -> None:
    with pytest.raises(FileStandsError):
        await runner.destroy("alice")
    house.write("bob", state="warm")
    house.remove("alice")
    kept = {result.id: result for result in await runner.up()}
    assert (kept["alice"].action, kept["alice"].sync) == ("nothing", Sync.OUT_OF_SYNC)
    assert kept["alice"].phase == Phase.RUNNING
    gone = await runner.destroy("alice")
    assert (gone.action, gone.phase) == ("delete", Phase.TOMBSTONED)
    assert await house.containers() == {"bob"}
    assert await house.volumes() == {"alice-home-1", "bob-home-1"}
    assert {result.action for result in await runner.up()} == {"nothing"}
    house.write("alice")
    revived = {result.id: result for result in await runner.up()}
    assert (revived["alice"].action, revived["alice"].phase) == ("create", Phase.RUNNING)
    assert await house.marker("alice") == "mine"


async def test_prune_removes_what_has_no_file_and_keeps_its_home(house: House) -> None:
    house.write("alice")
    house.write("bob")
    assert {result.phase for result in await house.up()} == {Phase.RUNNING}
    house.remove("alice")
    results = {result.id: result for result in await house.up(prune=True)}
    assert (results["alice"].action, results["alice"].phase) == ("delete", Phase.TOMBSTONED)
    assert results["bob"].action == "nothing"
    assert await house.containers() == {"bob"}
    assert await house.volumes() == {"alice-home-1", "bob-home-1"}


async def test_a_pin_decides_and_refuses_the_contrary(house: House) -> None:
    house.write("alice", state="warm")
    async with house.runner() as runner:
        assert (await runner.up())[0].phase == Phase.WARM
        with pytest.raises(PinnedError, match="state: warm"):
            await runner.start("alice")
        house.write("alice", state="running")
        (started,) = await runner.up()
        assert (started.action, started.phase) == ("start", Phase.RUNNING)
        with pytest.raises(PinnedError, match="state: running"):
            await runner.stop("alice")


async def test_only_what_is_named_is_touched(house: House) -> None:
    house.write("alice", state="warm")
    house.write("bob", state="warm")
    assert [result.id for result in await house.up("bob")] == ["bob"]
    assert await house.containers() == {"bob"}
    async with house.runner() as runner:
        for call in (runner.start("carol"), runner.destroy("carol")):
            with pytest.raises(UnknownWorkspaceError, match="carol"):
                await call
        changes = {found.id: found for found in await runner.preview(["bob", "carol"])}
        assert {id_: found.action for id_, found in changes.items()} == {
            "bob": "nothing",
            "carol": "blocked",
        }
        assert changes["carol"].error is not None
        assert changes["carol"].error["reason"] == UnknownWorkspaceError.reason
        told = [(found.id, found.reason) for found in await runner.up(["bob", "carol"])]
        assert told == [("bob", ""), ("carol", UnknownWorkspaceError.reason)]
        assert [found.id for found in await runner.up(["carol"])] == ["carol"]
        assert await house.containers() == {"bob"}
        for tail in (0, MAX_LOG_TAIL + 1):
            with pytest.raises(BadRequestError, match="1 to 5000 lines"):
                await runner.logs("bob", tail=tail)
        for asked in (runner.logs("alice"), runner.logs("../alice"), runner.destroy("a/b")):
            with pytest.raises(UnknownWorkspaceError):
                await asked


async def test_a_container_removed_by_hand_comes_back_as_it_was(house: House) -> None:
    house.write("alice")
    async with house.runner() as runner:
        await runner.up()
        await house.leave_marker("alice", "mine")
        await house.remove_container("alice")
        (made,) = await runner.up()
        assert (made.action, made.phase) == ("create", Phase.RUNNING)
        assert await house.marker("alice") == "mine"
        await runner.stop("alice")
        await house.remove_container("alice")
        (made,) = await runner.up()
        assert (made.action, made.phase) == ("create", Phase.WARM)


async def test_a_network_removed_by_hand_comes_back_with_the_next_start(house: House) -> None:
    house.write("alice")
    async with house.runner() as runner:
        await runner.up()
        await runner.stop("alice")
        network = await house.docker.networks.get(f"{house.prefix}net")
        await network.delete()
        started = await runner.start("alice")
        assert (started.phase, started.message) == (Phase.RUNNING, "")


async def test_a_lost_index_is_rebuilt_without_a_restart(house: House) -> None:
    house.write("alice")
    await house.up()
    before = await house.started("alice")
    for path in (house.root / "data").glob("index.db*"):
        path.unlink()
    (found,) = await house.up()
    assert (found.action, found.phase, found.sync) == ("update", Phase.RUNNING, Sync.SYNCED)
    assert await house.started("alice") == before


async def test_after_a_typed_stop_no_start_comes_back_that_a_dead_daemon_had_taken(
    house: House,
) -> None:
    house.write("alice")
    async with house.runner() as runner:
        await runner.up()
        await runner.stop("alice")
        with Index.open(house.settings.index_url) as index:
            left = index.request("alice", "start", actor="alice", request_id="r")
            index.take_intents()
            await runner.start("alice")
            assert (await runner.stop("alice")).phase == "WARM"
            found = index.intent(left.id)
    assert found is not None
    assert (found.status, found.error) == ("failed", "superseded by a newer request")
