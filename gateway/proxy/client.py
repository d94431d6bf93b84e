"""One HTTP/1.1 connection to a workspace: one exchange at a time, streamed both ways.

Our own, on the same parser as the server's: general clients rewrite targets and headers, decode
bodies, and cost more than all the rest of a request (docs/explanation/proxy.md). It sends exactly
the bytes it is given. It knows no pool, no retries and no time limits; those are in `upstream`.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import httptools

from gateway.errors import UpstreamUnavailableError
from gateway.proxy.headers import Pairs, acceptable
from gateway.proxy.unwanted import Filler
from gateway.proxy.wire import head_bytes

HEAD_LIMIT: Final = 64 * 1024
"""Bytes that the head of an answer may have."""

_HIGH_WATER: Final = 128 * 1024
_INTERIM: Final = frozenset(range(100, 200)) - {101}  # nobody asked for another protocol
_FINAL: Final = range(200, 600)
_BODILESS: Final = frozenset({204, 304})

Body = AsyncGenerator[bytes, None]


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """The head of a workspace's answer, as it came."""

    status: int
    headers: list[tuple[bytes, bytes]]


class ClientConnection(asyncio.Protocol):
    """A connection; after an exchange it may serve the next, or has to be aborted."""

    # What belongs to one exchange; `_begin` sets it.
    _parser: httptools.HttpResponseParser
    _headers: list[tuple[bytes, bytes]]  # of the answer, as far as they have come
    _size: int  # bytes of these
    _unparsed: int  # bytes that came before the head was whole
    _filler: Filler  # what comes after it and is no body
    _chunks: deque[bytes]  # of the body, not read yet
    _buffered: int  # bytes of these
    _news: asyncio.Future[None] | None  # whoever waits in read()
    _error: UpstreamUnavailableError | None
    _bodiless: bool  # HEAD was asked: no body follows, whatever the headers say
    _until_eof: bool  # the body ends with the connection
    _touched: bool
    _paused: bool
    _complete: bool

    def __init__(self, gone: Callable[["ClientConnection"], None]) -> None:
        """Make a connection's protocol.

        Args:
            gone: Called once when the connection is lost.
        """
        self._gone = gone
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._writable: asyncio.Future[None] | None = None
        self._upload: asyncio.Task[None] | None = None
        self._head: asyncio.Future[AnswerHead] | None = None
        self._closing = False
        self._begin(bodiless=False)
        self._complete = True  # no exchange yet

    # For the pool.

    @property
    def usable(self) -> bool:
        """Whether the next exchange can go over this connection."""
        return (
            self._complete
            and not self._closing
            and self._upload is None
            and self._transport is not None
            and not self._transport.is_closing()
        )

    @property
    def touched(self) -> bool:
        """Whether any byte of the answer has come."""
        return self._touched

    def abort(self) -> None:
        """Close at once."""
        self._stop_upload()
        if self._transport is not None:
            self._transport.abort()

    # For one exchange.

    async def ask(
        self, method: str, target: bytes, headers: Pairs, body: Body | None
    ) -> AnswerHead:
        """Send a request; returns when the head of the answer has come.

        Args:
            method: In upper case.
            target: Sent as it is.
            headers: Sent as they are.
            body: Sent as it comes; in chunks when the headers give no length.

        Raises:
            UpstreamUnavailableError: The workspace broke off or talks nonsense.
        """
        self._begin(bodiless=method == "HEAD")
        self._head = self._loop.create_future()
        line = method.encode("ascii") + b" " + target + b" HTTP/1.1"
        if body is None:
            self._write(head_bytes(line, headers))
        else:
            length = next((int(v) for name, v in headers if name == b"content-length"), None)
            framing = [] if length is not None else [(b"transfer-encoding", b"chunked")]
            self._write(head_bytes(line, [*headers, *framing]))
            self._upload = self._loop.create_task(self._send(body, length))
        return await self._head

    async def read(self) -> tuple[bytes, bool]:
        """Return what has come of the body, waiting for something, and whether it is the last.

        Raises:
            UpstreamUnavailableError: The workspace broke off.
        """
        while not self._chunks and not self._complete:
            if self._error is not None:
                raise self._error
            self._news = self._loop.create_future()
            await self._news
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._buffered = 0
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
        return data, self._complete

    # For the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]  # stream protocols get no other

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self._complete:
            self._surplus()
            return
        self._touched = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._malformed()
        if self._head is not None and not self._head.done():
            self._unparsed += len(data)
            if self._unparsed > HEAD_LIMIT:
                self._fail("answer too large")
        elif self._filler.too_long(len(data)) and not self._complete:
            self._fail("answer too large")

    def eof_received(self) -> None:
        """Finish a body that ends with the connection; the transport closes itself."""
        self._ended()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """End what is under way."""
        self._ended()
        self._stop_upload()
        self._gone(self)

    def pause_writing(self) -> None:
        """Let the upload wait."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let the upload go on."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # For the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; trailers come here too and are dropped."""
        if self._head is not None and self._head.done():
            return
        self._size += len(name) + len(value)
        if self._size > HEAD_LIMIT:
            raise ValueError("too large")
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Give the head to whoever waits for it, unless it is an interim one."""
        self._filler.ends()
        status = self._parser.get_status_code()
        if status in _INTERIM:
            self._headers = []
            return
        if status not in _FINAL or not acceptable(self._headers):
            raise ValueError("malformed")
        names = {name.lower(): value for name, value in self._headers}
        coding = names.get(b"transfer-encoding")
        if coding is not None and coding.lower() != b"chunked":
            raise ValueError("unknown coding")
        bodiless = self._bodiless or status in _BODILESS
        self._until_eof = coding is None and b"content-length" not in names and not bodiless
        if self._head is not None and not self._head.done():
            self._head.set_result(AnswerHead(status, self._headers))
        if self._bodiless:
            self._finish()  # the parser, which does not know, would wait for a body
            self._closing = self._closing or not self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body until it is read."""
        self._filler.ends()
        if self._complete:
            self._closing = True
            return
        self._chunks.append(body)
        self._buffered += len(body)
        if self._buffered > _HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._tell()

    def on_message_begin(self) -> None:
        """Take note of an answer that nobody asked for."""
        if self._complete:
            self._closing = True

    def on_message_complete(self) -> None:
        """Finish, unless what came was only an interim answer."""
        if not self._complete and self._parser.get_status_code() in _FINAL:
            self._closing = not self._parser.should_keep_alive()
            self._finish()

    # Inside.

    def _begin(self, *, bodiless: bool) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._filler = Filler()
        self._headers = []
        self._size = self._unparsed = self._buffered = 0
        self._chunks = deque()
        self._news = None
        self._error = None
        self._bodiless = bodiless
        self._until_eof = self._touched = self._paused = self._complete = False

    async def _send(self, body: Body, length: int | None) -> None:
        """Write the body as fast as it is taken. Runs in a task of its own beside the answer."""
        left = length
        try:
            async with aclosing(body):
                async for piece in body:
                    if left is None:
                        self._write(b"%x\r\n%b\r\n" % (len(piece), piece))
                    else:
                        self._write(piece)
                        left -= len(piece)
                    if self._writable is not None:
                        await self._writable
                    if left == 0:
                        break
            if left is None:
                self._write(b"0\r\n\r\n")
        except OSError:  # the client went away: half a body must not pass for the whole
            self._fail("request broken off")
        finally:
            self._upload = None

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _stop_upload(self) -> None:
        if self._upload is not None:
            self._upload.cancel()

    def _surplus(self) -> None:
        """Bytes that belong to no exchange: nothing more can be told apart."""
        self._closing = True
        self.abort()

    def _malformed(self) -> None:
        if self._complete:  # the answer is whole, what comes after it is not one
            self._closing = True
        else:
            self._fail("malformed answer")

    def _ended(self) -> None:
        self._closing = True
        if self._complete:
            return
        if self._until_eof:
            self._finish()
        else:
            self._fail("broke off")

    def _finish(self) -> None:
        self._complete = True
        self._tell()

    def _fail(self, reason: str) -> None:
        self._closing = True
        if self._error is None:
            self._error = UpstreamUnavailableError(details={"reason": reason})
        if self._head is not None and not self._head.done():
            self._head.set_exception(self._error)
        self._tell()
        self.abort()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
