"""Waiting for a condition in tests: polled, with a deadline, never a fixed sleep."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], Awaitable[bool]], *, within: float = 30.0) -> None:
    """Return when the condition holds; TimeoutError when it does not in time."""
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.02)
