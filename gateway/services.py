"""Everything that request handlers work with, made once per process. No logic.

`build` puts the real parts together; tests give other clocks. Who reads the index and tells the
feed is the business of `app`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.cookies import read_cookie
from gateway.desk import Desk
from gateway.errors import StoreError, UnavailableError
from gateway.feed import Feed
from gateway.hooks import Hooks
from gateway.live import LiveSessions
from gateway.login import Logins
from gateway.pages import Pages
from gateway.passwords import Verifier
from gateway.places import Places
from gateway.proxy.seams import Visitor
from gateway.routing import Routes
from gateway.runner import RunnerClient
from gateway.runner_files import RunnerFiles
from gateway.sessions import Sessions
from gateway.site import Site
from gateway.store import Store
from gateway.throttle import LoginThrottle
from gateway.trail import Trail
from settings.model import GatewaySettings
from state_index.index import Index
from state_index.nudge import Nudge

LOG_READS: Final = 4
"""Logs that one user may read at once; the page of one may take some MiB."""

STREAMS: Final = 8
"""Commands and followed logs that one user may have open at once."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of a process: seconds since 1970, and one that never goes back."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds out who sends a request, by its cookie."""

    sessions: Sessions
    https: bool

    async def lookup(self, cookies: Sequence[bytes]) -> Visitor | None:
        """Return who is logged in by these `Cookie` values, or None.

        Raises:
            UnavailableError: The store does not answer.
        """
        try:
            session = await self.sessions.find(read_cookie(cookies, https=self.https))
        except StoreError as error:
            raise UnavailableError from error
        return None if session is None else Visitor(session.user, session.admin, session.key)


@dataclass(frozen=True, slots=True)
class Services:
    """What handlers work with."""

    settings: GatewaySettings
    site: Site
    https: bool
    index: Index
    store: Store
    routes: Routes
    feed: Feed
    live: LiveSessions
    sessions: Sessions
    lookup: Lookup
    logins: Logins
    verifier: Verifier
    trail: Trail
    pages: Pages
    runner: RunnerClient
    reading: Places
    streaming: Places
    nudge: Nudge
    hooks: Hooks
    desk: Desk


def build(
    settings: GatewaySettings, *, index: Index, store: Store, clocks: Clocks | None = None
) -> Services:
    """Make the parts of one gateway process.

    Args:
        settings: The settings; `port` is the one that is really listened on.
        index: The open state index.
        store: The open store.
        clocks: Other clocks than the real ones.
    """
    clock = clocks or Clocks()
    paths = settings.paths
    https = (settings.base_url or "").startswith("https:")
    live = LiveSessions()
    feed = Feed()
    sessions = Sessions(
        store,
        live,
        idle=settings.session_idle,
        maximum=settings.session_max,
        now=clock.now,
        monotonic=clock.monotonic,
    )
    nudge = Nudge(paths.nudge)
    trail = Trail(store.audit, monotonic=clock.monotonic)
    runner = RunnerClient(index, paths.root, timeout=settings.upstream_timeout)
    verifier = Verifier()
    throttle = LoginThrottle(
        attempts=settings.login_attempts, window=settings.login_window, now=clock.monotonic
    )
    return Services(
        settings=settings,
        site=Site.listening(
            base_url=settings.base_url,
            host=settings.host,
            port=settings.port,
            hide_existence=settings.hide_existence,
        ),
        https=https,
        index=index,
        store=store,
        routes=Routes(),
        feed=feed,
        live=live,
        sessions=sessions,
        lookup=Lookup(sessions, https),
        logins=Logins(store, sessions, throttle, verifier, trail),
        verifier=verifier,
        trail=trail,
        pages=Pages(https=https, find=feed.find),
        runner=runner,
        reading=Places(LOG_READS, message="You are reading too many logs at once."),
        streaming=Places(STREAMS, message="You have too many commands and logs open."),
        nudge=nudge,
        hooks=Hooks(settings=settings, index=index, store=store, nudge=nudge, now=clock.now),
        desk=Desk(index, RunnerFiles(runner), nudge, trail, hidden=settings.hide_existence),
    )
