"""Writes the few HTTP/1.1 messages that go straight to a socket, past the server and the client."""

from collections.abc import Iterable
from http import HTTPStatus

from gateway.proxy.seams import Answer

Pairs = Iterable[tuple[bytes, bytes]]


def closing_answer(answer: Answer) -> bytes:
    """Return a whole answer, after which the connection is closed."""
    framing = [
        (b"content-length", str(len(answer.body)).encode("ascii")),
        (b"connection", b"close"),
    ]
    head = head_bytes(_status_line(answer.status), [*answer.headers, *framing])
    return head + answer.body


def switching_protocols(headers: Pairs) -> bytes:
    """Return the head after which a connection is a WebSocket."""
    switch = [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
    return head_bytes(_status_line(101), [*switch, *headers])


def upgrade_request(target: bytes, headers: Pairs) -> bytes:
    """Return the head that asks a workspace for a WebSocket."""
    switch = [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
    return head_bytes(b"GET " + target + b" HTTP/1.1", [*headers, *switch])


def head_bytes(first_line: bytes, headers: Pairs) -> bytes:
    """Return a head with the empty line that ends it."""
    lines = [first_line, *(name + b": " + value for name, value in headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}".encode("ascii")
