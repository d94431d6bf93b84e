"""Reads a workspace's answer to a request for a WebSocket. No I/O: bytes in, one result out."""

import asyncio
import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httptools

from gateway.errors import UpstreamUnavailableError
from gateway.proxy.headers import acceptable
from gateway.proxy.unwanted import Filler

HEAD_LIMIT: Final = 32 * 1024
"""Bytes that the head of the answer may have."""

BODY_LIMIT: Final = 256 * 1024
"""Bytes that the body of a refusal may have."""

SWITCHING: Final = 101

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_FIRST_FINAL: Final = 200
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Handshake:
    """A workspace's answer.

    Attributes:
        status: 101, or the status of a refusal.
        headers: Names in lower case.
        body: A refusal's.
        rest: With 101, what came after the head.
    """

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes = b""
    rest: bytes = b""

    def opens(self, key: bytes) -> bool:
        """Return whether this is the right answer to a handshake with this key."""
        accept = base64.b64encode(hashlib.sha1(key.strip() + _GUID, usedforsecurity=False).digest())
        upgrades = [value.strip().lower() for value in self._values(b"upgrade")]
        return (
            self.status == SWITCHING
            and self._values(b"sec-websocket-accept") == [accept]
            and upgrades == [b"websocket"]
        )

    def _values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key == name]


class HandshakeReader:
    """Collects one answer and puts it, or an error, into `result`."""

    def __init__(self, result: "asyncio.Future[Handshake]") -> None:
        self.result = result
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0
        self._filler = Filler()
        self._head_done = False

    def feed(self, data: bytes) -> None:
        """Take bytes as they come, until `result` is done."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._finish(rest=data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._fail("malformed answer")
        if not self._head_done:
            self._size += len(data)
            if self._size > HEAD_LIMIT:
                self._fail("answer too large")
        elif self._filler.too_long(len(data)):
            self._fail("answer too large")

    def end(self) -> None:
        """Take note that nothing more comes: some bodies end so."""
        if self._head_done and self._ends_with_connection():
            self._finish()
        else:
            self._fail("no answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header from the parser; what comes after the head is a trailer."""
        if not self._head_done:
            self._count(len(name) + len(value), HEAD_LIMIT)
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Take note that the head is whole."""
        self._head_done = True
        self._filler.ends()
        if self._parser.get_status_code() >= _FIRST_FINAL:
            self._size = 0  # interim answers count together: they could go on for ever

    def on_body(self, body: bytes) -> None:
        """Take a piece of a refusal's body from the parser."""
        self._filler.ends()
        self._count(len(body), BODY_LIMIT)
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Finish, unless what came was only an interim answer."""
        status = self._parser.get_status_code()
        if status == SWITCHING:
            return  # the parser says next where the head ended, if it is a proper one
        if status >= _FIRST_FINAL:
            self._finish()
        self._headers, self._head_done = [], False

    def _ends_with_connection(self) -> bool:
        framed = any(name in _FRAMING for name, _ in self._headers)
        return self._parser.get_status_code() >= _FIRST_FINAL and not framed

    def _count(self, size: int, limit: int) -> None:
        self._size += size
        if self._size > limit:
            raise ValueError("too large")

    def _finish(self, rest: bytes = b"") -> None:
        if self.result.done():
            return
        if not acceptable(self._headers):
            self._fail("malformed answer")
            return
        status = self._parser.get_status_code()
        self.result.set_result(Handshake(status, self._headers, b"".join(self._body), rest))

    def _fail(self, reason: str) -> None:
        if not self.result.done():
            self.result.set_exception(UpstreamUnavailableError(details={"reason": reason}))
