"""The daemon's API on a unix socket that only its own user can open (0600).

    GET  /v1/status                   who runs
    POST /v1/operations               {"kind", "ids", "options"}: NDJSON of steps, then the end
    GET  /v1/workspaces/{id}/commits  ?limit&diff: the commits that touched its file
    GET  /v1/workspaces/{id}/logs     `stacks.streams.server`
    GET  /v1/workspaces/{id}/exec     likewise, a WebSocket
    GET  /v1/files/{id}, /v1/templates  `stacks.edits.server`

The lines of operations are ``{"step": {...}}``, and at last ``{"result": ...}`` or ``{"error": {...}}``.
Errors before the first line are ``{"error": {...}}`` with a status: what is refused was not begun. There is no login here: the socket's
mode is the guard, and the gateway, which shares the data tree, relays only logs, exec and files.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from stacks.edits import server as files
from stacks.errors import (
    BadRequestError,
    NoVersionError,
    StacksError,
    TemporaryError,
    UnknownWorkspaceError,
    from_json,
)
from stacks.looks import LIMIT
from stacks.operator import REQUEST_ID, Operator
from stacks.steps import OnStep, Result, Step
from stacks.streams import server
from stacks.streams.server import RUNNER
from stacks.wanted import LOOKS, Wanted, parse
from telemetry import context
from telemetry.logs import get_logger

MAX_BODY = 1 << 20
SOCKET_MODE = 0o600
STATUS = web.AppKey("status", dict[str, Any])

_log = get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(runner: Operator, status: dict[str, Any]) -> web.Application:
    """Make the application.

    Args:
        runner: What does the work.
        status: What ``/v1/status`` says.
    """
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_with_request_id, _with_errors])
    server.add_routes(app, runner)
    files.add_routes(app)
    app[STATUS] = status
    app.router.add_get("/v1/status", _status)
    app.router.add_post("/v1/operations", _operate)
    app.router.add_get("/v1/workspaces/{id}/commits", _commits)
    return app


@asynccontextmanager
async def serving(path: Path, runner: Operator, status: dict[str, Any]) -> AsyncIterator[None]:
    """Serve the API on a unix socket until the block ends; one that was left there is replaced."""
    app = web.AppRunner(
        make_app(runner, status),
        access_log=None,
        shutdown_timeout=1.0,
        max_line_size=server.MAX_LINE,
    )
    await app.setup()
    with _bound(path) as listener:
        await web.SockSite(app, listener).start()
        try:
            yield
        finally:
            await app.cleanup()


@contextmanager
def _bound(path: Path) -> Iterator[socket.socket]:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # By the folder's descriptor: socket paths end at 108 bytes, data paths do not.
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            listener.bind(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
        # Before listening, so that nobody connects while the umask alone decides.
        path.chmod(SOCKET_MODE)
        yield listener
    finally:
        listener.close()
        path.unlink(missing_ok=True)


@web.middleware
async def _with_request_id(request: web.Request, handler: Handler) -> web.StreamResponse:
    request_id = context.accept_request_id(request.headers.get(REQUEST_ID))
    with context.bind(request_id=request_id):
        response = await handler(request)
        if not response.prepared:
            response.headers[REQUEST_ID] = request_id
        return response


@web.middleware
async def _with_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except StacksError as error:
        return web.json_response({"error": error.to_json()}, status=status_of(error))


def status_of(error: StacksError) -> int:
    """Give the status of an error that came before the stream."""
    if isinstance(error, UnknownWorkspaceError | NoVersionError):
        return 404
    if isinstance(error, BadRequestError):
        return 400
    return 503 if isinstance(error, TemporaryError) else 409


async def _status(request: web.Request) -> web.Response:
    return web.json_response(request.app[STATUS])


async def _commits(request: web.Request) -> web.Response:
    limit, diff = request.query.get("limit", str(LIMIT)), request.query.get("diff", "false")
    if not (limit.isascii() and limit.isdigit() and diff in {"true", "false"}):
        raise BadRequestError("limit must be a number, and diff true or false")
    found = await request.app[RUNNER].file_commits(
        request.match_info["id"], limit=int(limit[:9]), diff=diff == "true"
    )
    return web.json_response({"commits": [each.to_json() for each in found]})


async def _operate(request: web.Request) -> web.StreamResponse:
    wanted = parse(await request.read())
    lines: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def on_step(step: Step) -> None:
        if wanted.ids is None or step.id in wanted.ids:
            lines.put_nowait({"step": step.to_json()})

    async with asyncio.TaskGroup() as group:
        group.create_task(_work(request.app[RUNNER], wanted, lines, on_step))
        return await _answered(request, lines)


async def _answered(
    request: web.Request, lines: asyncio.Queue[dict[str, Any]]
) -> web.StreamResponse:
    """Answer by the first line: a refusal has a status of its own, all else is a stream."""
    first = await lines.get()
    if "error" in first:
        status = status_of(from_json(first["error"]))
        return web.json_response({"error": first["error"]}, status=status)
    response = web.StreamResponse(headers={REQUEST_ID: context.request_id()})
    response.content_type = "application/x-ndjson"
    gone = True
    with suppress(ConnectionError):  # the work goes on, whoever listens
        await response.prepare(request)
        gone = False
    await _relay(first, lines, response, gone=gone)
    return response


async def _work(
    runner: Operator, wanted: Wanted, lines: asyncio.Queue[dict[str, Any]], on_step: OnStep
) -> None:
    try:
        lines.put_nowait({"result": await _result(runner, wanted, on_step)})
    except StacksError as error:
        lines.put_nowait({"error": error.to_json()})


async def _result(runner: Operator, wanted: Wanted, on_step: OnStep) -> Any:
    request_id = context.request_id()
    if wanted.kind in LOOKS:
        return await _looked(runner, wanted)
    if wanted.kind == "up":
        results = await runner.up(
            wanted.ids,
            on_step=on_step,
            prune=wanted.prune,
            max_delete=wanted.max_delete,
            revision=wanted.revision,
            now=wanted.now,
            actor=wanted.actor,
            request_id=request_id,
        )
        return [result.to_json() for result in results]
    if wanted.kind == "rollback":
        return await _rolled_back(runner, wanted, request_id)
    told: dict[str, Any] = {"on_step": on_step, "request_id": request_id, "actor": wanted.actor}
    if wanted.kind == "rebuild":
        return [result.to_json() for result in await runner.rebuild(**told)]
    assert wanted.ids, "checked when it was read"
    id_ = wanted.ids[0]
    typed: dict[str, Callable[..., Awaitable[Result]]] = {
        "purge": partial(runner.purge, forget_missing=wanted.forget_missing),
        "adopt": partial(runner.adopt, owner=wanted.owner),
        "new-home": runner.new_home,
    }
    if wanted.kind in typed:
        return (await typed[wanted.kind](id_, confirm=wanted.confirm, **told)).to_json()
    # start, stop, retry, destroy
    return (await getattr(runner, wanted.kind)(id_, **told)).to_json()


async def _rolled_back(runner: Operator, wanted: Wanted, request_id: str) -> dict[str, Any]:
    assert wanted.ids, "checked when it was read"
    outcome = await runner.rollback(
        wanted.ids[0],
        to=wanted.to,
        message=wanted.message,
        actor=wanted.actor,
        request_id=request_id,
    )
    return asdict(outcome)


async def _looked(runner: Operator, wanted: Wanted) -> Any:
    if wanted.kind == "diff":
        assert wanted.ids, "checked when it was read"
        return (await runner.diff(wanted.ids[0])).to_json()
    if wanted.kind == "preview":
        return [change.to_json() for change in await runner.preview(wanted.ids)]
    found = await runner.gc(remove=wanted.remove, only=wanted.only, actor=wanted.actor)
    return [item.to_json() for item in found]


async def _relay(
    line: dict[str, Any],
    lines: asyncio.Queue[dict[str, Any]],
    response: web.StreamResponse,
    *,
    gone: bool,
) -> None:
    """Send lines until the last one; when nobody listens any more the work goes on."""
    while True:
        if not gone:
            try:
                await response.write(json.dumps(line).encode() + b"\n")
            except ConnectionError:
                gone = True
                _log.info("client gone", path="/v1/operations")
        if "step" not in line:
            return
        line = await lines.get()
