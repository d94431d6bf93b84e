"""Lists volumes, also while the engine removes one and shows none to anybody.

Docker 20.10 lists, shows and makes no volume as long as it removes one. Others are asked as ever.
So the engine is asked each time; where it does not answer soon during a removal of ours, the list
from right before stands in. That one is good for what is there, never for what is not: a home that
was made since, or by a newer engine meanwhile, is not on it. Nothing here knows what a home is.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

PATIENCE = 0.5
"""Seconds that an engine which is removing a volume gets to answer; others take milliseconds."""

Answer = Mapping[str, Any]


class Listed(NamedTuple):
    """A list of volumes, perhaps of more than were asked for.

    Attributes:
        answer: As the engine gives it.
        is_fresh: Whether it is of now; else it is from before the removal that is under way.
    """

    answer: Answer
    is_fresh: bool


class VolumeLists:
    """The lists of one engine."""

    def __init__(
        self, ask: Callable[[Answer], Awaitable[Answer]], *, patience: float = PATIENCE
    ) -> None:
        """Prepare.

        Args:
            ask: Has the engine list volumes by a filter.
            patience: Seconds that it gets during a removal; a seam for tests.
        """
        self._ask = ask
        self._patience = patience
        self._standing: Answer | None = None

    @asynccontextmanager
    async def removing(self, filters: Answer) -> AsyncIterator[None]:
        """Have the list of now stand in while a volume is removed."""
        self._standing = await self._ask(filters)
        try:
            yield
        finally:
            self._standing = None

    async def ask(self, filters: Answer) -> Listed:
        """List, without waiting for a removal."""
        standing = self._standing
        if standing is None:
            return Listed(await self._ask(filters), is_fresh=True)
        try:
            async with asyncio.timeout(self._patience):
                return Listed(await self._ask(filters), is_fresh=True)
        except TimeoutError:
            if self._standing is standing:
                return Listed(standing, is_fresh=False)
        return await self.ask(filters)
