"""The notifier: what it looks at, and that one sink does not hold up another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path

import pytest

from stacks.errors import PublishFailedError
from stacks.notices.matters import Matter
from stacks.notices.model import Kind
from stacks.notices.notifier import EVERY, Notifier
from stacks.notices.outbox import SPACING, WallClock
from state_index.phases import Phase
from telemetry.logs import configure
from tests.stacks.notices.hands import HandRows, HandSink, Room, Stuck
from tests.stacks.notices.scenes import failed, notice, row
from tests.waiting import until


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


@pytest.fixture
def log(logging_restored: None) -> StringIO:
    stream = StringIO()
    configure("debug", "json", stream)
    return stream


@asynccontextmanager
async def notifying(notifier: Notifier) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(notifier.run())
        try:
            yield
        finally:
            task.cancel()


async def test_a_sink_that_hangs_holds_up_no_other(room: Room) -> None:
    dead, board = HandSink("dead", does=(stuck := Stuck())), HandRows([failed()])
    notifier = Notifier(board, [room.outbox(dead), room.outbox()], clock=room.clock)
    try:
        async with asyncio.timeout(30), notifying(notifier):
            await until(stuck.began.is_set)
            await room.sink.took()
            board.publish(row())
            await room.clock.pass_(SPACING, sleepers=2)
            assert (await room.sink.took(2)).notices[0].kind is Kind.RECOVERED
    finally:
        stuck.let_go.set()


async def test_rows_are_read_when_they_changed_and_time_passes_without(room: Room) -> None:
    board = HandRows([row(phase=Phase.UNKNOWN, reason="ENGINE_UNAVAILABLE")])
    async with notifying(Notifier(board, [room.outbox()], clock=room.clock)):
        await room.clock.pass_(119)
        await room.clock.asleep()
        assert (board.reads, room.sink.tried) == (1, [])
        await room.clock.pass_(EVERY)
        await room.sink.took()
        assert board.reads == 1
        board.publish(row())
        await room.clock.pass_(SPACING, sleepers=2)
        await room.sink.took(2)
        assert board.reads == 2


async def test_an_index_that_cannot_be_read_is_asked_again(room: Room, log: StringIO) -> None:
    board = HandRows([failed()], fails=[PublishFailedError("locked"), ValueError("odd")])
    async with notifying(Notifier(board, [room.outbox()], clock=room.clock)):
        await room.clock.pass_(EVERY)
        await room.clock.pass_(EVERY)
        await room.sink.took()
    assert "nothing is told now" in log.getvalue()
    assert "ValueError" in log.getvalue()


async def test_what_another_source_wants_is_told_as_rows_are(room: Room) -> None:
    wanted: list[Matter] = []

    async def extra() -> list[Matter]:
        return wanted

    notifier = Notifier(HandRows(), [room.outbox()], extra=extra, clock=room.clock)
    async with notifying(notifier):
        await room.clock.asleep()
        wanted.append(Matter(notice=notice(kind=Kind.APPROVAL), fingerprint="change-1"))
        await room.clock.pass_(EVERY)
        assert [one.kind for one in (await room.sink.took()).notices] == [Kind.APPROVAL]


async def test_without_a_sink_nothing_is_looked_at() -> None:
    board = HandRows([failed()])
    async with asyncio.timeout(30):
        await Notifier(board, []).run()
    assert board.reads == 0


async def test_the_wall_clock_is_the_time() -> None:
    clock = WallClock()
    before = clock.now()
    await clock.sleep(0)
    assert before <= clock.now()
    assert before.tzinfo is not None
