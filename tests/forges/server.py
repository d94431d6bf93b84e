"""A small HTTP server of the tests: it keeps the requests and gives the answers that a test wants."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Seen:
    """A request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Reply:
    """What to answer: data as JSON, or raw bytes."""

    status: int = 200
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None


Answers = Callable[[Seen], Reply]


class Server:
    """A running server."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.seen: list[Seen] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        """Keep a request and answer it."""
        # Not request.path: there, %2F would be a slash.
        path = request.raw_path.split("?", 1)[0]
        body = await request.read()
        one = Seen(request.method, path, dict(request.query), dict(request.headers), body)
        self.seen.append(one)
        reply = self.answers(one)
        raw = json.dumps(reply.data).encode() if reply.raw is None else reply.raw
        return web.Response(status=reply.status, body=raw, headers=dict(reply.headers))


@asynccontextmanager
async def serving(answers: Answers, *, host: str = "127.0.0.1") -> AsyncIterator[Server]:
    """A server on a free port of this machine while the block runs."""
    server = Server(answers)
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, 0).start()
        port = runner.addresses[0][1]
        server.url = f"http://{host}:{port}"
        yield server
    finally:
        await runner.cleanup()


def in_order(*replies: Reply) -> Answers:
    """These answers, one after the other; the last one again and again."""
    left = list(replies)
    return lambda _seen: left.pop(0) if len(left) > 1 else left[0]
