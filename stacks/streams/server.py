"""Logs and exec on the runner's socket.

    GET        /v1/workspaces/{id}/logs?tail&since&follow&timestamps     text/plain, in chunks
    WebSocket  /v1/workspaces/{id}/exec?command=...&stdin&tty&cols&rows  `frames` says what it speaks

A log that breaks off breaks the connection off, so that nobody takes a part for the whole. What is
wrong with an exec is its last message, since a browser can't read why a WebSocket was refused.
"""

import asyncio
import select
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import WSMsgType, web

from stacks.errors import BadRequestError, StacksError
from stacks.operator import REQUEST_ID, Operator
from stacks.streams import frames
from stacks.streams.frames import Channel
from stacks.streams.model import ExecOptions, LogOptions, Process
from telemetry import context
from telemetry.logs import get_logger

MAX_LINE = 128 << 10
"""Bytes of a request's first line: `MAX_QUERY`, and the path."""

LOOK = 1.0
"""Seconds between two looks whether a client is still there: aiohttp does not tell for logs, nor for
an exec whose command takes no input, when its client is not read from."""

PING = 30.0
"""Seconds between two pings: they keep a silent exec from looking dead, and find a dead client."""

CLOSE_WITHIN = 2.0
"""Seconds that a client has to answer the end of a WebSocket."""

ENDED, FAILED = 1000, 4000
"""Close codes: after an exit code, after an error."""

RUNNER = web.AppKey("runner", Operator)

_log = get_logger(__name__)


OPEN = web.AppKey("open", set[asyncio.Task[Any]])
"""Who serves a stream now."""


class _GoneError(Exception):
    """The client went away."""


def add_routes(app: web.Application, runner: Operator) -> None:
    """Serve streams; when the application ends, so do they, at once."""
    app[RUNNER] = runner
    app[OPEN] = set()
    app.router.add_get("/v1/workspaces/{id}/logs", logs)
    app.router.add_get("/v1/workspaces/{id}/exec", execute)
    app.on_shutdown.append(_end_all)


async def _end_all(app: web.Application) -> None:
    for task in app[OPEN]:
        task.cancel()


@contextmanager
def _counted(request: web.Request) -> Iterator[None]:
    task = asyncio.current_task()
    assert task is not None  # aiohttp serves each connection in one
    request.app[OPEN].add(task)
    try:
        yield
    finally:
        request.app[OPEN].discard(task)


async def logs(request: web.Request) -> web.StreamResponse:
    """Answer with a log, in one piece or as it comes."""
    wanted = LogOptions.of(request.query.items())
    id_ = request.match_info["id"]
    if wanted.bounded:
        assert wanted.tail is not None  # that is what bounds it
        text = await request.app[RUNNER].logs(id_, tail=wanted.tail)
        return web.Response(text=text, content_type="text/plain", charset="utf-8")
    response = web.StreamResponse(headers={REQUEST_ID: context.request_id()})
    response.content_type, response.charset = "text/plain", "utf-8"
    with _counted(request):
        await _stream(request, wanted, response)
    return response


async def _stream(request: web.Request, wanted: LogOptions, response: web.StreamResponse) -> None:
    id_ = request.match_info["id"]
    async with request.app[RUNNER].streams.logs(id_, wanted) as pieces:
        await response.prepare(request)
        try:
            await _first(_send(pieces, response), _watch(request))
        except ConnectionError:
            _log.info("client gone", path="logs")
        except StacksError as error:
            _log.warning("log broke off", workspace=id_, reason=error.reason)
            if request.transport is not None:
                request.transport.abort()


async def execute(request: web.Request) -> web.StreamResponse:
    """Run a command for a client that speaks `frames.SUBPROTOCOL`."""
    socket = web.WebSocketResponse(
        protocols=(frames.SUBPROTOCOL,),
        compress=False,  # what browsers offer by themselves costs more than it saves on one machine
        max_msg_size=frames.MAX_MESSAGE,
        timeout=CLOSE_WITHIN,
    )
    ready = socket.can_prepare(request)
    if not ready or ready.protocol != frames.SUBPROTOCOL:
        raise BadRequestError(f"this is a WebSocket of the subprotocol {frames.SUBPROTOCOL}")
    await socket.prepare(request)
    try:
        with _counted(request):
            await _tell(socket, await _last_words(request, socket))
    except (ConnectionError, _GoneError):
        _log.info("client gone", path="exec")
    return socket


async def _last_words(request: web.Request, socket: web.WebSocketResponse) -> dict[str, Any]:
    try:
        wanted = ExecOptions.of(request.query.items())
        streams = request.app[RUNNER].streams
        async with streams.exec(request.match_info["id"], wanted) as process:
            return {"exit_code": await _Session(request, socket, process, wanted).run()}
    except StacksError as error:
        return {"error": error.to_json()}


async def _tell(socket: web.WebSocketResponse, last: dict[str, Any]) -> None:
    if socket.closed:
        return
    await socket.send_bytes(frames.json_frame(Channel.END, last))
    await socket.close(code=FAILED if "error" in last else ENDED)


class _Session:
    """One command and its client."""

    def __init__(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        process: Process,
        wanted: ExecOptions,
    ) -> None:
        self._request = request
        self._socket = socket
        self._process = process
        self._wanted = wanted
        self._code: int | None = None
        self._waits = False  # for the command to take what the client sent

    async def run(self) -> int:
        """Carry input and output until the command ends.

        Raises:
            _GoneError: The client went away.
            StacksError: Something failed, or the client said what makes no sense.
        """
        await _first(self._outward(), self._inward(), self._left(), self._ping())
        if self._code is None:
            raise _GoneError
        return self._code

    async def _outward(self) -> None:
        while (piece := await self._process.read()) is not None:
            await self._socket.send_bytes(frames.frame(*piece))
        self._code = await self._process.exit_code()

    async def _inward(self) -> None:
        async for message in self._socket:
            if message.type is WSMsgType.ERROR:  # too long, or no WebSocket: it is closed already
                return
            if message.type is not WSMsgType.BINARY:
                raise BadRequestError("messages are binary")
            await self._take(*frames.parse(message.data))

    async def _take(self, channel: Channel, data: bytes) -> None:
        if channel is Channel.STDIN and self._wanted.stdin:
            self._waits = True
            await self._process.write(data)
            self._waits = False
        elif channel is Channel.CLOSE and self._wanted.stdin and data == bytes([Channel.STDIN]):
            await self._process.close_stdin()
        elif channel is Channel.RESIZE:
            await self._process.resize(frames.parse_size(data))
        else:
            raise BadRequestError(f"a client may not send {channel.name} here")

    async def _left(self) -> None:
        while not self._waits or not _has_left(self._request):  # noqa: ASYNC110
            await asyncio.sleep(LOOK)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING)
            await self._socket.ping()


async def _send(pieces: AsyncIterator[bytes], response: web.StreamResponse) -> None:
    async for piece in pieces:
        await response.write(piece)


async def _watch(request: web.Request) -> None:
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
        await asyncio.sleep(LOOK)


def _has_left(request: web.Request) -> bool:
    if request.transport is None or request.transport.is_closing():
        return True
    poll = select.poll()
    poll.register(request.transport.get_extra_info("socket").fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))


async def _first(*works: Coroutine[Any, Any, None]) -> None:
    """Do all of this until the first one ends; raises what that one raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
