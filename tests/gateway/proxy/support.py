"""A real server with the proxy in it, real workspaces on unix sockets, and a raw client."""

import asyncio
import http.client
import io
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from aiohttp import web

from gateway.errors import RequestError, UnavailableError
from gateway.head import RequestHead, malformed, workspace_target
from gateway.live import LiveSessions
from gateway.proxy.app import WorkspaceProxy, protocols
from gateway.proxy.context import ProxyContext, json_answer
from gateway.proxy.http import send_answer
from gateway.proxy.seams import Answer, View, Visitor
from gateway.proxy.server import incoming
from gateway.proxy.upstream import Upstreams
from gateway.routing import Route, Routes
from gateway.site import Site
from state_index.phases import Phase
from tests.waiting import until

COOKIE = b"Cookie: codehub=alice-session\r\n"
PATIENCE = 10.0


class Sessions:
    """Knows a few visitors by their cookie; stands at our own seam."""

    def __init__(self) -> None:
        self.broken = False
        self.known = {
            b"alice-session": Visitor("alice", admin=False, session="key-alice"),
            b"bob-session": Visitor("bob", admin=True, session="key-bob"),
        }

    async def lookup(self, cookies: Sequence[bytes]) -> Visitor | None:
        if self.broken:
            raise UnavailableError
        for value in cookies:
            for pair in value.split(b";"):
                name, _, token = pair.strip().partition(b"=")
                if name == b"codehub":
                    return self.known.get(token)
        return None


class PlainPages:
    """Pages of one line."""

    def workspace(
        self, view: View, *, status: int, route: Route, visitor: Visitor, request_id: str
    ) -> Answer:
        assert request_id
        text = f"page {view} {route.id} {visitor.name}"
        return Answer(status, [(b"content-type", b"text/html")], text.encode())

    def refusal(self, error: RequestError, *, visitor: Visitor | None, request_id: str) -> Answer:
        assert request_id
        name = visitor.name if visitor else "nobody"
        text = f"page {error.code} {name}"
        return Answer(error.status, [(b"content-type", b"text/html")], text.encode())


@dataclass
class Running:
    """A running gateway."""

    port: int
    context: ProxyContext
    server: uvicorn.Server
    run: Path
    sessions: Sessions
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    def way(self, workspace: str = "demo") -> Any:
        routes = self.context.routes.current()
        assert routes is not None
        return self.context.upstreams.to(routes[workspace])

    def get(self, path: str = "/w/demo/", *, method: str = "GET", extra: bytes = b"") -> bytes:
        """Return a request of alice's, after which the connection is closed."""
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n".encode()
            + COOKIE
            + extra
            + b"\r\n"
        )

    def upgrade(
        self, path: str = "/w/demo/ws", *, extra: bytes = b"", cookie: bytes = COOKIE
    ) -> bytes:
        """Return a handshake of alice's."""
        return (
            f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nOrigin: {self.origin}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n".encode()
            + cookie
            + extra
            + b"\r\n"
        )

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**26)
        self.writers.append(writer)
        return reader, writer

    async def ask(self, request: bytes) -> "Reply":
        """Send bytes, read to the end of the connection, take the (first) answer apart."""
        return parsed(await self.raw(request), head=request.startswith(b"HEAD"))

    async def raw(self, request: bytes) -> bytes:
        reader, writer = await self.connect()
        try:
            writer.write(request)
            async with asyncio.timeout(PATIENCE):
                return await reader.read()
        finally:
            writer.close()


@dataclass
class Reply:
    """An answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    whole: bool = True

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    def get(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._data)


def parsed(data: bytes, *, head: bool = False) -> Reply:
    """Read an answer with the standard library's parser."""
    response = http.client.HTTPResponse(_Bytes(data), method="HEAD" if head else "GET")  # type: ignore[arg-type]
    response.begin()
    whole = True
    try:
        body = response.read()
    except http.client.IncompleteRead as error:
        body, whole = error.partial, False
    return Reply(response.status, response.getheaders(), body, whole)


def route(workspace: str = "demo", **changes: Any) -> Route:
    values: dict[str, Any] = {
        "id": workspace,
        "owner": "alice",
        "phase": Phase.RUNNING,
        "generation": 1,
        "upstream": f"unix:{workspace}/ide.sock",
    }
    return Route(**{**values, **changes})


@asynccontextmanager
async def gateway(
    run: Path, *, routes: Sequence[Route] = (), patience: float = PATIENCE, **config: Any
) -> AsyncIterator[Running]:
    """Run a server with the proxy on a free port."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    table = Routes(stale_after=3600)
    table.replace(list(routes) or [route()], generation=1)
    sessions = Sessions()
    context = ProxyContext(
        site=Site.listening(base_url=None, host="127.0.0.1", port=port),
        sessions=sessions,
        pages=PlainPages(),
        live=LiveSessions(),
        routes=table,
        upstreams=Upstreams(run),
        timeout=patience,
    )
    options: dict[str, Any] = {
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_graceful_shutdown": 5,
        **protocols(context),
        **config,
    }
    server = uvicorn.Server(
        uvicorn.Config(_front(WorkspaceProxy(context), context.site), **options)
    )
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve(sockets=[listening]))
        await until(lambda: server.started, "the server to start")
        running = Running(port, context, server, run, sessions)
        try:
            yield running
        finally:
            for writer in running.writers:
                writer.transport.abort()
            await context.upstreams.close()
            server.should_exit = True
            await serving


def _front(proxy: WorkspaceProxy, site: Site) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["raw_path"].startswith(b"/w/"):
            await proxy(scope, receive, send)
            return
        problem = _problem(incoming(scope).head, site)  # as gateway.front does
        if problem is not None:
            await send_answer(json_answer(problem, "id"), send)
            return
        length = (b"content-length", b"5")
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": b"inner"})

    return app


def _problem(head: RequestHead, site: Site) -> RequestError | None:
    try:
        workspace_target(head.target)
    except RequestError as error:
        return error
    return malformed(head, site)


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Recorder:
    """A workspace that keeps what it is sent, byte for byte, and answers by a script."""

    path: Path
    received: list[bytearray] = field(default_factory=list)
    ended: int = 0

    @property
    def all(self) -> bytes:
        return b"".join(self.received)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def recorder(
    run: Path, *, answer: bytes | None = OK, workspace: str = "demo", after: bytes = b"\r\n\r\n"
) -> AsyncIterator[Recorder]:
    """Run a workspace that answers each head (the bytes in `after`) with the same bytes."""
    (run / workspace).mkdir(exist_ok=True)
    kept = Recorder(run / workspace / "ide.sock")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = bytearray()
        kept.received.append(mine)
        answered = 0
        while data := await reader.read(2**16):
            mine += data
            heads = mine.count(after)
            while answer is not None and answered < heads:
                writer.write(answer)
                answered += 1
        kept.ended += 1
        writer.close()

    async with unix_server(kept.path, serve):
        yield kept


@asynccontextmanager
async def unix_server(path: Path, serve: Handler) -> AsyncIterator[None]:
    """Run a server on a unix socket; what its handlers raise on broken connections is fine."""
    _make_room(path)
    writers: set[asyncio.StreamWriter] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.transport.abort()

    server = await asyncio.start_unix_server(handle, path, limit=2**26)
    try:
        yield
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def _make_room(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)


@asynccontextmanager
async def web_app(
    run: Path,
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    *,
    workspace: str = "demo",
) -> AsyncIterator[None]:
    """Run a workspace that is an aiohttp application; every request goes to the handler."""
    app = web.Application(client_max_size=2**40)
    app.router.add_route("*", "/{rest:.*}", handler)
    runner = web.AppRunner(
        app, auto_decompress=False, handler_cancellation=True, shutdown_timeout=0
    )
    await runner.setup()
    (run / workspace).mkdir(exist_ok=True)
    site = web.UnixSite(runner, str(run / workspace / "ide.sock"))
    await site.start()
    try:
        yield
    finally:
        await runner.cleanup()
