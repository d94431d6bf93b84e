"""The first code that sees a request: gives it an id, checks its head, and hands it on.

Requests below `/w/` go to the proxy, on the raw path and before any framework; it asks the same
questions in `guards.authorize`. Everything else gets here what every page and API call needs: a
head that can be read in one way, an origin of ours for whatever changes something, a known or
unknown visitor, security headers, and a line in the log without query or cookie.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, Final

from gateway.answers import API, refusal_for, send_answer
from gateway.cookies import NAMES
from gateway.errors import BadRequestError, MisdirectedError, OriginRefusedError, RequestError
from gateway.guards import is_navigation
from gateway.head import PREFIX, RequestHead, loggable_path, malformed, workspace_target
from gateway.headers import security_headers
from gateway.origin import SAFE_METHODS, unsafe_request_problem
from gateway.peer import client_address
from gateway.proxy.seams import Visitor
from gateway.proxy.server import HttpProtocol, Incoming, incoming
from gateway.services import Services
from telemetry.context import bind, new_request_id
from telemetry.logs import get_logger

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_ANYBODY: Final = (b"/healthz", b"/readyz")
_STATIC: Final = b"/static/"
_SERVER_ERROR: Final = 500

BODY_TIMEOUT: Final = 30.0
"""Seconds in which the whole body of a request to a page or the API must have come."""

SMALL_BODY: Final = 64 * 1024
"""Bytes of a body whose end is waited for before its request is answered; no more are read ahead of that."""

SMALL_BODY_TIMEOUT: Final = 2.0
"""Seconds that an answer waits for it."""

_NO_BODY: Final = "The body did not come."

_log = get_logger("gateway.access")


class Front:
    """The gateway's ASGI application."""

    def __init__(self, services: Services, *, site: ASGIApp, proxy: ASGIApp) -> None:
        """Make the application.

        Args:
            services: What is asked here.
            site: The pages and the API.
            proxy: What is below `/w/`.
        """
        self._services = services
        self._site = site
        self._proxy = proxy
        self._headers = [
            (name.encode("ascii"), value.encode("ascii"))
            for name, value in security_headers(https=services.https).items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; WebSockets come in by another door (`gateway.serve`)."""
        if scope["type"] != "http":
            await self._site(scope, receive, send)
            return
        request_id = new_request_id()
        state = scope.setdefault("state", {})
        state.update(request_id=request_id, visitor=None, address=self._address(scope))
        watched = _Watched(send, request_id, incoming(scope))
        began = time.perf_counter()
        with bind(request_id=request_id):
            try:
                await self._serve(scope, receive, watched)
            finally:
                _write_line(scope, watched.status, time.perf_counter() - began)

    async def _serve(self, scope: Scope, receive: Receive, send: "_Watched") -> None:
        if scope["raw_path"].startswith(PREFIX):
            await self._proxy(scope, receive, send)
            return
        send.extra = self._headers
        head = incoming(scope).head
        try:
            await self._check(scope, head)
        except RequestError as error:
            await self._refuse(scope, error, send)
            return
        # The framework knows no HEAD; the server leaves the body out, going by its own scope.
        bare = scope["method"] == "HEAD" and not scope["raw_path"].startswith(API)
        body = _Prompt(receive, incoming(scope).connection) if head.has_body else receive
        await self._site({**scope, "method": "GET"} if bare else scope, body, send)

    async def _check(self, scope: Scope, head: RequestHead) -> None:
        """Refuse what nobody may send; note who the visitor is."""
        path = scope["raw_path"]
        problem = malformed(head, self._services.site)
        if problem is not None and not (isinstance(problem, MisdirectedError) and path in _ANYBODY):
            raise problem
        workspace_target(head.target)  # raises for a path that some other parser takes for /w/
        if path in _ANYBODY or path.startswith(_STATIC):
            return
        cookies = head.values(b"cookie")
        if head.method not in SAFE_METHODS:
            self._check_origin(head, has_cookie=_carries_session(cookies))
        scope["state"]["visitor"] = await self._services.lookup.lookup(cookies)

    def _check_origin(self, head: RequestHead, *, has_cookie: bool) -> None:
        own = self._services.site.origin(head.values(b"host")[0])
        problem = unsafe_request_problem(
            method=head.method,
            own=own or "",
            origins=head.texts(b"origin"),
            fetch_sites=head.texts(b"sec-fetch-site"),
            has_cookie=has_cookie,
        )
        if problem is not None:
            raise OriginRefusedError(f"The request is refused: {problem}.")

    async def _refuse(self, scope: Scope, error: RequestError, send: Send) -> None:
        visitor: Visitor | None = scope["state"]["visitor"]
        request_id = scope["state"]["request_id"]
        if isinstance(error, OriginRefusedError):
            await self._services.trail.refused(
                user="",
                workspace="",
                code=error.code,
                address=scope["state"]["address"],
                request_id=request_id,
            )
        answer = refusal_for(
            error,
            pages=self._services.pages,
            wants_page=wants_page(scope),
            path=scope["raw_path"],
            visitor=visitor,
            request_id=request_id,
        )
        await send_answer(answer, send)

    def _address(self, scope: Scope) -> str:
        peer = scope["client"][0] if scope.get("client") else ""
        forwarded = [
            value.decode("latin-1")
            for name, value in scope["headers"]
            if name == b"x-forwarded-for"
        ]
        return client_address(peer, forwarded, self._services.settings.trusted_proxies)


class _Prompt:
    """Receives a body that must come in time: whoever sends slowly would hold a connection for ever.

    Workspaces' bodies are not received here: they may be large, and only owners send them.
    """

    def __init__(self, receive: Receive, connection: HttpProtocol) -> None:
        self._receive = receive
        self._connection = connection
        self._end: float | None = asyncio.get_running_loop().time() + BODY_TIMEOUT

    async def __call__(self) -> Message:
        try:
            async with asyncio.timeout_at(self._end):
                message = await self._receive()
        except TimeoutError:
            self._connection.drop(flush=False)
            raise BadRequestError(_NO_BODY) from None
        if self._end is not None and message["type"] == "http.disconnect":
            raise BadRequestError(_NO_BODY)  # the framework would take it for a mistake of its own
        if not message.get("more_body", False):
            self._end = None  # what is waited for from now on is the client's going away
        return message


async def _small_body(request: Incoming) -> None:
    """Wait until a small body is here, also where nobody wants it.

    A proxy before us that is answered while it sends the body on takes the connection for broken: its
    client gets half an answer. Whoever waits to be asked for a body is answered at once.
    """
    head = request.head
    sizes = [int(size) for size in head.values(b"content-length") if size.isdigit()]
    if len(sizes) != 1 or not 0 < sizes[0] <= SMALL_BODY or head.values(b"expect"):
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(SMALL_BODY_TIMEOUT):
            await request.whole.wait()


class _Watched:
    """Sends on, notes the status, and adds headers that every answer has."""

    def __init__(self, send: Send, request_id: str, request: Incoming) -> None:
        self._send = send
        self._request = request
        self._request_id = (b"x-request-id", request_id.encode("ascii"))
        self.extra: list[tuple[bytes, bytes]] = []
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            await _small_body(self._request)
            headers = list(message.get("headers", ()))
            present = {name.lower() for name, _ in headers}
            wanted = [self._request_id, *self.extra]
            headers += [pair for pair in wanted if pair[0] not in present]
            message = {**message, "headers": headers}
        await self._send(message)


def _write_line(scope: Scope, status: int, seconds: float) -> None:
    """Write the access log's line; what comes in hundreds per page only when debugging."""
    path = scope["raw_path"]
    quiet = path in _ANYBODY or path.startswith((PREFIX, _STATIC))
    write = _log.debug if quiet and status < _SERVER_ERROR else _log.info
    write(
        "request",
        method=scope["method"],
        path=loggable_path(path),
        status=status,
        ms=round(seconds * 1000, 1),
        client=scope["state"]["address"],
    )


def _carries_session(cookies: list[bytes]) -> bool:
    """Return whether any of our cookies is there, be it valid, stale or doubled."""
    names = {name.encode("ascii") for name in NAMES}
    pairs = (pair.partition(b"=")[0].strip() for value in cookies for pair in value.split(b";"))
    return any(name in names for name in pairs)


def wants_page(scope: Scope) -> bool:
    """Return whether a person will read the answer: a navigation, or a form without scripts."""
    head = incoming(scope).head
    form = head.method == "POST" and any(b"text/html" in value for value in head.values(b"accept"))
    return form or is_navigation(head)
