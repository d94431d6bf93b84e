"""Joins two connections so that bytes go across untouched, with their pressure and their ends.

What one side sends is written to the other as it comes; when the other reads too slowly, the side
is not read from, but looked at: it may have left meanwhile. When one side ends its direction, the
other is told so and may go on for `LINGER` seconds; when a connection is gone, the other one closes
after what was written to it. It knows nothing of HTTP or WebSockets.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Final

LINGER: Final = 30.0
"""Seconds that one direction, or the last bytes of it, may take after the other has ended."""

LOOK: Final = 1.0
"""Seconds between two looks whether an end that is not read from has left: its loop does not tell."""


class End(asyncio.Protocol):
    """One connection, before and after it is joined to another."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.at_end = False
        self.splice: Splice | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport  # type: ignore[assignment]  # stream protocols get no other

    def data_received(self, data: bytes) -> None:
        """Write across."""
        if self.splice is not None:
            self.splice.other(self).write(data)

    def eof_received(self) -> bool:
        """Pass on that this side sends no more."""
        self.at_end = True
        if self.splice is not None:
            self.splice.half_closed(self)
        return True  # the other direction may go on

    def pause_writing(self) -> None:
        """Stop reading from the other side: this one takes no more for now."""
        if self.splice is not None:
            self.splice.other(self).pause()

    def resume_writing(self) -> None:
        """Go on reading from the other side."""
        if self.splice is not None:
            self.splice.other(self).resume()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """Close the other side."""
        if self.splice is not None:
            self.splice.lost(self)

    def write(self, data: bytes) -> None:
        """Send, unless the connection is closing."""
        if self.is_open:
            self._transport.write(data)

    def pause(self) -> None:
        """Stop reading."""
        if self.is_open:
            self._transport.pause_reading()
            if self.splice is not None:
                self.splice.paused(self)

    def resume(self) -> None:
        """Go on reading."""
        if self.is_open:
            self._transport.resume_reading()
            if self.splice is not None:
                self.splice.resumed(self)

    def end(self) -> None:
        """Say, after what was written, that nothing more comes."""
        if not self.is_open:
            return
        if self.at_end or not self._transport.can_write_eof():
            self._transport.close()
        else:
            self._transport.write_eof()

    def close(self) -> None:
        """Close after what was written."""
        if self.is_open:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self.transport is not None:
            self.transport.abort()

    def has_left(self) -> bool:
        """Whether the other side of the connection said its last, read or not."""
        if not self.is_open:
            return True
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLRDHUP)
        return bool(poll.poll(0))

    @property
    def unwritten(self) -> int:
        """Bytes that wait to be written."""
        return self._transport.get_write_buffer_size() if self.is_open else 0

    @property
    def is_open(self) -> bool:
        """Whether writing still makes sense."""
        return self.transport is not None and not self.transport.is_closing()

    @property
    def _transport(self) -> asyncio.Transport:
        assert self.transport is not None  # is_open was asked before
        return self.transport


class Splice:
    """Two ends that are one."""

    def __init__(
        self, one: End, two: End, *, closed: Callable[[], None], linger: float = LINGER
    ) -> None:
        """Join two ends; reading goes on at once.

        Args:
            one: An open end, of which nothing was read that has not been dealt with.
            two: The other one.
            closed: Called once when both connections are gone.
            linger: Seconds that what is left may take after one direction has ended.
        """
        self._seconds = linger
        self._other = {one: two, two: one}
        self._open = {one, two}
        self._closed = closed
        self._timer: asyncio.TimerHandle | None = None
        self._paused: set[End] = set()
        self._stuck: dict[End, int] = {}
        self._look: asyncio.TimerHandle | None = None
        one.splice = two.splice = self
        one.resume()
        two.resume()

    def other(self, end: End) -> End:
        """Return the end that is not this one."""
        return self._other[end]

    def paused(self, end: End) -> None:
        """Take note that an end is not read from: look now and then whether it has left."""
        self._paused.add(end)
        if self._look is None and self._timer is None:
            self._look = asyncio.get_running_loop().call_later(LOOK, self._looked)

    def resumed(self, end: End) -> None:
        """Take note that an end is read from, which tells by itself when it leaves."""
        self._paused.discard(end)

    def _looked(self) -> None:
        self._look = None
        # What is still to be written to the other side: while that shrinks, it is merely slow.
        stuck = {end: self._other[end].unwritten for end in self._paused if end.has_left()}
        if any(self._stuck.get(end) == left for end, left in stuck.items()):
            self.linger()
        elif self._paused:
            self._stuck = stuck
            self._look = asyncio.get_running_loop().call_later(LOOK, self._looked)

    def half_closed(self, end: End) -> None:
        """Pass on that an end sends no more."""
        self.linger()
        other = self._other[end]
        other.end()
        if other.at_end:
            end.close()

    def lost(self, end: End) -> None:
        """Take note that an end's connection is gone."""
        self._open.discard(end)
        self._paused.discard(end)
        if self._open:
            self._other[end].close()
            self.linger()
            return
        if self._timer is not None:
            self._timer.cancel()
        if self._look is not None:
            self._look.cancel()
        self._closed()

    def linger(self) -> None:
        """Give what is left a limited time."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self.abort)

    def abort(self) -> None:
        """Close both ends at once."""
        for end in list(self._open):
            end.abort()
