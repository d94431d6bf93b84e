"""Upkeep: pass by pass within the bounds, cut off anywhere, gone on with by the next."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from settings.paths import DataPaths
from stacks.board import Board
from stacks.engine.checkpoint import StateFiles
from stacks.errors import NotLeadingError, PublishFailedError
from stacks.fence import Fence
from stacks.gc.model import Fate
from stacks.gc.shelves import File, Shelves
from stacks.gc.upkeep import FILES_AT_ONCE, Upkeep
from state_index.index import Index
from state_index.phases import Event
from state_index.retention import Retention

KEPT = Retention(history_rows=20)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.open(f"sqlite:///{tmp_path}/index.db") as opened:
        opened.publish("alice", event=Event.PROVISION, cause="test")
        opened.publish("alice", event=Event.APPLIED, cause="test")
        for _ in range(15):
            for event in (Event.START, Event.FAILED, Event.STOP, Event.STOPPED):
                opened.publish("alice", event=event, cause="test")
        yield opened


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    data = DataPaths(tmp_path / "data")
    data.make()
    home = tmp_path / "home"
    return Shelves(data=data, pulumi_home=home, kept=0, log_bytes=0, log_age=1.0)


def fill(shelves: Shelves, count: int) -> Path:
    logs = shelves.pulumi_home / "logs"
    logs.mkdir(parents=True)
    StateFiles(shelves.data.state, "a").history.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (logs / f"organization+codehub+a-{number:04d}.log").write_text("x")
    return logs


def upkeep(index: Index, shelves: Shelves, fence: Fence | None = None) -> Upkeep:
    return Upkeep(
        board=Board(index), shelves=shelves, retention=KEPT, fence=fence or Fence.always()
    )


async def test_all_is_told_and_pruned_pass_by_pass(index: Index, shelves: Shelves) -> None:
    logs = fill(shelves, FILES_AT_ONCE + 3)
    newest, beyond = index.history("alice", 20), len(index.history("alice")) - 20
    kept = upkeep(index, shelves)
    rows, files = await kept.look()
    assert rows.name.startswith(f"{beyond} rows ")
    assert (files.size, files.fate) == (FILES_AT_ONCE + 3, Fate.FOUND)
    first = await kept.once()
    assert (first.files, first.rows, first.is_full) == (FILES_AT_ONCE, beyond, True)
    (done,) = await kept.prune()
    assert (done.name.split()[0], done.fate) == ("3", Fate.REMOVED)
    assert list(logs.iterdir()) == []
    assert index.history("alice") == newest
    assert await kept.look() == await kept.prune() == ()


async def test_only_what_is_meant_is_pruned(index: Index, shelves: Shelves) -> None:
    logs = fill(shelves, 3)
    kept = upkeep(index, shelves)
    rows, _ = await kept.look()
    assert await kept.prune([]) == ()
    (done,) = await kept.prune([rows.key])
    assert (done.key, done.fate) == (rows.key, Fate.REMOVED)
    assert len(list(logs.iterdir())) == 3


class Stuck(Shelves):
    """The first of its files is none, so that it cannot be removed."""

    def beyond(self) -> tuple[File, ...]:
        return (File(path=self.data.logs, size=7, changed=0.0), *super().beyond())


async def test_what_cannot_be_removed_is_told_and_keeps_nothing_else(
    index: Index, shelves: Shelves
) -> None:
    logs = fill(shelves, FILES_AT_ONCE + 3)
    kept = upkeep(index, Stuck(**vars(shelves)))
    rows, files, failed = await kept.prune()
    assert (rows.fate, files.fate, failed.fate) == (Fate.REMOVED, Fate.REMOVED, Fate.FAILED)
    assert files.size == FILES_AT_ONCE + 3
    assert failed.name.startswith("1 files of ")
    assert str(shelves.data.logs) in failed.remedy
    assert list(logs.iterdir()) == []


async def test_one_that_is_cut_off_is_gone_on_with(index: Index, shelves: Shelves) -> None:
    """The right to act ends in the middle: what went is gone, and the next pass does the rest."""
    logs = fill(shelves, 10)
    steps = iter(range(100))
    fence = Fence(clock=lambda: next(steps))
    fence.extend(5)
    with pytest.raises(NotLeadingError):
        await upkeep(index, shelves, fence).once()
    assert sorted(path.name[-5] for path in logs.iterdir()) == list("456789")
    await upkeep(index, shelves).once()
    assert list(logs.iterdir()) == []


async def test_it_is_done_now_and_then_and_a_failure_is_tried_again(
    index: Index, shelves: Shelves
) -> None:
    logs = fill(shelves, FILES_AT_ONCE + 1)
    asked: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        asked.append(seconds)
        if len(asked) == 2:
            assert len(list(logs.iterdir())) == 1, "a pass, and then the rest of it"
        if len(asked) == 3:
            index.close()
            (logs.parent.parent / "index.db").rename(logs.parent.parent / "gone.db")
            fill(replace(shelves, pulumi_home=logs.parent / "more"), 1)
        if len(asked) == 4:
            enough.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(upkeep(index, shelves).keep(60.0, sleep=sleep))
        async with asyncio.timeout(20):
            await enough.wait()
        task.cancel()
    assert asked == [60.0, 1.0, 60.0, 60.0]
    assert list(logs.iterdir()) == []


async def test_an_index_that_is_gone_is_told(index: Index, shelves: Shelves) -> None:
    index.close()
    (shelves.pulumi_home.parent / "index.db").unlink()
    with pytest.raises(PublishFailedError):
        await upkeep(index, shelves).look()
