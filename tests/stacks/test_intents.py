"""Taking what users ask for: done once, told until the index knows, never lost and never twice."""

import asyncio
from collections.abc import Collection
from pathlib import Path

import pytest

from stacks import intents
from stacks.board import Board
from stacks.demand import Demand
from stacks.errors import NotLeadingError, PublishFailedError
from stacks.intents import Intents
from stacks.steps import Result
from state_index.index import Index
from state_index.models import Intent
from state_index.phases import Event
from tests.waiting import until


@pytest.fixture
def index(tmp_path: Path) -> Index:
    made = Index.open(f"sqlite:///{tmp_path}/index.db")
    made.publish("a", event=Event.STOPPED, cause="new", owner="alice")
    return made


class Stumbling(Board):
    """An index that refuses the first tries to end an intent, and may lose an answer."""

    def __init__(self, index: Index) -> None:
        super().__init__(index)
        self.refusals: list[Exception] = []
        self.deaf = False
        self.opened: list[list[str]] = []

    async def finish(self, intent_id: str, error: str) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        await super().finish(intent_id, error)

    async def take_intents(self) -> list[Intent]:
        taken = await super().take_intents()
        if self.deaf:
            self.deaf = False
            raise PublishFailedError("the connection is lost")
        return taken

    async def reopen(self, *, but: Collection[str] = ()) -> None:
        self.opened.append(sorted(but))
        await super().reopen(but=but)


class Work:
    """What is done with demands: started or stopped at once, as soon as it may."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.done: list[str] = []
        self.message = ""
        self.may = asyncio.Event()
        self.may.set()

    async def submit(self, workspace_id: str, demand: Demand) -> Result:
        self.done.append(demand.cause)
        await self.may.wait()
        event = Event.READY if demand.asked else Event.STOPPED
        row = self.index.publish(workspace_id, event=event, cause=demand.cause)
        return Result(id=workspace_id, action="start", phase=row.phase, message=self.message)


def ended(index: Index, intent: Intent) -> tuple[str, str]:
    found = index.intent(intent.id)
    assert found is not None
    return found.status, found.error


def asked(index: Index, kind: str) -> Intent:
    return index.request("a", "start" if kind == "start" else "stop", actor="alice", request_id="r")


async def test_what_is_asked_is_done_and_ended(index: Index) -> None:
    work, intent = Work(index), asked(index, "start")
    async with asyncio.TaskGroup() as group:
        await Intents(Board(index), work.submit, group).look()
    assert (ended(index, intent), work.done) == (("done", ""), ["alice asked to start it"])


async def test_what_fails_is_told(index: Index) -> None:
    work, intent = Work(index), asked(index, "start")
    work.message = "the image is missing"
    async with asyncio.TaskGroup() as group:
        await Intents(Board(index), work.submit, group).look()
    assert ended(index, intent) == ("failed", "the image is missing")


async def test_the_index_is_told_until_it_knows(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it stays taken: the next one only joins it, and the next runner starts it again."""
    monkeypatch.setattr(intents, "AGAIN", 0.0)
    board, work, intent = Stumbling(index), Work(index), asked(index, "start")
    board.refusals = [PublishFailedError("the disk is full") for _ in range(3)]
    async with asyncio.TaskGroup() as group:
        await Intents(board, work.submit, group).look()
    assert (ended(index, intent), len(work.done)) == (("done", ""), 1)
    index.publish("a", event=Event.STOPPED, cause="down")
    assert asked(index, "start").joined is False


class Crowded(Stumbling):
    """An index that counts how many tell it at once."""

    def __init__(self, index: Index) -> None:
        super().__init__(index)
        self.at_once = self.most = 0

    async def finish(self, intent_id: str, error: str) -> None:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await super().finish(intent_id, error)
        finally:
            self.at_once -= 1


async def test_one_end_is_told_after_the_other(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each that waits for a locked index holds a thread, and there are few of them."""
    monkeypatch.setattr(intents, "AGAIN", 0.0)
    board, work, names = Crowded(index), Work(index), [f"w{number}" for number in range(5)]
    board.refusals = [PublishFailedError("the index is locked") for _ in range(9)]
    for name in names:
        index.publish(name, event=Event.STOPPED, cause="new", owner="alice")
    every = [index.request(name, "start", actor="alice", request_id="r") for name in names]
    async with asyncio.TaskGroup() as group:
        await Intents(board, work.submit, group).look()
    assert [ended(index, intent)[0] for intent in every] == ["done"] * 5
    assert board.most == 1


async def test_what_is_forgotten_meanwhile_has_ended(index: Index) -> None:
    await Board(index).finish("f" * 32, "")


async def test_who_does_not_lead_leaves_it_to_the_next(index: Index) -> None:
    board, work, intent = Stumbling(index), Work(index), asked(index, "start")
    board.refusals = [NotLeadingError("another one leads")]
    async with asyncio.TaskGroup() as group:
        await Intents(board, work.submit, group).look()
    assert ended(index, intent) == ("taken", "")


async def test_what_was_taken_without_our_knowing_is_taken_again(index: Index) -> None:
    index.publish("b", event=Event.STOPPED, cause="new", owner="bob")
    board, work = Stumbling(index), Work(index)
    work.may.clear()
    async with asyncio.TaskGroup() as group:
        taker = Intents(board, work.submit, group)
        under_way = asked(index, "start")
        await taker.look()
        lost = index.request("b", "start", actor="bob", request_id="r")
        board.deaf = True
        await taker.look()
        await taker.look()
        await until(lambda: len(work.done) == 2)
        work.may.set()
        await until(lambda: not taker._running)
        board.deaf = True
        await taker.look()
        await taker.look()
    assert board.opened == [[under_way.id], []]
    assert work.done == ["alice asked to start it", "bob asked to start it"]
    assert ended(index, under_way) == ended(index, lost) == ("done", "")
