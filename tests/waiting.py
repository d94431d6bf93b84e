"""Waiting for a condition in tests: polled, with a deadline, never a fixed sleep."""

import asyncio
import inspect
from collections.abc import Callable

PATIENCE = 30.0
"""Seconds: much more than anything takes, so that only what never comes is an error."""


async def until(
    condition: Callable[[], object], what: str = "it", *, within: float = PATIENCE
) -> None:
    """Return when the condition (perhaps awaited) is true-ish.

    Args:
        condition: asked again and again; an awaitable that it returns is awaited.
        what: names it in the failure.
        within: seconds.

    Raises:
        TimeoutError: it did not come true in time.
    """
    try:
        async with asyncio.timeout(within):
            while not await _answer(condition):  # noqa: ASYNC110 - another process may change it
                await asyncio.sleep(0.01)
    except TimeoutError as late:
        raise TimeoutError(f"not within {within:g} s: {what}") from late


async def _answer(condition: Callable[[], object]) -> object:
    answer = condition()
    return await answer if inspect.isawaitable(answer) else answer
