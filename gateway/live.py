"""Who is connected under which session, so that the end of a session closes its connections.

Tunnels and event streams register a callback here under the session's key (the hash of its id);
logout, a disabled account, expiry and shutdown call `end` or `end_all`. A session that ended is over:
what registers late, a request that was let in just before, is closed as well. It knows neither sockets
nor the store. Everything here runs on the event loop's thread.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

from telemetry.logs import get_logger

_OVER_SECONDS: Final = 60.0
"""How long ended sessions are known: longer than any request takes from its session to its connection."""

_log = get_logger(__name__)


class Ended(StrEnum):
    """Why the connections of a session are closed."""

    LOGOUT = "logout"
    REVOKED = "revoked"
    EXPIRED = "expired"
    SHUTDOWN = "shutdown"


Close = Callable[[Ended], None]
"""Closes one connection; must return at once and may be called once at most."""


class LiveSessions:
    """The open connections of each session."""

    def __init__(self) -> None:
        self._open: dict[str, set[Close]] = {}
        self._over: dict[str, tuple[Ended, float]] = {}

    def keys(self) -> frozenset[str]:
        """Return the keys of the sessions that have a connection open."""
        return frozenset(self._open)

    def count(self, key: str) -> int:
        """Return how many connections the session has open."""
        return len(self._open.get(key, ()))

    def is_over(self, key: str) -> bool:
        """Return whether the session ended here a short while ago."""
        return self._why_over(key) is not None

    @contextmanager
    def held(self, key: str, close: Close) -> Iterator[None]:
        """Keep `close` registered under the session while the block runs."""
        self.add(key, close)
        try:
            yield
        finally:
            self.discard(key, close)

    def add(self, key: str, close: Close) -> None:
        """Register a connection's `close` under the session; of one that is over, it is called soon."""
        self._open.setdefault(key, set()).add(close)
        if reason := self._why_over(key):
            asyncio.get_running_loop().call_soon(self.end, key, reason)

    def discard(self, key: str, close: Close) -> None:
        """Forget a connection; unknown ones are ignored."""
        closers = self._open.get(key)
        if closers is None:
            return
        closers.discard(close)
        if not closers:
            del self._open[key]

    def end(self, key: str, reason: Ended) -> int:
        """Close every connection of the session, now and those that come late.

        Returns:
            How many there were. One that fails to close does not keep the others open.
        """
        self._remember(key, reason)
        closers = self._open.pop(key, set())
        for close in closers:
            try:
                close(reason)
            except Exception:  # noqa: BLE001 - the others must be closed all the same
                _log.exception("connection_close_failed", reason=str(reason))
        return len(closers)

    def end_all(self, reason: Ended) -> int:
        """Close every connection of every session; returns how many there were."""
        return sum(self.end(key, reason) for key in list(self._open))

    def _remember(self, key: str, reason: Ended) -> None:
        now = time.monotonic()
        self._over.pop(key, None)  # the oldest stay first
        self._over[key] = (reason, now + _OVER_SECONDS)
        while self._over[oldest := next(iter(self._over))][1] <= now:
            del self._over[oldest]

    def _why_over(self, key: str) -> Ended | None:
        reason, until = self._over.get(key, (None, 0.0))
        return reason if until > time.monotonic() else None
