"""The runner's API as far as the gateway uses it, on a unix socket: our own seam."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from spec.files import blob
from state_index.edits import Edit

OK = 200
PIECE = 64 * 1024


def owner_in(text: str) -> str:
    """Whom a file names as the owner, "" when that can't be read."""
    found = re.search(r"^owner: *(\w+)", text, re.MULTILINE)
    return found[1] if found else ""


@dataclass
class FakeRunner:
    """What it answers, and what it was asked.

    Attributes:
        logs: What workspaces wrote.
        status: Of the answer.
        break_off: Whether an answer ends in the middle.
        gate: Waited for in the middle of an answer; before one about a file.
        sent: Bytes that were taken from it, of all answers.
        under_way: Answers that have begun and not ended.
        asked: Workspace, lines and request id of each question for logs.
        queries: The whole query of each, and of each for a command.
        refusal: Message with which a WebSocket is refused.
        heads: Headers of each question for a command.
        files: Workspace files, by id, as `add_file` makes them.
        past: What files held, by revision.
        templates: What new files may begin with, by name.
        broken: Status with which questions about files are refused.
        reasons_asked: Questions why files can't be changed.
        commits: What it tells of a file's commits.
        raw: What it answers instead, if anything.
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
    commits: list[dict[str, object]] = field(default_factory=list)
    raw: bytes = b""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    past: dict[str, str] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    broken: int = 0
    reasons_asked: int = 0

    def add_file(self, workspace_id: str, text: str, *, reason: str = "") -> str:
        """Put a file there, as a commit would; return its revision."""
        revision = blob(text.encode())
        self.past[revision] = text
        self.files[workspace_id] = {
            "id": workspace_id,
            "text": text,
            "revision": revision,
            "commit": f"{revision[:8]}c0ffee",
            "path": f"workspaces.d/{workspace_id}.yaml",
            "owner": owner_in(text),
            "editable": not reason,
            "reason": reason,
        }
        return revision

    async def file(self, request: web.Request) -> web.Response:
        found = self.files.get(request.match_info["id"])
        at = request.query.get("at", "")
        if self.gate is not None:
            await self.gate.wait()
        if self.broken:
            return self._refused(self.broken)
        if found is None or (at and at not in self.past):
            return self._refused(404)
        if at:
            then = self.past[at]
            found = found | {"text": then, "revision": at, "owner": owner_in(then)}
        return web.json_response(found)

    async def every_reason(self, request: web.Request) -> web.Response:
        self.reasons_asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.broken:
            return self._refused(self.broken)
        ids = request.query.getall("id", [])
        told = {id_: self.files[id_]["reason"] for id_ in ids if id_ in self.files}
        return web.json_response(told)

    async def every_template(self, _: web.Request) -> web.Response:
        if self.broken:
            return self._refused(self.broken)
        told = [{"name": name, "text": text} for name, text in self.templates.items()]
        return web.json_response(told)

    def make(self, edit: Edit) -> None:
        """Do to the files what an edit asks for."""
        if edit.text is None:
            del self.files[edit.workspace_id]
        else:
            self.add_file(edit.workspace_id, edit.text)

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

    async def touching(self, request: web.Request) -> web.Response:
        """Tell the commits of a workspace's file."""
        self.queries.append(list(request.query.items()))
        if self.status != OK:
            return self._refused(self.status)
        if self.raw:
            return web.Response(body=self.raw)
        return web.json_response({"commits": self.commits})

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
    app.router.add_get("/v1/files/{id}", fake.file)
    app.router.add_get("/v1/files", fake.every_reason)
    app.router.add_get("/v1/templates", fake.every_template)
    app.router.add_get("/v1/workspaces/{id}/commits", fake.touching)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.UnixSite(runner, path).start()
        yield fake
    finally:
        await runner.cleanup()  # which removes the socket too
