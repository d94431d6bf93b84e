"""The watcher: what wakes it, how soon, and what it costs."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from state_index.database import sqlite_file
from state_index.errors import IndexReplacedError
from state_index.index import Index
from state_index.nudge import listen, send
from state_index.phases import Event
from state_index.watch import Watcher

DEADLINE = 10.0


@pytest.fixture
async def watcher(index: Index, url: str) -> AsyncIterator[Watcher]:
    async with Watcher(url) as made:
        yield made


async def test_nothing_happens_until_something_is_written(watcher: Watcher, index: Index) -> None:
    index.workspaces()
    assert not await watcher.wait(0.2)


async def test_a_publish_wakes_it_once(watcher: Watcher, index: Index) -> None:
    await asyncio.to_thread(index.publish, "a", cause="new")
    assert await watcher.wait(DEADLINE)
    assert not await watcher.wait(0.2)


async def test_intents_wake_it_too(watcher: Watcher, index: Index) -> None:
    index.publish("a", event=Event.STOPPED, cause="found")
    assert await watcher.wait(DEADLINE)
    index.request("a", "start", actor="alice", request_id="r")
    assert await watcher.wait(DEADLINE)


async def test_it_tells_that_its_file_is_not_there_any_more(sqlite_url: str) -> None:
    """The old one would never change again."""
    path = sqlite_file(sqlite_url)
    assert path is not None
    with Index.open(sqlite_url) as index:
        index.publish("a", cause="new")
        async with Watcher(sqlite_url) as watcher:
            path.rename(path.with_name("old"))
            for _ in range(2):
                with pytest.raises(IndexReplacedError):
                    await watcher.wait(DEADLINE)
            path.with_name("old").rename(path)
            assert not await watcher.wait(0.05)


class Counting(Watcher):
    """Counts its looks."""

    looks = 0

    def _changed(self) -> bool:
        self.looks += 1
        return super()._changed()


WRITER = """
import sys, time
from state_index.database import sqlite_file
from state_index.errors import IndexReplacedError
from state_index.index import Index
with Index.open(sys.argv[1]) as index:
    for line in sys.stdin:
        index.publish("a", cause="step", step=line.strip())
        print(time.monotonic(), flush=True)
"""


async def lateness(watcher: Watcher, url: str) -> list[float]:
    """Seconds from each of 20 commits of another process until the watcher tells of it."""
    pipe = asyncio.subprocess.PIPE
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, url, stdin=pipe, stdout=pipe
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    late = []
    for number in range(20):
        writer.stdin.write(f"{number}\n".encode())
        assert await watcher.wait(DEADLINE)
        seen = time.monotonic()
        late.append(seen - float(await writer.stdout.readline()))
    writer.stdin.close()
    assert await writer.wait() == 0
    return sorted(late)


async def test_changes_of_another_process_arrive_within_a_tenth_of_a_second(
    watcher: Watcher, url: str
) -> None:
    late = await lateness(watcher, url)
    # The median: on a busy machine a single one may wait for the processor.
    assert late[len(late) // 2] < 0.1


async def test_so_they_do_where_the_kernel_tells_nothing(sqlite_url: str) -> None:
    with Index.open(sqlite_url):
        async with Watcher(sqlite_url) as watcher:
            assert watcher._probe.signs is not None
            watcher._probe.signs.close()
            late = await lateness(watcher, sqlite_url)
    assert late[len(late) // 2] < 0.1


async def test_changes_of_another_process_wake_it_without_any_look(index: Index, url: str) -> None:
    """By the kernel's signs or the server's notices: it looks once an hour."""
    async with Watcher(url, interval=3600.0) as watcher:
        assert len(await lateness(watcher, url)) == 20


async def test_where_signs_proved_true_it_looks_seldom(sqlite_url: str) -> None:
    with Index.open(sqlite_url) as written:
        async with Counting(sqlite_url) as watcher:
            written.publish("a", cause="new")
            assert await watcher.wait(DEADLINE)
            before = watcher.looks
            assert not await watcher.wait(1.0)
            # A few after the sign; twenty if it went on as it began.
            assert watcher.looks - before < 10


async def test_a_nudge_cuts_the_wait_short(index: Index, url: str, tmp_path: Path) -> None:
    async with (
        listen(tmp_path, "gateway") as nudge,
        Watcher(url, interval=3600.0, nudge=nudge) as watcher,
    ):
        index.publish("a", cause="new")
        send(tmp_path, "gateway")
        assert await watcher.wait(DEADLINE)


async def test_a_nudge_wakes_even_when_nothing_was_written(index: Index, url: str) -> None:
    nudge = asyncio.Event()
    async with Watcher(url, interval=3600.0, nudge=nudge) as watcher:
        nudge.set()
        assert await watcher.wait(DEADLINE)
        assert not nudge.is_set()
        assert not await watcher.wait(0.05)


async def test_an_idle_watcher_looks_once_an_interval_and_no_more(index: Index, url: str) -> None:
    """What a look costs is measured by `scripts/bench idle`; here it must not spin."""
    async with Counting(url, interval=0.05) as watcher:
        assert not await watcher.wait(1.0)
        assert 1 < watcher.looks <= 21
