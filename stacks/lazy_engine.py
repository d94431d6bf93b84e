"""An engine that is loaded and started when it is first needed: most commands need none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacks.engine import Engine, EngineConfig, Leftovers, Operation, Outcome
    from stacks.fence import Fence
    from stacks.operations import OnEvent


class LazyEngine:
    """An engine that is loaded and started with its first operation: most `up`s need none."""

    def __init__(self, config: EngineConfig, *, leftovers: Leftovers, fence: Fence) -> None:
        self._config = config
        self._leftovers = leftovers
        self._fence = fence
        self._begin = asyncio.Lock()
        self._engine: Engine | None = None

    async def run(self, operation: Operation, *, on_event: OnEvent | None = None) -> Outcome:
        """Run one operation; see `Engine.run`."""
        return await (await self._started()).run(operation, on_event=on_event)

    async def forget(self, stack: str) -> None:
        """Drop a stack from Pulumi's state; see `Engine.forget`."""
        await (await self._started()).forget(stack)

    async def _started(self) -> Engine:
        async with self._begin:
            if self._engine is None:
                self._engine = await self._start()
        return self._engine

    async def _start(self) -> Engine:
        from stacks.engine import Engine  # noqa: PLC0415 - brings Pulumi's SDK

        engine = Engine(self._config, leftovers=self._leftovers, fence=self._fence)
        return await engine.__aenter__()

    async def close(self) -> None:
        """End the engine, if it was started."""
        if self._engine is not None:
            engine, self._engine = self._engine, None
            await engine.__aexit__(None, None, None)
