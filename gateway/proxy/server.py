"""The server's HTTP/1.1 protocol with what uvicorn leaves out. The only importer of uvicorn's insides.

Beyond uvicorn's own: the head keeps its raw target; its size, its number of headers and the time it
may take are limited; trailers do not turn into headers and don't go on for ever; what is left of a
body that was answered before its end is not read for long; a request to upgrade that has a body is
refused, and bytes after such a head are not lost; HTTP/1.0 gets no chunks; a handler can watch its
connection and drop it. It decides nothing about who may do what.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.errors import BadRequestError, HeadTooLargeError
from gateway.head import RequestHead
from gateway.proxy.context import json_answer
from gateway.proxy.unwanted import Filler, Rest
from gateway.proxy.websocket import Tunnel
from gateway.proxy.wire import closing_answer
from telemetry.context import new_request_id

HEAD_LIMIT: Final = 64 * 1024
"""Bytes that a request's head may have."""

HEADERS_LIMIT: Final = 128
"""Headers that a request may have."""

HEAD_TIMEOUT: Final = 20.0
"""Seconds that a request's head may take from its first byte, and a connection to its first head."""

REST_TIMEOUT: Final = 5.0
"""Seconds that the rest of a body may take to come once its request is answered."""

_EXTENSION: Final = "codehub.incoming"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as this protocol saw it.

    Attributes:
        head: Its head.
        connection: Where it came.
        whole: Set once its body is here too, or never will be.
    """

    head: RequestHead
    connection: "HttpProtocol"
    whole: asyncio.Event


def incoming(scope: Any) -> Incoming:
    """Return what an ASGI scope of this protocol carries."""
    found: Incoming = scope["extensions"][_EXTENSION]
    return found


class HttpProtocol(HttpToolsProtocol):
    """One connection of a client, until it becomes a tunnel."""

    head_timeout = HEAD_TIMEOUT
    rest_timeout = REST_TIMEOUT

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_done = False
        self._head_size = 0
        self._unparsed = 0
        self._whole = asyncio.Event()
        self._filler = Filler()
        self._rest = Rest()
        self._head_timer: asyncio.TimerHandle | None = None
        self._lost: Callable[[], None] | None = None

    def watch(self, lost: Callable[[], None] | None) -> None:
        """Call `lost` once when the connection is gone; None: no longer."""
        self._lost = lost

    def drop(self, *, flush: bool) -> None:
        """Close the connection in the middle of an answer.

        Args:
            flush: Whether what was written before still goes out.
        """
        self.cycle.disconnected = True  # what its handler sends from now on goes nowhere
        if flush:
            self.transport.close()
        else:
            self.transport.abort()

    def cut(self) -> None:
        """Close the connection at once, whatever it is doing; handlers see the client go away."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._arm_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever watches."""
        super().connection_lost(exc)
        self._disarm_head_timer()
        self._rest.over()
        self._whole.set()
        lost, self._lost = self._lost, None
        if lost is not None:
            lost()

    def data_received(self, data: bytes) -> None:
        """Parse what came; a mistake ends the connection."""
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            self._refuse(error)

    def on_message_begin(self) -> None:
        """Begin a request; empty lines before it do not count as life."""
        self._unset_keepalive_if_required()
        self._head_done = False
        self._whole = asyncio.Event()
        self._head_size = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; trailers come here too and are dropped."""
        if self._head_done:
            return
        self._count(len(name) + len(value) + 4)
        if len(self.headers) >= HEADERS_LIMIT:
            raise HeadTooLargeError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Go on with a whole head."""
        self._head_done = True
        self._unparsed = 0
        self._filler.ends()
        self._disarm_head_timer()
        if self.parser.should_upgrade():
            self._check_upgrade()
        came: Any = Incoming(self._head(upgrade=False), self, self._whole)
        self.scope["extensions"] = {_EXTENSION: came}
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._filler.ends()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take note that the request is whole."""
        self._whole.set()
        self._rest.over()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request; if this one is not whole, not for long."""
        super().on_response_complete()
        waits = self._idle and self._head_done and not self._whole.is_set()
        if waits and not self.transport.is_closing():
            self._rest.begin(self.rest_timeout, self.transport.close)

    def _feed(self, data: bytes) -> None:
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                if self._should_upgrade():
                    self._hand_over(data)
                    return
                # Some other protocol was offered and is not taken up: HTTP goes on.
                continue
            break
        self._limit(len(data))

    def _limit(self, fed: int) -> None:
        """Refuse what is too long without being wrong."""
        if not self._head_done:
            self._unparsed += fed
            if self._unparsed > HEAD_LIMIT:
                raise _too_large()
            self._arm_head_timer()
        elif self._filler.too_long(fed):
            raise _too_large()
        elif self._rest.expected and self._rest.too_long(fed):
            self.flow.pause_reading()  # until it is closed, the client may read the answer

    def _count(self, size: int) -> None:
        self._head_size += size
        if self._head_size > HEAD_LIMIT:
            raise HeadTooLargeError

    def _check_upgrade(self) -> None:
        """Refuse what would leave open where the request ends and the other protocol begins."""
        if self.parser.get_method() == b"CONNECT":
            raise BadRequestError("CONNECT is not supported.")
        if any(name in {b"content-length", b"transfer-encoding"} for name, _ in self.headers):
            raise BadRequestError("A request to upgrade has no body.")
        if self._should_upgrade() and not self._idle:
            raise BadRequestError("A request to upgrade must wait for the answer before it.")

    @property
    def _idle(self) -> bool:
        # uvicorn's annotation leaves out that there is none at first.
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def _head(self, *, upgrade: bool) -> RequestHead:
        return RequestHead(
            method=self.parser.get_method().decode("ascii"),
            target=self.url,
            headers=self.headers,
            version=self.parser.get_http_version(),
            upgrade=upgrade,
        )

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if cycle.scope["http_version"] == "1.0":
            app = _until_close(app, cycle)
        super()._start_asgi_task(cycle, app)

    def _hand_over(self, rest: bytes) -> None:
        """Give the connection to a tunnel, with the bytes that came after the head."""
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        assert self.ws_protocol_class is not None  # _should_upgrade has seen to that
        tunnel: Tunnel = self.ws_protocol_class(  # type: ignore[assignment, call-arg]
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        self.transport.set_protocol(tunnel)
        tunnel.connection_made(self.transport)
        tunnel.begin(self._head(upgrade=True), rest)

    def _refuse(self, error: Exception) -> None:
        """Answer and close; where an answer could be taken for another's, only close."""
        if self._rest.expected:
            self.transport.close()
            return
        if not self._idle:
            waiting = self.cycle.more_body and not self.cycle.response_started
            if self.pipeline or not waiting:
                self.drop(flush=False)
                return
            self.cycle.disconnected = True
        known = error.__context__
        if not isinstance(known, BadRequestError | HeadTooLargeError):
            known = BadRequestError()
        self.transport.write(closing_answer(json_answer(known, new_request_id())))
        self.transport.close()

    def _arm_head_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_timeout, self._head_late)

    def _disarm_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_late(self) -> None:
        self._head_timer = None
        if self._idle:
            self.transport.abort()
        else:  # an answer is under way; the next request may take its time until that is over
            self._arm_head_timer()


def _too_large() -> httptools.HttpParserError:
    error = httptools.HttpParserError("head too large")
    error.__context__ = HeadTooLargeError()
    return error


def _until_close(app: Any, cycle: RequestResponseCycle) -> Any:
    """Let a body of unknown length end with the connection: HTTP/1.0 has no chunks."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        async def send_plain(message: Any) -> None:
            if message["type"] == "http.response.start":
                if not any(name == b"content-length" for name, _ in message["headers"]):
                    cycle.chunked_encoding = False
            elif cycle.expected_content_length == 0:
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_plain)

    return wrapped
