"""Keeps up with the index and the store while the gateway runs: three tasks, each for ever.

One reads the published rows again whenever the index changes, and gives them to routes and feed.
One closes the connections of sessions that ended by time or in another process. One removes from
the store what is too old.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from gateway.errors import StoreError
from gateway.proxy.upstream import Upstreams
from gateway.routing import follow
from gateway.services import Services
from state_index.models import Published
from state_index.watch import Watcher
from telemetry.logs import get_logger

SWEEP: Final = 0.7
"""Seconds between two looks at sessions that have connections open.

With the time for which a session is remembered, what another process ends is cut within one, also what
was opened in the meantime.
"""

PRUNE: Final = 600.0
"""Seconds between two looks for what is too old in the store."""

_PRUNE_ON: Final = 0.5
"""Seconds until more is removed, so that logins get in between."""

_AGAIN: Final = 0.2

_log = get_logger(__name__)


async def follow_index(services: Services, upstreams: Upstreams, ready: asyncio.Event) -> None:
    """Follow the index; returns only by raising.

    Args:
        services: Their routes and feed are kept up to date.
        upstreams: Where connections end that no route allows any more.
        ready: Set once the index was read.

    Raises:
        IndexUnavailableError: The index can't be read.
    """
    settings = services.settings
    async with (
        services.nudge.listen("gateway") as nudged,
        Watcher(settings.index_url, nudge=nudged) as watcher,
    ):

        def take_over(rows: Sequence[Published]) -> None:
            services.feed.update(rows)
            ready.set()

        await follow(
            services.routes, services.index, watcher, on_rows=take_over, on_ended=upstreams.end
        )


async def sweep_sessions(services: Services) -> None:
    """Close what sessions that are over have open; returns only by raising.

    Raises:
        StoreUnavailableError: The store can't be read.
    """
    while True:
        await services.sessions.close_ended()
        await asyncio.sleep(SWEEP)


async def prune_store(services: Services) -> None:
    """Remove old audit rows and sessions that are over, a few at a time; never returns.

    A store that can't be written is tried again at the next look: nothing waits for this.
    """
    keep = services.settings.audit_keep
    while True:
        try:
            more = await asyncio.to_thread(services.store.prune, keep=keep)
        except StoreError as error:
            _log.warning("store_not_pruned", problem=str(error))
            more = False
        await asyncio.sleep(_PRUNE_ON if more else PRUNE)


async def forever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do work that is not meant to end; when it fails, say so and begin again."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the gateway must keep trying
            _log.error("background_work_failed", work=name, problem=str(error), exc_info=error)
        await asyncio.sleep(_AGAIN)
