"""What the current work is about: bound once, added to every log line below it.

Held in contextvars, so each asyncio task and thread has its own. The request id is made at the
gateway (or the CLI), written into the intent's row, and bound again by the runner that takes it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from telemetry.structured import contextvars

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


def new_request_id() -> str:
    """A fresh request id: 32 hex digits."""
    return uuid4().hex


def accept_request_id(given: str | None) -> str:
    """A request id that somebody else sent, if it is sound; else a fresh one."""
    return given if given and _REQUEST_ID.fullmatch(given) else new_request_id()


@contextmanager
def bind(**values: str) -> Iterator[None]:
    """Add values (request_id, workspace, operation) to log lines within the block."""
    with contextvars.bound_contextvars(**values):
        yield


def current(name: str) -> str:
    """A bound value, such as `request_id`; empty when none is bound."""
    return str(contextvars.get_contextvars().get(name, ""))


def request_id() -> str:
    """The bound request id; empty when none is bound."""
    return current("request_id")
