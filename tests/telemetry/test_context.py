"""Request ids: made, accepted, bound, and carried from the gateway to the runner."""

import asyncio
import re
from pathlib import Path

import pytest

from state_index.index import Index
from state_index.phases import Event
from telemetry import context


def test_request_ids_are_fresh() -> None:
    made = {context.new_request_id() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in made)


@pytest.mark.parametrize("given", ["a" * 8, "Abc-123_x", "f" * 64])
def test_sound_ids_of_others_are_kept(given: str) -> None:
    assert context.accept_request_id(given) == given


@pytest.mark.parametrize(
    "given", [None, "", "short", "f" * 65, "a b c d e f", "x" * 8 + "\n", "é" * 9]
)
def test_other_ids_are_replaced(given: str | None) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", context.accept_request_id(given))


def test_values_are_bound_for_the_block_only() -> None:
    assert context.request_id() == ""
    with context.bind(request_id="r-1", workspace="a"):
        with context.bind(request_id="r-2"):
            assert (context.request_id(), context.current("workspace")) == ("r-2", "a")
        assert context.request_id() == "r-1"
    assert context.current("workspace") == ""


async def test_tasks_do_not_see_each_other_s_values() -> None:
    both = asyncio.Barrier(2)

    async def one(request_id: str) -> str:
        with context.bind(request_id=request_id):
            await both.wait()
            return await asyncio.to_thread(context.request_id)

    assert list(await asyncio.gather(one("r-1"), one("r-2"))) == ["r-1", "r-2"]


def test_the_intent_s_row_carries_the_request_id_to_the_runner(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/index.db"
    with Index.open(url) as gateway:
        gateway.publish("a", event=Event.STOPPED, cause="found")
        with context.bind(request_id=context.new_request_id()):
            asked = context.request_id()
            gateway.request("a", "start", actor="alice", request_id=asked)
    with Index.open(url) as runner:
        [intent] = runner.take_intents()
        with context.bind(request_id=intent.request_id, workspace="a", operation=intent.id):
            runner.publish("a", event=Event.START, cause="intent", request_id=context.request_id())
        row = runner.workspace("a")
        assert row is not None
        assert row.request_id == runner.history("a")[0].request_id == asked
