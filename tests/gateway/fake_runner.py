"""The runner's API as far as the gateway uses it, on a unix socket: our own seam."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web


@dataclass
class FakeRunner:
    """What it answers, and what it was asked."""

    logs: bytes = b""
    status: int = 200
    break_off: bool = False
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        asked = (
            request.match_info["id"],
            request.query["tail"],
            request.headers.get("X-Request-Id", ""),
        )
        self.asked.append(asked)
        if not self.break_off:
            return web.Response(body=self.logs, status=self.status, content_type="text/plain")
        answer = web.StreamResponse(headers={"Content-Length": "1000"})
        await answer.prepare(request)
        await answer.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return answer


@asynccontextmanager
async def fake_runner(path: Path) -> AsyncIterator[FakeRunner]:
    """Listen on a unix socket for the time of a block."""
    fake = FakeRunner()
    app = web.Application()
    app.router.add_get("/v1/workspaces/{id}/logs", fake.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.UnixSite(runner, path).start()
        yield fake
    finally:
        await runner.cleanup()  # which removes the socket too
