"""Limits what a peer may send that nobody wants: filler between the pieces of a body, and its rest.

Filler are chunk extensions, trailers and empty lines. The parser takes them without end, and copies
the whole of an unfinished trailer for each piece that comes: a peer could have us work and remember
for ever. The rest of a body is what comes after its request was answered.
"""

import asyncio
from collections.abc import Callable
from typing import Final

FILLER_LIMIT: Final = 16 * 1024
"""Bytes that may come in a row without a head or a piece of a body; one read more may be taken."""

REST_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of a rest that are read; more has to wait for the connection's end."""


class Filler:
    """Counts what a parser was fed since the last bytes that were worth something."""

    __slots__ = ("_size", "_worth")

    def __init__(self) -> None:
        self._size = 0
        self._worth = False

    def ends(self) -> None:
        """Take note that what is being fed holds the end of a head or a piece of a body."""
        self._worth = True

    def too_long(self, fed: int) -> bool:
        """Count a feed of this many bytes once it is over; returns whether it is enough now."""
        self._size = 0 if self._worth else self._size + fed
        self._worth = False
        return self._size > FILLER_LIMIT


class Rest:
    """Takes the rest of a body for a while, and closes the connection if it is not over by then.

    Closing at once would lose the answer of a client that is still sending.
    """

    def __init__(self) -> None:
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def expected(self) -> bool:
        """Whether a body that was answered has not come to its end."""
        return self._timer is not None

    def begin(self, seconds: float, close: Callable[[], None]) -> None:
        """Expect a rest; call `close` unless it is over within so many seconds."""
        self.over()
        self._size = 0
        self._timer = asyncio.get_running_loop().call_later(seconds, close)

    def over(self) -> None:
        """Take note that the body, or the connection, has come to its end."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def too_long(self, fed: int) -> bool:
        """Count bytes that came while a rest is expected; returns whether it is enough now."""
        self._size += fed
        return self._size > REST_LIMIT
