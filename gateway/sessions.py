"""Logins: begins, finds and ends sessions. Ours, because frameworks adopt ids that clients choose.

The browser holds 256 random bits, the store their SHA-256. An id that the store does not know is
nobody: it is never adopted. A session ends by logout, after `idle` seconds without a request,
`maximum` seconds after it began, or when its user is disabled or gets a new password.

Sessions are remembered for a part of a second, so that a page's burst of requests costs one read; what
another process ends is over here within a second, and what this process ends is over at once.
"""

import asyncio
import hashlib
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.live import Ended, LiveSessions
from gateway.store import Credentials, SessionRecord, Store
from telemetry.words import printable

_ID_BYTES: Final = 32
_ID: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_REMEMBER_SECONDS: Final = 0.25
_REMEMBER_MAX: Final = 10_000
_USER_AGENT_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Session:
    """Who makes a request.

    Attributes:
        key: The session's name among us: the hash of its id. Not a secret, not for clients.
        user: The user's name, which is also the `owner` of workspaces.
        admin: Whether the user may see everybody's workspaces.
        expires: When the session is over at the latest, seconds since 1970.
    """

    key: str
    user: str
    admin: bool
    expires: float


@dataclass(frozen=True, slots=True)
class _Remembered:
    session: Session
    last_seen: float
    until: float


class Sessions:
    """The sessions of one gateway process."""

    def __init__(
        self,
        store: Store,
        live: LiveSessions,
        *,
        idle: float,
        maximum: float,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the access to sessions; it does nothing until it is asked.

        Args:
            store: Where they are.
            live: Whose connections to close when a session ends.
            idle: Seconds without a request after which a session is over.
            maximum: Seconds after which a session is over in any case.
            now: The clock, seconds since 1970.
            monotonic: A clock that never goes back, for what is remembered.
        """
        self._store = store
        self._live = live
        self._idle = idle
        self._maximum = maximum
        self._now = now
        self._monotonic = monotonic
        # Seldom enough to spare the disk, often enough not to end an active session.
        self._touch_every = min(60.0, idle / 10)
        self._remembered: dict[str, _Remembered] = {}

    async def begin(self, by: Credentials, *, user_agent: str, replaces: str | None) -> str | None:
        """Begin a session, always under a new id.

        Args:
            by: The account, with the hash that the password was checked against.
            user_agent: What the browser calls itself; shortened.
            replaces: The id that the browser held before, if any; that session ends.

        Returns:
            The new id, for the cookie; it is not kept. None when the account was disabled or got
            another password meanwhile.

        Raises:
            StoreUnavailableError: The store does not answer.
        """
        if replaces is not None:
            await self.end(replaces)
        token = secrets.token_urlsafe(_ID_BYTES)
        now = self._now()
        begun = await asyncio.to_thread(
            self._store.sessions.create,
            key_of(token),
            by,
            now=now,
            expires=now + self._maximum,
            user_agent=_printable(user_agent)[:_USER_AGENT_MAX],
        )
        return token if begun else None

    async def find(self, token: str | None) -> Session | None:
        """Return the session that the id belongs to, or None.

        Raises:
            StoreUnavailableError: The store does not answer.
        """
        if token is None or not _ID.fullmatch(token):
            return None
        key = key_of(token)
        now = self._now()
        found = self._recall(key, now) or await self._load(key, now)
        if found is not None and now - found.last_seen >= self._touch_every:
            await self._touch(key, found, now)
        # Asked last: it may have ended while the store was read or written.
        return None if found is None or self._live.is_over(key) else found.session

    async def end(self, token: str) -> bool:
        """End a session here and now, and close its connections.

        Returns:
            Whether there was one.

        Raises:
            StoreUnavailableError: The store does not answer; the session goes on.
        """
        if not _ID.fullmatch(token):
            return False
        key = key_of(token)
        was = await asyncio.to_thread(self._store.sessions.delete, key)
        self._remembered.pop(key, None)
        self._live.end(key, Ended.LOGOUT)
        return was

    async def close_ended(self) -> None:
        """Close the connections of sessions that ended by time or in another process."""
        keys = self._live.keys()
        if not keys:
            return
        alive = await asyncio.to_thread(self._store.sessions.alive, keys, now=self._now())
        for key in keys - alive:
            self._remembered.pop(key, None)
            self._live.end(key, Ended.REVOKED)

    def _recall(self, key: str, now: float) -> _Remembered | None:
        found = self._remembered.get(key)
        if found is None or found.until <= self._monotonic():
            return None
        over = found.session.expires <= now or found.last_seen + self._idle <= now
        return None if over else found

    async def _load(self, key: str, now: float) -> _Remembered | None:
        asked = self._monotonic()
        record = await asyncio.to_thread(self._store.sessions.load, key, now=now)
        if record is None:
            self._remembered.pop(key, None)
            return None
        found = _Remembered(_session(record), record.last_seen, asked + _REMEMBER_SECONDS)
        self._remember(key, found)
        return found

    async def _touch(self, key: str, found: _Remembered, now: float) -> None:
        # Remembered before the write, so that a burst of requests writes once.
        self._remember(key, _Remembered(found.session, now, found.until))
        await asyncio.to_thread(self._store.sessions.touch, key, now=now)

    def _remember(self, key: str, found: _Remembered) -> None:
        if len(self._remembered) >= _REMEMBER_MAX:
            self._remembered.clear()
        self._remembered[key] = found


def key_of(token: str) -> str:
    """Return the key under which a session is stored: the SHA-256 of its id, in hex."""
    return hashlib.sha256(token.encode("ascii")).hexdigest()


def _session(record: SessionRecord) -> Session:
    return Session(record.key, record.user, record.admin, record.expires)


def _printable(text: str) -> str:
    return printable(text, mark="")
