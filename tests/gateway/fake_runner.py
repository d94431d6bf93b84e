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
    """

    logs: bytes = b""
    status: int = 200
    break_off: bool = False
    gate: asyncio.Event | None = None
    sent: int = 0
    under_way: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        asked = (
            request.match_info["id"],
            request.query["tail"],
            request.headers.get("X-Request-Id", ""),
        )
        self.asked.append(asked)
        if self.status != OK:
            return web.Response(status=self.status)
        self.under_way += 1
        try:
            return await self._stream(request)
        finally:
            self.under_way -= 1

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
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.UnixSite(runner, path).start()
        yield fake
    finally:
        await runner.cleanup()  # which removes the socket too
