"""What the gateway knows of each workspace, in memory, and how it keeps up with the state index.

Requests read a mapping and nothing else. `follow` reads the index again when that says that
something changed, and asks it at least every `stale_after / 5` seconds. When the index can't be
read for `stale_after`, nothing is known any more and every request is refused: an old owner or an
old address must not count.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, NoReturn, Self

from state_index.errors import IndexReplacedError
from state_index.index import Index
from state_index.models import Published
from state_index.phases import Phase
from state_index.watch import Watcher

STALE_AFTER: Final = 5.0
"""Seconds for which routes count without a word from the index."""

BEHIND: Final = 1.0
"""Seconds that an answer of the API waits at most for routes that are behind what it tells."""


@dataclass(frozen=True, slots=True)
class Route:
    """What requests for one workspace need to know. The attributes are the index's."""

    id: str
    owner: str
    phase: Phase
    generation: int = 0
    upstream: str = ""
    reason: str = ""
    message: str = ""
    step: str = ""
    since: datetime | None = None
    retry_at: datetime | None = None

    @classmethod
    def of(cls, row: Published) -> Self:
        """Take from a published row what requests need."""
        return cls(
            id=row.id,
            owner=row.owner,
            phase=row.phase,
            generation=row.generation,
            upstream=row.upstream,
            reason=row.reason,
            message=row.message,
            step=row.step,
            since=row.since,
            retry_at=row.retry_at,
        )

    def same_way(self, other: Self | None) -> bool:
        """Return whether connections made by this route may live on under the other."""
        return other is not None and self.owner == other.owner and self.upstream == other.upstream


class Routes:
    """The routes of this process."""

    def __init__(
        self, *, stale_after: float = STALE_AFTER, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin without knowing anything, which refuses every request.

        Args:
            stale_after: Seconds for which what is known counts.
            now: A clock in seconds that never goes back.
        """
        self.stale_after = stale_after
        self._now = now
        self._routes: Mapping[str, Route] = MappingProxyType({})
        self._known_at: float | None = None
        self._generation = 0
        self._replaced = asyncio.Event()

    def current(self) -> Mapping[str, Route] | None:
        """Return every route by id, or None when they may be outdated."""
        if self._known_at is None or self._now() - self._known_at > self.stale_after:
            return None
        return self._routes

    def confirm(self) -> None:
        """Take note that the index was asked just now and nothing had changed."""
        if self._known_at is not None:
            self._known_at = self._now()

    async def reach(self, generation: int) -> None:
        """Return when requests are answered by a row of this generation, or by a later one.

        Whoever is told that a workspace runs, may open it at once: the API awaits this before it says so.
        It awaits no longer than `BEHIND`, and nothing where nothing is known.
        """
        if not self._is_behind(generation):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(BEHIND):
                while self._is_behind(generation):
                    await self._replaced.wait()

    def _is_behind(self, generation: int) -> bool:
        return self._generation < generation and self.current() is not None

    def forget_generation(self) -> None:
        """Forget the generation: the index that is followed next may be another file, which counts by itself."""
        self._generation = 0

    def replace(self, routes: Sequence[Route], *, generation: int) -> list[Route]:
        """Take over what the index says now.

        Args:
            routes: Of each row.
            generation: The index's, just before it was read.

        Returns:
            The former routes whose connections must not live on: gone, another owner or address.
        """
        new = {route.id: route for route in routes}
        ended = [old for old in self._routes.values() if not old.same_way(new.get(old.id))]
        self._routes = MappingProxyType(new)
        self._known_at = self._now()
        self._generation = generation
        self._replaced.set()
        self._replaced = asyncio.Event()
        return ended


async def follow(
    routes: Routes,
    index: Index,
    watcher: Watcher,
    *,
    on_rows: Callable[[Sequence[Published]], None],
    on_ended: Callable[[Sequence[Route]], Awaitable[None]],
) -> NoReturn:
    """Keep routes like the index; ends only by raising.

    Args:
        routes: What to keep.
        index: What to read.
        watcher: Watches the same index.
        on_rows: Told of all rows, first at once, then after each change.
        on_ended: Told of former routes whose connections must not live on.

    Raises:
        IndexUnavailableError: The index can't be read.
    """
    known = -1
    files = index.files
    try:
        while True:
            generation = await asyncio.to_thread(index.generation)
            # Somebody else was told: the watcher still looks at the old one.
            if index.files != files:
                raise IndexReplacedError
            if generation == known:
                routes.confirm()
            else:
                rows = await asyncio.to_thread(index.workspaces)
                ended = routes.replace([Route.of(row) for row in rows], generation=generation)
                known = generation
                on_rows(rows)
                await on_ended(ended)
            await watcher.wait(routes.stale_after / 5)
    finally:
        routes.forget_generation()
