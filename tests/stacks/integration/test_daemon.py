"""The daemon as a process: follows, takes intents, serves, ends, and takes up what a kill left."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from stacks import open_runner
from stacks.client import RunnerClient
from stacks.errors import (
    BadRequestError,
    FileStandsError,
    LockHeldError,
    RunnerUnreachableError,
    UnknownWorkspaceError,
)
from stacks.runner import Runner
from stacks.steps import Step
from state_index.index import Index
from state_index.models import Intent
from state_index.nudge import send
from state_index.phases import Phase, Sync
from tests.stacks.house import House
from tests.waiting import until

pytestmark = pytest.mark.engine


def ask(house: House, workspace: str, kind: str) -> Intent:
    """Ask as a gateway does: an intent and a nudge."""
    with Index.open(house.settings.index_url) as index:
        intent = index.request(workspace, kind, actor="alice", request_id="request-0001")  # type: ignore[arg-type]
    send(house.settings.paths.nudge, "runner")
    return intent


async def ended(house: House, intent: Intent) -> Intent:
    """Wait until an intent ended."""
    with Index.open(house.settings.index_url) as index:
        found: list[Intent] = []

        async def done() -> bool:
            now = await asyncio.to_thread(index.intent, intent.id)
            found[:] = [now] if now else []
            return bool(found) and found[0].status in {"done", "failed"}

        await until(done, within=60)
        return found[0]


async def test_it_follows_the_folder_and_takes_intents(house: House) -> None:
    async with house.daemon() as daemon:
        house.write("alice")
        row = await house.until_phase("alice", Phase.RUNNING)
        assert row.upstream == "unix:alice/ide.sock"
        container, _ = await house.started("alice")

        stop = await ended(house, ask(house, "alice", "stop"))
        assert (stop.status, stop.error) == ("done", "")
        await house.until_phase("alice", Phase.WARM)
        start = await ended(house, ask(house, "alice", "start"))
        assert (start.status, start.error) == ("done", "")
        assert (await house.started("alice"))[0] == container

        house.write("alice", env="{A: b}")
        await house.until("alice", lambda row: row.phase == Phase.UPDATING)
        await house.until_phase("alice", Phase.RUNNING)
        assert (await house.started("alice"))[0] != container
        house.write_raw("alice", "owner: 1\n")
        await house.until("alice", lambda row: row.sync is Sync.INVALID)
        house.remove("alice")
        await house.until("alice", lambda row: row.sync is Sync.OUT_OF_SYNC)
        with Index.open(house.settings.index_url) as index:
            info = index.runner()
            history = index.history("alice")
        assert info is not None
        assert (info.pid, info.address) == (daemon.pid, "unix:runner.sock")
        assert info.heartbeat >= 0
        told = {(change.actor, change.cause) for change in history}
        assert ("alice", "alice asked to start it") in told
        assert "request-0001" in {change.request_id for change in history}
    assert daemon.returncode == 0
    assert (await house.inspect("alice"))["State"]["Running"], "workspaces keep running"


async def test_a_failed_start_is_told_to_whoever_asked(house: House) -> None:
    house.write("alice")
    async with house.daemon():
        await house.until_phase("alice", Phase.RUNNING)
        await ended(house, ask(house, "alice", "stop"))
        await house.remove_container("alice")
        await house.remove_volume("alice-home-1")
        start = await ended(house, ask(house, "alice", "start"))
        assert (start.status, start.error.startswith("home 1 of alice")) == ("failed", True)


async def test_commands_are_handed_to_it(house: House) -> None:
    house.write("alice")
    async with house.daemon():
        await house.until_phase("alice", Phase.RUNNING)
        steps: list[Step] = []
        async with open_runner(house.settings) as runner:
            assert isinstance(runner, RunnerClient)
            assert (await runner.status())["version"]
            stopped = await runner.stop("alice", on_step=steps.append, request_id="request-0002")
            assert stopped.phase == Phase.WARM
            assert [step.phase for step in steps] == [Phase.STOPPING, Phase.WARM]
            assert (await runner.start("alice")).phase == Phase.RUNNING
            house.write("bob", state="warm")
            results = {result.id: result for result in await runner.up()}
            assert results["bob"].phase == Phase.WARM
            assert {change.action for change in await runner.preview()} == {"nothing"}
            assert "serving" in await runner.logs("alice", tail=5)
            with pytest.raises(FileStandsError):
                await runner.destroy("alice")
            with pytest.raises(UnknownWorkspaceError):
                await runner.logs("carol")
            house.remove("alice")
            assert (await runner.destroy("alice")).phase == Phase.TOMBSTONED
        with pytest.raises(LockHeldError, match=r"pid \d+"):
            await house.up()
    assert "request-0002" in house.log()


async def test_one_off_commands_do_not_need_it(house: House) -> None:
    house.write("alice", state="warm")
    async with open_runner(house.settings) as runner:
        assert isinstance(runner, Runner)
        assert (await runner.up())[0].phase == Phase.WARM
        with pytest.raises(LockHeldError):
            async with open_runner(house.settings):
                pass
        async with open_runner(house.settings, exclusive=False) as reader:
            assert await reader.logs("alice") == ""


async def test_it_ends_within_ten_seconds_in_the_middle_of_work(house: House) -> None:
    house.write("alice")
    async with house.daemon() as daemon:
        await house.until("alice", lambda row: row.step.startswith("creating"))
        daemon.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            await daemon.wait()
    assert daemon.returncode == 0
    async with house.daemon():
        await house.until_phase("alice", Phase.RUNNING)
    assert (await house.up())[0].action == "nothing"


@pytest.mark.parametrize("step", ["image", "creating home", "creating container", "start"])
async def test_killed_in_the_middle_it_converges_when_started_again(
    house: House, step: str
) -> None:
    house.write("bob")
    async with house.daemon() as daemon:
        await house.until_phase("bob", Phase.RUNNING)
        before = await house.started("bob")
        house.write("alice")
        await house.until("alice", lambda row: row.step == step or row.phase == Phase.RUNNING)
        os.killpg(daemon.pid, signal.SIGKILL)
        await daemon.wait()
    async with house.daemon():
        await house.until_phase("alice", Phase.RUNNING)
    results = await house.up()
    assert {result.action for result in results} == {"nothing"}
    assert await house.started("bob") == before, "what the kill did not touch kept running"
    assert await house.containers() == {"alice", "bob"}
    assert await house.volumes() == {"alice-home-1", "bob-home-1"}


async def test_killed_while_it_replaces_the_home_is_kept_and_it_runs_again(house: House) -> None:
    house.write("alice")
    async with house.daemon() as daemon:
        await house.until_phase("alice", Phase.RUNNING)
        await house.leave_marker("alice", "mine")
        house.write("alice", env="{A: b}")
        await house.until("alice", lambda row: row.phase == Phase.UPDATING and bool(row.step))
        os.killpg(daemon.pid, signal.SIGKILL)
        await daemon.wait()
    async with house.daemon():
        await house.until("alice", lambda r: r.phase == Phase.RUNNING and r.sync is Sync.SYNCED)
    assert await house.marker("alice") == "mine"
    assert "A=b" in (await house.inspect("alice"))["Config"]["Env"]


async def test_a_client_without_a_daemon_says_so(tmp_path: Path) -> None:
    async with RunnerClient(tmp_path / "runner.sock", connect_within=0.2) as client:
        with pytest.raises(RunnerUnreachableError, match="does not answer"):
            await client.up()
    with pytest.raises(RunnerUnreachableError, match="there is no runner"):
        async with RunnerClient(tmp_path / "none" / "runner.sock"):
            pass


async def test_bad_calls_are_told(house: House) -> None:
    house.settings.paths.make()
    socket = house.settings.paths.runner_sock
    async with house.daemon(), RunnerClient(socket, connect_within=60) as client:
        with pytest.raises(UnknownWorkspaceError):
            await client.start("nobody")
        with pytest.raises(BadRequestError):
            await client.logs("nobody", tail=0)
        mode = house.settings.paths.runner_sock.stat().st_mode & 0o777
        assert mode == 0o600
