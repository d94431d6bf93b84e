"""The seat: taken, waited for, kept by a heartbeat, and lost."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace

import pytest

from stacks.claim import Claim
from stacks.engine.processes import read_process
from stacks.errors import LockHeldError, NotLeadingError, PublishFailedError
from stacks.lock import RunnerLock
from stacks.seat import Seat
from state_index.errors import IndexUnavailableError, LeaseLostError
from state_index.index import Index
from state_index.lease import Lease
from telemetry.logs import configure
from tests.stacks.test_claim import Place, leader, place, quick
from tests.waiting import until

__all__ = ["place", "quick"]


@asynccontextmanager
async def sitting(where: Place) -> AsyncIterator[Seat]:
    async with Seat(where.settings, daemon=False) as seat:
        await seat.take()
        yield seat


@contextmanager
def other(where: Place) -> Iterator[Lease]:
    """Another machine's way to the lease."""
    with Index.open(where.settings.index_url) as index:
        yield index.lease("elsewhere pid 1", timeout=where.settings.lease_timeout)


@pytest.fixture
def told(logging_restored: None) -> None:
    """Log as a runner does, also what is no warning."""
    configure("info", "console")


async def test_who_sits_may_act_and_write(place: Place) -> None:
    async with sitting(place) as seat:
        seat.fence.check()
        seat.index.publish("alice", cause="test")
    with pytest.raises(NotLeadingError):
        seat.fence.check()
    assert not seat.lost.is_set()


async def test_the_heart_beats_whatever_fills_the_threads_that_all_share(place: Place) -> None:
    go_on, loop = threading.Event(), asyncio.get_running_loop()
    async with sitting(place) as seat:
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, go_on.wait)
        began = seat.fence.until
        try:
            await until(lambda: seat.fence.until > began)
            seat.fence.check()
        finally:
            go_on.set()
            await busy


async def test_a_seat_is_given_back(place: Place) -> None:
    for _ in range(2):
        async with sitting(place) as seat:
            assert seat.fence.is_open


async def test_a_seat_that_somebody_has_is_refused_and_says_whose_it_is(place: Place) -> None:
    with leader(place) as process:
        async with Seat(place.settings, daemon=False) as seat:
            with pytest.raises(LockHeldError, match=f"data tree: pid {process.pid} "):
                await seat.take()


async def test_a_seat_of_somebody_elsewhere_is_refused_once_the_heart_is_seen_to_beat(
    quick: Place,
) -> None:
    with other(quick) as lease:
        assert lease.acquire()
        async with Seat(quick.settings, daemon=False) as seat, asyncio.TaskGroup() as group:
            taking = group.create_task(_refused(seat))
            while not taking.done():
                lease.renew()
                await asyncio.wait({taking}, timeout=0.05)
    assert "leads on this index: elsewhere pid 1" in taking.result()


async def _refused(seat: Seat) -> str:
    with pytest.raises(LockHeldError) as caught:
        await seat.take()
    return caught.value.message


async def test_a_lock_of_something_that_is_no_runner_is_waited_for_and_refused(
    quick: Place,
) -> None:
    lock = RunnerLock(quick.settings.paths.runner_lock)
    assert lock.take()
    async with Seat(quick.settings, daemon=False) as seat:
        assert "something that is no runner" in await _refused(seat)
    lock.release()


@pytest.mark.usefixtures("told")
async def test_a_seat_of_somebody_who_died_elsewhere_is_taken_in_time(
    quick: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with other(quick) as lease:
        assert lease.acquire()
        async with sitting(quick) as seat:
            seat.fence.check()
            with pytest.raises(LeaseLostError):
                lease.renew()
    assert "waiting for what a runner elsewhere may have under way" in caplog.text


@pytest.mark.usefixtures("told")
async def test_who_stands_by_gets_the_seat_when_it_is_free(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    stop = asyncio.Event()
    async with Seat(place.settings, daemon=True) as seat, asyncio.TaskGroup() as group:
        with leader(place) as process:
            waiting = group.create_task(seat.wait(stop))
            await until(lambda: "standing by" in caplog.text)
            assert f"pid {process.pid} " in caplog.text
        assert await waiting
        assert caplog.text.count("standing by") == 1, "it says so once for each leader"
        seat.fence.check()


async def test_who_stands_by_can_be_told_to_stop(place: Place) -> None:
    stop = asyncio.Event()
    async with Seat(place.settings, daemon=True) as seat, asyncio.TaskGroup() as group:
        with leader(place):
            waiting = group.create_task(seat.wait(stop))
            stop.set()
            assert not await waiting


async def test_what_a_former_leader_left_running_is_ended(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    sleeper = await asyncio.create_subprocess_exec("sleep", "600", start_new_session=True)
    found = read_process(sleeper.pid)
    assert found is not None
    record = place.settings.paths.work / "alice.session"
    with leader(place) as process:
        text = '{{"pid": {}, "started": {}, "boot": "{}"}}'
        boot = Seat(place.settings, daemon=False)._claim._lock.holder().boot
        record.write_text(text.format(sleeper.pid, found.started, boot))
        process.kill()
    async with sitting(place):
        assert not record.exists()
        assert await sleeper.wait() < 0
    assert "ended what a former runner left running" in caplog.text


async def test_a_seat_that_another_one_took_is_lost(
    quick: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with sitting(quick) as seat:
        with other(quick) as lease:
            await until(lambda: lease.take(lease.look().row))  # as if this process had been paused
            with pytest.raises(LeaseLostError):
                seat.index.publish("alice", cause="test")
            await until(seat.lost.is_set)
            with pytest.raises(NotLeadingError):
                seat.fence.check()
            lease.renew()
    assert "elsewhere pid 1" in caplog.text


async def test_a_seat_without_a_heartbeat_is_lost_in_time(
    quick: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with sitting(quick) as seat:
        with closing(sqlite3.connect(quick.settings.paths.index_db)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            await until(seat.lost.is_set)
            assert not seat.fence.is_open
            writer.rollback()
    assert "its heartbeat could not be written in time" in caplog.text


async def test_a_heartbeat_that_comes_back_in_time_keeps_the_seat(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """A writer that keeps the database for longer than the busy timeout."""
    place = replace(place, timeout="12s")
    async with sitting(place) as seat:
        with closing(sqlite3.connect(place.settings.paths.index_db)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            await until(lambda: "no heartbeat of the lease" in caplog.text)
            writer.rollback()
        until_then = seat.fence.until
        await until(lambda: seat.fence.until > until_then)
        assert not seat.lost.is_set()


async def test_a_heartbeat_that_failed_is_tried_again_soon_and_told_once(
    place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its index may be free for a moment only: to wait for a whole beat each time may miss all of them."""
    renew, tries = Claim.renew, []

    def failing(claim: Claim) -> None:
        tries.append(claim)
        if len(tries) < 6:
            raise IndexUnavailableError("database is locked")
        renew(claim)

    monkeypatch.setattr(Claim, "renew", failing)
    place = replace(place, timeout="12s")
    async with sitting(place) as seat:
        until_then = seat.fence.until
        await until(lambda: seat.fence.until > until_then, within=9)  # six beats take 14 s
    assert caplog.text.count("no heartbeat of the lease") == 1


@pytest.mark.parametrize("patient", [False, True])
async def test_an_index_that_is_none_is_an_error_or_waited_for(
    place: Place, caplog: pytest.LogCaptureFixture, *, patient: bool
) -> None:
    index = place.settings.paths.index_db
    index.write_bytes(b"no database at all" * 100)
    async with Seat(place.settings, daemon=True) as seat, asyncio.TaskGroup() as group:
        waiting = group.create_task(_waited(seat, patient=patient))
        if patient:
            await until(lambda: "the lease can't be looked at" in caplog.text)
            index.unlink()
        assert await waiting is patient


async def _waited(seat: Seat, *, patient: bool) -> bool:
    try:
        return await seat.wait(asyncio.Event(), patient=patient)
    except PublishFailedError:
        return False
