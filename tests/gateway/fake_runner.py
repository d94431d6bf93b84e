"""The runner's API as far as the gateway uses it, on a unix socket: our own seam."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

OK = 200
PIECE = 64 * 1024


@dataclass
class FakeRunner:
    """What it answers, and what it was asked.

    Attributes:
        logs: What workspaces wrote.
        status: Of the answer.
        break_off: Whether an answer ends in the middle.
        gate: Waited for in the middle of an answer.
        sent: Bytes that were taken from it, of all answers.
        under_way: Answers that have begun and not ended.
        asked: Workspace, lines and request id of each question for logs.
        queries: The whole query of each, and of each for a command.
        refusal: Message with which a WebSocket is refused.
        heads: Headers of each question for a command.
    """

    logs: bytes = b""
    status: int = 200
    break_off: bool = False
    gate: asyncio.Event | None = None
    sent: int = 0
    under_way: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    queries: list[list[tuple[str, str]]] = field(default_factory=list)
    refusal: str = ""
    heads: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.queries.append(list(request.query.items()))
        asked = (
            request.match_info["id"],
            request.query.get("tail", ""),
            request.headers.get("X-Request-Id", ""),
        )
        self.asked.append(asked)
        if self.status != OK:
            return self._refused(self.status)
        self.under_way += 1
        try:
            return await self._stream(request)
        finally:
            self.under_way -= 1

    def _refused(self, status: int) -> web.Response:
        told = {"error": {"reason": "X", "message": self.refusal}} if self.refusal else None
        return web.json_response(told, status=status)

    async def execute(self, request: web.Request) -> web.StreamResponse:
        """Send every message back, until the client closes or the gate opens."""
        self.queries.append(list(request.query.items()))
        self.heads.append({name.lower(): value for name, value in request.headers.items()})
        if self.status != OK:
            return self._refused(self.status)
        socket = web.WebSocketResponse(protocols=("codehub.exec.v1",))
        await socket.prepare(request)
        self.under_way += 1
        try:
            async for message in socket:
                await socket.send_bytes(message.data)
        finally:
            self.under_way -= 1
        return socket

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await answer.prepare(request)
        for begin in range(0, len(self.logs), PIECE):
            piece = self.logs[begin : begin + PIECE]
            await answer.write(piece)
            self.sent += len(piece)
            if self.gate is not None:
                await self.gate.wait()
            if self.break_off:
                assert request.transport is not None
                request.transport.abort()
                return answer
        return answer


@asynccontextmanager
async def fake_runner(path: Path) -> AsyncIterator[FakeRunner]:
    """Listen on a unix socket for the time of a block."""
    fake = FakeRunner()
    app = web.Application()
    app.router.add_get("/v1/workspaces/{id}/logs", fake.answer)
    app.router.add_get("/v1/workspaces/{id}/exec", fake.execute)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.UnixSite(runner, path).start()
        yield fake
    finally:
        await runner.cleanup()  # which removes the socket too
