"""Two runners of one data tree on one machine: who leads, who stands by, who takes over and when."""

import asyncio
import os
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from stacks.client import RunnerClient
from state_index.index import Index
from state_index.phases import Phase
from tests.stacks.house import House
from tests.stacks.integration import leaders
from tests.stacks.integration.leaders import TAKEOVER, Process, at_work, leads, says, stopped
from tests.waiting import until

pytestmark = pytest.mark.engine


@asynccontextmanager
async def pair(house: House) -> AsyncIterator[tuple[Process, Process]]:
    """A runner that leads, and one that stands by."""
    async with AsyncExitStack() as exits:
        first = await exits.enter_async_context(house.daemon(name="first"))
        await leads(house, first)
        second = await exits.enter_async_context(house.daemon(name="second"))
        await says(house, "standing by", name="second")
        yield first, second


async def test_a_killed_leader_is_succeeded(house: House) -> None:
    """With the default timeout."""
    async with pair(house) as (first, second):
        assert f"pid {first.pid} " in house.log("second")
        assert "waiting for what a runner elsewhere" not in house.log("first")
        first.kill()
        await leads(house, second, within=TAKEOVER)
        house.write("alice", state="warm")
        await house.until_phase("alice", Phase.WARM)
    assert second.returncode == 0


async def test_a_leader_that_ends_hands_over(shared: House) -> None:
    socket = shared.settings.paths.runner_sock
    async with pair(shared) as (first, second):
        first.terminate()
        await leads(shared, second)
        assert await first.wait() == 0
        async with RunnerClient(socket, connect_within=60) as client:
            assert (await client.status())["pid"] == second.pid
            shared.write("alice", state="warm")
            (alice,) = await client.up()
            assert alice.phase == Phase.WARM
    assert second.returncode == 0
    assert not socket.exists()


async def test_a_leader_that_stands_still_is_killed_and_succeeded(shared: House) -> None:
    async with pair(shared) as (first, second):
        await stopped(first)
        shared.write("alice", state="warm")
        await leads(shared, second)
        await shared.until_phase("alice", Phase.WARM)
        assert await first.wait() == -signal.SIGKILL
    assert "killed a runner that stood still" in shared.log("second")


async def test_a_leader_that_stands_still_in_the_middle_of_an_operation(shared: House) -> None:
    async with pair(shared) as (first, second):
        shared.write("alice")
        await at_work(shared, "alice")
        await stopped(first)
        await leads(shared, second)
        assert await first.wait() == -signal.SIGKILL
        await shared.until_phase("alice", Phase.RUNNING)
        before = await shared.started("alice")
    (alice,) = await shared.up()
    assert alice.action == "nothing"
    assert await shared.started("alice") == before
    assert await shared.containers() == {"alice"}
    assert await shared.volumes() == {"alice-home-1"}


STUCK = """
import asyncio, os, signal
from settings.load import load
from settings.model import RunnerSettings
from stacks.runner import Runner

async def main():
    async with Runner(load(RunnerSettings), daemon=True) as runner:
        with runner.board._index._database.write():
            print("writing", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)

asyncio.run(main())
"""
"""A leader that stands still within a transaction: on SQLite it keeps the kernel's lock."""


async def test_a_leader_that_stands_still_within_a_transaction(shared: House) -> None:
    async with shared.daemon(script=STUCK, name="first") as first:
        await until(lambda: leaders.state_of(first.pid) == "T", "it to stand still")
        assert "writing" in shared.log("first")
        async with shared.daemon(name="second") as second:
            await leads(shared, second)
            assert await first.wait() == -signal.SIGKILL


async def test_a_command_that_is_suspended_does_not_keep_the_lead(shared: House) -> None:
    async with shared.daemon(script=STUCK.replace(", daemon=True", ""), name="first") as first:
        await until(lambda: leaders.state_of(first.pid) == "T", "it to stand still")
        async with shared.daemon(name="second") as second:
            await leads(shared, second)


async def test_it_leads_again_when_its_index_was_removed(quick: House) -> None:
    quick.write("alice", state="warm")
    async with quick.daemon() as daemon:
        await quick.until_phase("alice", Phase.WARM)
        for path in leaders.beside(quick.settings.paths.index_db):
            path.unlink()
        await says(quick, "leading", times=2)
        await leads(quick, daemon)
        await quick.until_phase("alice", Phase.WARM)
        quick.write("bob", state="warm")
        await quick.until_phase("bob", Phase.WARM)


@pytest.mark.parametrize("way", ["another file", "the same file"])
async def test_it_leads_again_when_its_index_was_restored_from_an_old_copy(
    quick: House, way: str
) -> None:
    quick.write("alice", state="warm")
    index, copy = quick.settings.paths.index_db, quick.root / "copy.db"
    async with quick.daemon(name="former"):
        await quick.until_phase("alice", Phase.WARM)
        _copy(index, copy)
    async with quick.daemon() as daemon:
        await leads(quick, daemon)
        if way == "the same file":
            _copy(copy, index)
        else:
            for path in leaders.beside(index):
                path.unlink()
            shutil.copy(copy, index)
        await says(quick, "leading", times=2)
        quick.write("bob", state="warm")
        await quick.until_phase("bob", Phase.WARM)
        await quick.until_phase("alice", Phase.WARM)


def _copy(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Copy an index as SQLite's own tools do, while it is in use."""
    old, new = sqlite3.connect(source), sqlite3.connect(target, timeout=30)
    with old, new:
        old.backup(new)
    old.close()
    new.close()


async def test_it_stands_by_while_the_index_is_no_database(quick: House) -> None:
    index = quick.settings.paths.index_db
    async with quick.daemon() as daemon:
        await leads(quick, daemon)
        await leaders.stopped_between_writes(quick, daemon)
        with Index.open(quick.settings.index_url) as other:
            # What the runner keeps in memory is old by this: it must read what is there.
            await asyncio.to_thread(other.removals.watch, 1)
        for path in leaders.beside(index):
            path.write_bytes(b"no database at all" * 100)
        daemon.send_signal(signal.SIGCONT)
        await says(quick, "the lease can't be looked at")
        for path in leaders.beside(index):
            path.unlink()
        await leads(quick, daemon)
    assert daemon.returncode == 0


async def test_who_stands_by_ends_when_told(quick: House) -> None:
    async with pair(quick) as (first, second):
        second.terminate()
        async with asyncio.timeout(10):
            assert await second.wait() == 0
        await leads(quick, first)
