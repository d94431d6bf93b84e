"""The daemon's own loops, in this process, where no engine answers."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from settings.tree import ensure
from stacks.daemon import Daemon
from stacks.runner import Runner
from state_index.index import Index
from state_index.models import Changes, Intent
from state_index.nudge import send
from state_index.phases import Event, Phase, Sync
from tests.stacks.house import House
from tests.waiting import until


@pytest.fixture
def lonely(house: House) -> House:
    """Surroundings without an engine."""
    return replace(house, extra={"CODEHUB_DOCKER_HOST": f"unix://{house.root}/none.sock"})


@asynccontextmanager
async def running(house: House) -> AsyncIterator[Daemon]:
    async with Runner(house.settings, daemon=True) as runner, asyncio.TaskGroup() as group:
        daemon = Daemon(runner)
        group.create_task(daemon.run())
        try:
            yield daemon
        finally:
            daemon.stop()


def publish(house: House, workspace: str, *events: Event) -> None:
    told = Changes(owner="alice", sync=Sync.SYNCED, applied_hash="h")
    with Index.open(house.settings.index_url) as index:
        for event in events:
            index.publish(workspace, event=event, cause="test", **told)
    ensure(house.settings.paths.tree)  # what has applied anything has an id


async def test_without_an_engine_everything_is_unknown_and_goes_on(lonely: House) -> None:
    lonely.write("alice")
    async with running(lonely):
        row = await lonely.until_phase("alice", Phase.UNKNOWN)
        assert row.reason == "ENGINE_UNAVAILABLE"
        lonely.write("bob")
        await lonely.until_phase("bob", Phase.UNKNOWN)


async def test_an_intent_that_cannot_be_done_fails(lonely: House) -> None:
    publish(lonely, "alice", Event.PROVISION, Event.APPLIED)
    with Index.open(lonely.settings.index_url) as index:
        intent = index.request("alice", "start", actor="alice", request_id="request-0007")
        index.take_intents()
        async with running(lonely):
            # A former runner took it and died.
            failed = await _ended(index, intent)
    assert failed.status == "failed"
    assert "the engine does not answer" in failed.error


async def _ended(index: Index, intent: Intent) -> Intent:
    found = intent

    async def over() -> bool:
        nonlocal found
        known = await asyncio.to_thread(index.intent, intent.id)
        assert known is not None
        found = known
        return found.status in {"done", "failed"}

    await until(over)
    return found


async def test_the_heart_beats(lonely: House) -> None:
    async with running(lonely):
        with Index.open(lonely.settings.index_url) as index:

            async def beating() -> bool:
                info = await asyncio.to_thread(index.runner)
                return info is not None and info.heartbeat > 1

            await until(beating)


async def test_a_spoiled_index_does_not_end_it(
    lonely: House, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(lonely):
        await until(lonely.announced)
        _spoil(lonely.root / "data" / "index.db")
        send(lonely.settings.paths.nudge, "runner")

        async def told() -> bool:
            return "intents not read" in caplog.text and "no heartbeat" in caplog.text

        await until(told)


def _spoil(file: Path) -> None:
    """Make each later question fail as on a damaged file.

    Through SQLite itself: bytes that are overwritten while a transaction reads them let SQLite map
    memory until the process has no room for a thread.
    """
    with closing(sqlite3.connect(file, timeout=10)) as index, index:
        index.execute("PRAGMA writable_schema = ON")
        index.execute("UPDATE sqlite_schema SET sql = 'no table at all'")
        index.execute("PRAGMA schema_version = 1000000")
