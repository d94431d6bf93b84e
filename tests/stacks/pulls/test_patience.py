"""A forge that is down, or never answers, keeps no command waiting, and an approver needs none."""

import asyncio
from typing import Any

import pytest

from state_index.reviews import Approval
from tests.forges.server import Reply
from tests.stacks.pulls.conftest import Room

GONE: dict[str, bytes | None] = {"ws/two.yaml": None}


async def test_a_forge_that_never_answers_keeps_nobody_waiting(room: Room) -> None:
    source = room.bound()
    await room.took(await source.read())
    room.repository.commit(GONE)
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1") as server:
        room.forge.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with asyncio.timeout(8):
            snapshot = await source.binding.bound(await source._inner.read(), within=0.5)
        assert asked.is_set()
    assert snapshot.holds["two"].passing


@pytest.mark.parametrize("before", [True, False])
async def test_what_is_approved_goes_on_without_the_forge(room: Room, *, before: bool) -> None:
    """Also when a further commit does nothing else to it."""
    source = room.bound()
    await room.took(await source.read())
    commit = room.repository.commit(GONE)
    room.forge.down = Reply(503, {})
    snapshot = await room.took(await source.read())
    assert snapshot.holds["two"].passing
    (held,) = room.index.reviews.holds()
    if not before:
        room.repository.commit({"ws/more.txt": b"x"})
    told: dict[str, Any] = {
        "workspace_id": "two",
        "hash": held.hash,
        "who": "cli:carol",
        "why": "y",
    }
    room.index.reviews.approve(Approval(commit=commit, **told))
    assert (await room.took(await source.read())).holds == {}
