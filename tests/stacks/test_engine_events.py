"""The engine's events: which are ours, and a stream that comes in pieces, ends and is opened again."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from stacks.engine_events import ACTIONS, EngineEvents, Gap, Happened, read
from tests.waiting import until

OURS = {"codehub.prefix": "x-", "codehub.workspace": "ws", "name": "x-ws"}


def event(kind: str = "container", action: str = "die", **attributes: str) -> dict[str, Any]:
    return {"Type": kind, "Action": action, "Actor": {"ID": "c", "Attributes": attributes}}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (event(**OURS), Happened(workspace="ws", action="die")),
        (event(name="x-ws"), Happened(workspace="ws", action="die")),
        (event(name="other"), None),
        (event(**OURS | {"codehub.prefix": "y-", "name": "y-ws"}), None),
        (event(action="exec_create: sh", **OURS), None),
        (event(action="health_status: healthy", **OURS), None),
        (event("network", "disconnect", container="c1", name="n"),
         Happened(container="c1", action="disconnect")),
        (event("network", "destroy", name="n"), None),
        ({}, None),
        ({"Type": "container", "Action": "die", "Actor": None}, None),
    ],
)  # fmt: skip
def test_which_events_are_ours(said: dict[str, Any], found: Happened | None) -> None:
    assert read(said, name_prefix="x-") == found


class Engine:
    """An engine of which only the events are there, on a real socket."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.pieces: list[list[bytes]] = []
        self.ends = asyncio.Event()
        """When a stream that said all of its pieces ends."""
        self.ends.set()
        self.line: asyncio.BaseTransport | None = None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(json.loads(request.query["filters"]))
        if not self.pieces:
            raise web.HTTPServiceUnavailable
        answer = web.StreamResponse()
        await answer.prepare(request)
        for piece in self.pieces.pop(0):
            await answer.write(piece)
        self.line = request.transport
        await self.ends.wait()
        return answer


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    made = Engine()
    app = web.Application()
    app.router.add_get("/events", made.serve)
    app.router.add_get("/{version}/events", made.serve)

    async def version(_: web.Request) -> web.Response:
        return web.json_response({"ApiVersion": "1.41"})

    app.router.add_get("/version", version)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "engine.sock")).start()
    yield made
    await runner.cleanup()


async def test_a_stream_in_pieces_is_read_and_opened_again(engine: Engine, tmp_path: Path) -> None:
    line = json.dumps(event(**OURS)).encode()
    engine.pieces = [
        [line[:20], line[20:] + b"\n\n" + b"no json\n[]\n", line + b"\n"],
        [b"x" * ((1 << 20) + 1), b"\n" + line + b"\n"],
        [line + b"\n"],
    ]
    died = Happened(workspace="ws", action="die")
    found: list[Happened | Gap] = []
    events = EngineEvents(host=f"unix://{tmp_path}/engine.sock", name_prefix="x-")
    async with events, asyncio.timeout(30), aclosing(events.follow()) as stream:
        async for each in stream:
            found.append(each)
            if len(found) == 7:
                break
    assert found == [Gap(), died, died, Gap(), died, Gap(), died]
    assert engine.asked[0] == {"type": ["container", "network"], "event": list(ACTIONS)}


async def test_an_engine_that_is_away_is_asked_again(engine: Engine, tmp_path: Path) -> None:
    events = EngineEvents(host=f"unix://{tmp_path}/engine.sock", name_prefix="x-")
    async with events, asyncio.timeout(30), aclosing(events.follow()) as stream:
        first = asyncio.ensure_future(anext(stream))
        while not engine.asked:  # noqa: ASYNC110 - the engine's other end is in this process
            await asyncio.sleep(0.01)
        engine.pieces = [[b""]]
        assert await first == Gap()
    assert len(engine.asked) == 2


async def test_who_hears_no_more_hangs_up_at_once(engine: Engine, tmp_path: Path) -> None:
    engine.pieces = [[json.dumps(event(**OURS)).encode() + b"\n"]]
    engine.ends.clear()
    async with EngineEvents(host=f"unix://{tmp_path}/engine.sock", name_prefix="x-") as events:
        async with aclosing(events.follow()) as stream:
            assert [await anext(stream), await anext(stream)] == [
                Gap(),
                Happened(workspace="ws", action="die"),
            ]
            assert engine.line is not None
            assert not engine.line.is_closing()
        await until(engine.line.is_closing)
    engine.ends.set()
