"""One sink is told at least once, never a flood, and whatever it does, others are told too."""

import asyncio
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from stacks.errors import (
    NoticeFailedError,
    NoticeRefusedError,
    NoticeUnusableError,
)
from stacks.fence import Fence
from stacks.notices.apart import apart
from stacks.notices.matters import scene
from stacks.notices.model import Kind
from stacks.notices.outbox import (
    LISTED,
    LONGEST_PAUSE,
    LONGEST_SPACING,
    QUEUE,
    SPACING,
    pause,
)
from telemetry.logs import configure
from tests.stacks.notices.hands import Room, Stuck
from tests.stacks.notices.scenes import drifted, failed, row
from tests.waiting import until


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


@pytest.fixture
def log(logging_restored: None) -> StringIO:
    stream = StringIO()
    configure("debug", "json", stream)
    return stream


async def test_a_restart_tells_nothing_again_and_still_knows_whose_end_to_tell(room: Room) -> None:
    async with room.running() as outbox:
        await outbox.see(scene([failed()]))
        assert [one.kind for one in (await room.sink.took()).notices] == [Kind.FAILURE]
        await room.clock.asleep()
    async with room.running() as outbox:
        await outbox.see(scene([failed()]))
        await outbox.see(scene([row()]))
        assert [one.kind for one in (await room.sink.took(2)).notices] == [Kind.RECOVERED]


async def test_what_comes_while_it_rests_goes_together(room: Room) -> None:
    async with room.running() as outbox:
        await outbox.see(scene([failed("a")]))
        await room.sink.took()
        await outbox.see(scene([failed("a"), failed("b")]))
        await outbox.see(scene([failed("a"), failed("b"), failed("c")]))
        assert len(room.sink.tried) == 1
        await room.clock.pass_(SPACING)
        assert [one.workspace for one in (await room.sink.took(2)).notices] == ["b", "c"]


async def test_it_is_sent_again_the_same_with_growing_pauses(room: Room, log: StringIO) -> None:
    room.sink.fails(
        NoticeFailedError("away"),
        NoticeFailedError("away"),
        NoticeUnusableError("no file"),
        ValueError("x"),
    )
    async with room.running() as outbox:
        await outbox.see(scene([failed()]))
        for seconds in (5, 10, 20, 40):
            await room.clock.pass_(seconds)
        sent = await room.sink.took()
        await room.clock.asleep()
    assert room.clock.slept == [5, 10, 20, 40, SPACING]
    assert room.sink.tried == [sent] * 5
    told = [line for line in log.getvalue().splitlines() if "not told" in line]
    assert [line.count("away") for line in told] == [1, 0, 0]  # the same is not said twice
    assert "bug: ValueError" in told[-1]


async def test_what_was_not_taken_at_a_kill_is_sent_by_the_next_runner_as_the_same(
    room: Room,
) -> None:
    room.sink.fails(NoticeFailedError("away"))
    async with room.running() as outbox:
        await outbox.see(scene([failed()]))
        await room.clock.asleep()
    (first,) = room.sink.tried
    async with room.running():
        assert await room.sink.took() == first


async def test_who_does_not_lead_tells_nothing_and_the_next_one_does(room: Room) -> None:
    room.fence.close()
    outbox = room.outbox()
    await outbox.open()
    await outbox.see(scene([failed()]))
    async with asyncio.timeout(30):
        await outbox.run()
    assert room.sink.tried == []
    room.fence = Fence.always()
    async with room.running():
        assert len((await room.sink.took()).notices) == 1


async def test_what_the_sink_refuses_for_good_is_given_up(room: Room, log: StringIO) -> None:
    room.sink.fails(*[NoticeRefusedError("no such form")] * 3)
    async with room.running() as outbox:
        await outbox.see(scene([failed("a")]))
        for seconds in (5, 10, 20):
            await room.clock.pass_(seconds)
        await outbox.see(scene([failed("a"), failed("b")]))
        await room.clock.pass_(SPACING)
        assert [one.workspace for one in (await room.sink.took()).notices] == ["b"]
    assert "given up" in log.getvalue()
    assert len(room.sink.tried) == 4


async def test_many_are_counted_and_too_many_are_dropped(room: Room) -> None:
    names = [f"w{n:04}" for n in range(QUEUE + 100)]
    async with room.running() as outbox:
        await outbox.see(scene(map(failed, names)))
        sent = await room.sink.took()
    assert [one.workspace for one in sent.notices] == names[-LISTED:]
    assert sent.more == len(names) - LISTED


async def test_failures_are_listed_before_what_is_over(room: Room) -> None:
    names = [f"w{n:02}" for n in range(LISTED + 5)]
    async with room.running() as outbox:
        await outbox.see(scene(map(failed, names)))
        await room.sink.took()
        await outbox.see(scene([*map(row, names), failed("bad")]))
        await outbox.see(scene([*map(row, names), failed("bad"), drifted("odd")]))
        await room.clock.pass_(SPACING)
        sent = await room.sink.took(2)
    assert {"bad", "odd"} < {one.workspace for one in sent.notices}
    assert (len(sent.notices), sent.more) == (LISTED, 7)


async def test_the_longer_it_goes_on_the_rarer_are_the_messages(room: Room) -> None:
    async with room.running() as outbox:
        for number in range(7):
            await outbox.see(scene([failed(reason=f"R{number}")]))
            await room.clock.pass_(0 if number == 0 else LONGEST_SPACING)
            await room.sink.took(number + 1)
        await room.clock.asleep()
        assert room.clock.slept == [15, 30, 60, 120, 240, 240, 240]
        await room.clock.pass_(LONGEST_SPACING)
        await until(lambda: not room.clock.sleeping)
        await outbox.see(scene([failed(reason="R8")]))
        await room.sink.took(8)
        await room.clock.asleep()
    assert room.clock.slept[-1] == 15


async def test_a_kill_between_taking_and_noting_sends_the_same_again(room: Room) -> None:
    file, copy = room.root / "notices" / "hand.json", room.root / "copy"

    def keep() -> None:
        shutil.copyfile(file, copy)

    room.sink.does = keep
    async with room.running() as outbox:
        await outbox.see(scene([failed()]))
        first = await room.sink.took()
        await room.clock.asleep()
    copy.replace(file)
    room.sink.fails()
    async with room.running():
        assert await room.sink.took(2) == first


async def test_without_a_place_to_write_it_is_told_all_the_same(room: Room, log: StringIO) -> None:
    (room.root / "notices").write_text("")
    async with room.running() as outbox:
        await outbox.see(scene([failed()]))
        await room.sink.took()
    assert "told twice perhaps" in log.getvalue()


async def test_a_damaged_memory_tells_what_lasts_once_more_in_one_message(room: Room) -> None:
    rows = [failed("a"), failed("b"), row("c")]
    async with room.running() as outbox:
        await outbox.see(scene(rows))
        await room.sink.took()
        await room.clock.asleep()
    (room.root / "notices" / "hand.json").write_text("{")
    async with room.running() as outbox:
        await outbox.see(scene(rows))
        assert [one.workspace for one in (await room.sink.took(2)).notices] == ["a", "b"]


async def test_it_ends_at_once_while_a_receiver_hangs(room: Room) -> None:
    room.sink.does = stuck = Stuck()
    try:
        async with asyncio.timeout(30), room.running() as outbox:
            await outbox.see(scene([failed()]))
            await until(stuck.began.is_set)
    finally:
        stuck.let_go.set()


HANGS = """
import asyncio, threading
from stacks.notices.apart import apart

async def main():
    call = asyncio.ensure_future(apart(threading.Event().wait, within=600))
    await asyncio.sleep(0)
    call.cancel()

asyncio.run(main())
"""


def test_a_process_ends_while_a_receiver_hangs() -> None:
    subprocess.run([sys.executable, "-c", HANGS], check=True, timeout=60)


async def test_a_call_that_takes_too_long_is_left_alone() -> None:
    stuck = Stuck()
    try:
        with pytest.raises(NoticeFailedError, match=r"within 0\.05 s"):
            await apart(stuck, within=0.05)
    finally:
        stuck.let_go.set()


@pytest.mark.parametrize(
    ("tries", "asked", "chance", "expected"),
    [
        (1, None, 0.0, 5),
        (1, None, 1.0, 4),
        (3, None, 0.0, 20),
        (50, None, 0.0, LONGEST_PAUSE),
        (1, 90.0, 0.0, 90),
        (1, 99999.0, 0.0, LONGEST_PAUSE),
    ],
)
def test_pauses_are_bounded_and_heed_the_receiver(
    tries: int, asked: float | None, chance: float, expected: float
) -> None:
    assert pause(tries, NoticeFailedError("no", delay=asked), chance) == expected
