"""A guard that is loaded and opened when something is to be started: most commands start nothing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from settings.model import RunnerSettings
    from stacks.fence import Fence
    from stacks.isolation.guard import Guard


class LazyGuard:
    """Use it as ``async with LazyGuard(...) as guard``."""

    def __init__(self, settings: RunnerSettings, *, fence: Fence) -> None:
        """Prepare.

        Args:
            settings: The settings.
            fence: Says whether anything may be loaded or started.
        """
        self._settings = settings
        self._fence = fence
        self._begin = asyncio.Lock()
        self._exits = AsyncExitStack()
        self._guard: Guard | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._exits.aclose()

    async def check(self) -> None:
        """Return when workspaces may be started; see `Guard.check`."""
        await (await self.opened()).check()

    async def keep(self, every: float) -> None:
        """Look now and then, until cancelled; see `Guard.keep`."""
        await (await self.opened()).keep(every)

    async def opened(self) -> Guard:
        """Give the guard itself."""
        async with self._begin:
            if self._guard is None:
                from stacks.isolation.guard import guard_of  # noqa: PLC0415 - see the module

                guard = guard_of(self._settings, fence=self._fence)
                self._guard = await self._exits.enter_async_context(guard)
        return self._guard
