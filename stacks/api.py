"""The daemon's API on a unix socket that only its own user can open (0600).

    GET  /v1/status                   who runs
    POST /v1/operations               {"kind", "ids", "options"}: NDJSON of steps, then the end
    GET  /v1/workspaces/{id}/logs     `stacks.streams.server`
    GET  /v1/workspaces/{id}/exec     likewise, a WebSocket

The lines of operations are ``{"step": {...}}``, and at last ``{"result": ...}`` or ``{"error": {...}}``.
Errors before the stream are ``{"error": {...}}`` with a status. There is no login here: the socket's
mode is the guard, and the gateway, which shares the data tree, relays only logs and exec.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from stacks.errors import BadRequestError, StacksError, TemporaryError, UnknownWorkspaceError
from stacks.operator import REQUEST_ID, Operator
from stacks.steps import OnStep, Result, Step
from stacks.streams import server
from stacks.streams.server import RUNNER
from telemetry import context
from telemetry.logs import get_logger

MAX_BODY = 1 << 20
SOCKET_MODE = 0o600
KINDS = (
    "up",
    "preview",
    "destroy",
    "start",
    "stop",
    "retry",
    "purge",
    "adopt",
    "new-home",
    "rebuild",
)
FOR_ALL = frozenset({"up", "preview", "rebuild"})
"""Those that need no id."""

ACTOR_MAX = 128
"""Characters of an actor's name: what the index holds."""

STATUS = web.AppKey("status", dict[str, Any])

_log = get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a call asks for.

    Attributes:
        kind: One of `KINDS`.
        ids: Workspaces; None for all.
        prune: Whether `up` removes workspaces whose file is gone; None for the setting.
        max_delete: Most workspaces that `up` may prune; None for the rule.
        confirm: The id once more, of a workspace whose home is to be purged, adopted or made anew.
        forget_missing: Whether a home that is not on this engine may be forgotten by a purge.
        actor: Who asks, for the history (not of `up` and `destroy`); the socket's mode is why it is
            believed.
    """

    kind: str
    ids: tuple[str, ...] | None = None
    prune: bool | None = None
    max_delete: int | None = None
    confirm: str = ""
    forget_missing: bool = False
    actor: str = ""


def parse(body: bytes) -> Wanted:
    """Read a call's body.

    Raises:
        BadRequestError: It is not what it should be.
    """
    try:
        data = json.loads(body)
        kind, ids = data["kind"], data.get("ids")
        options = data.get("options", {})
        prune, actor = options.get("prune"), options.get("actor", "")
        most, confirm = options.get("max_delete"), options.get("confirm", "")
        missing = options.get("forget_missing", False)
    except (ValueError, KeyError, AttributeError, TypeError):
        raise BadRequestError('the body must be {"kind": ..., "ids": [...]}') from None
    if kind not in KINDS:
        raise BadRequestError(f"kind must be one of {', '.join(KINDS)}")
    if ids is not None and not (isinstance(ids, list) and all(isinstance(i, str) for i in ids)):
        raise BadRequestError("ids must be a list of workspace ids")
    if kind not in FOR_ALL and (ids is None or len(ids) != 1):
        raise BadRequestError(f"{kind} takes exactly one id")
    if not isinstance(prune, bool | None):
        raise BadRequestError("options.prune must be true or false")
    _check_removal(most, confirm, missing)
    if not isinstance(actor, str) or len(actor) > ACTOR_MAX:
        raise BadRequestError(f"options.actor must be a name of at most {ACTOR_MAX} characters")
    return Wanted(
        kind=kind,
        ids=None if ids is None else tuple(ids),
        prune=prune,
        max_delete=most,
        confirm=confirm,
        forget_missing=missing,
        actor=actor,
    )


def _check_removal(most: object, confirm: object, missing: object) -> None:
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 0):
        raise BadRequestError("options.max_delete must be a number of workspaces")
    if not isinstance(confirm, str):
        raise BadRequestError("options.confirm must be a workspace's id")
    if not isinstance(missing, bool):
        raise BadRequestError("options.forget_missing must be true or false")


def make_app(runner: Operator, status: dict[str, Any]) -> web.Application:
    """Make the application.

    Args:
        runner: What does the work.
        status: What ``/v1/status`` says.
    """
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_with_request_id, _with_errors])
    server.add_routes(app, runner)
    app[STATUS] = status
    app.router.add_get("/v1/status", _status)
    app.router.add_post("/v1/operations", _operate)
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
    if isinstance(error, UnknownWorkspaceError):
        return 404
    if isinstance(error, BadRequestError):
        return 400
    return 503 if isinstance(error, TemporaryError) else 409


async def _status(request: web.Request) -> web.Response:
    return web.json_response(request.app[STATUS])


async def _operate(request: web.Request) -> web.StreamResponse:
    wanted = parse(await request.read())
    response = web.StreamResponse(headers={REQUEST_ID: context.request_id()})
    response.content_type = "application/x-ndjson"
    await response.prepare(request)
    lines: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def on_step(step: Step) -> None:
        if wanted.ids is None or step.id in wanted.ids:
            lines.put_nowait({"step": step.to_json()})

    async with asyncio.TaskGroup() as group:
        group.create_task(_work(request.app[RUNNER], wanted, lines, on_step))
        await _relay(lines, response)
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
    if wanted.kind == "preview":
        return [change.to_json() for change in await runner.preview(wanted.ids)]
    if wanted.kind == "up":
        results = await runner.up(
            wanted.ids,
            on_step=on_step,
            prune=wanted.prune,
            max_delete=wanted.max_delete,
            request_id=request_id,
        )
        return [result.to_json() for result in results]
    told: dict[str, Any] = {"on_step": on_step, "request_id": request_id, "actor": wanted.actor}
    if wanted.kind == "rebuild":
        return [result.to_json() for result in await runner.rebuild(**told)]
    assert wanted.ids, "checked when it was read"
    id_ = wanted.ids[0]
    if wanted.kind == "destroy":
        return (await runner.destroy(id_, on_step=on_step, request_id=request_id)).to_json()
    typed: dict[str, Callable[..., Awaitable[Result]]] = {
        "purge": partial(runner.purge, forget_missing=wanted.forget_missing),
        "adopt": runner.adopt,
        "new-home": runner.new_home,
    }
    if wanted.kind in typed:
        return (await typed[wanted.kind](id_, confirm=wanted.confirm, **told)).to_json()
    call = {"start": runner.start, "stop": runner.stop, "retry": runner.retry}[wanted.kind]
    return (await call(id_, **told)).to_json()


async def _relay(lines: asyncio.Queue[dict[str, Any]], response: web.StreamResponse) -> None:
    """Send lines until the last one; when nobody listens any more the work goes on."""
    gone = False
    while True:
        line = await lines.get()
        if not gone:
            try:
                await response.write(json.dumps(line).encode() + b"\n")
            except ConnectionError:
                gone = True
                _log.info("client gone", path="/v1/operations")
        if "step" not in line:
            return
