"""The subprotocol `codehub.exec.v1`: what the messages of an exec's WebSocket mean. Pure.

Each message is binary; its first byte is the channel. After the design of Kubernetes' remote
command, version 5: one connection, and a way to end stdin without ending the rest.

    0    stdin    client → server   bytes for the command
    1    stdout   server → client   bytes of the command; with a terminal, all of them
    2    stderr   server → client   bytes of the command, without a terminal
    3    end      server → client   the last message, JSON: {"exit_code": 0} or {"error": {...}}
    4    resize   client → server   JSON: {"cols": 120, "rows": 40}
    255  close    client → server   one byte, the channel that ends: 0
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

from stacks.errors import BadRequestError

SUBPROTOCOL = "codehub.exec.v1"
"""What a client must offer, so that it does not take another protocol for this one."""

MAX_MESSAGE = 1 << 20
"""Most bytes of one message; a longer one ends the connection with the close code 1009."""

PIECE = 64 << 10
"""Bytes that our own clients put into one message at most."""

MAX_CELLS = 4096
"""Most columns or rows of a terminal."""


class Channel(IntEnum):
    """The first byte of a message."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    END = 3
    RESIZE = 4
    CLOSE = 255


@dataclass(frozen=True, kw_only=True)
class Size:
    """The size of a terminal, in characters."""

    cols: int
    rows: int

    @classmethod
    def of(cls, cols: object, rows: object) -> Self:
        """Check a size that somebody sent.

        Raises:
            BadRequestError: It is none.
        """
        if not (_fits(cols) and _fits(rows)):
            raise BadRequestError(f"cols and rows must be numbers from 1 to {MAX_CELLS}")
        return cls(cols=cols, rows=rows)  # type: ignore[arg-type]  # _fits has looked


def frame(channel: Channel, data: bytes = b"") -> bytes:
    """Give a message."""
    return bytes([channel]) + data


def json_frame(channel: Channel, data: Mapping[str, Any]) -> bytes:
    """Give a message that holds JSON."""
    return frame(channel, json.dumps(data).encode())


def parse(message: bytes) -> tuple[Channel, bytes]:
    """Take a message apart.

    Raises:
        BadRequestError: It has no channel that we know.
    """
    try:
        return Channel(message[0]), message[1:]
    except (IndexError, ValueError):
        raise BadRequestError("a message begins with the byte of a channel") from None


def parse_size(data: bytes) -> Size:
    """Read what `RESIZE` says.

    Raises:
        BadRequestError: It is no size.
    """
    told = parse_json(data)
    return Size.of(told.get("cols"), told.get("rows"))


def parse_json(data: bytes) -> dict[str, Any]:
    """Read the JSON object of a message.

    Raises:
        BadRequestError: It is none.
    """
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise BadRequestError("the message must hold a JSON object")
    return told


def _fits(cells: object) -> bool:
    return isinstance(cells, int) and not isinstance(cells, bool) and 1 <= cells <= MAX_CELLS
