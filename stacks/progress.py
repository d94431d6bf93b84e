"""Publishes the steps of a running Pulumi operation, the newest when several come at once."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from stacks.engine import EngineEvent, Outcome
from stacks.errors import NotLeadingError, PublishFailedError

SHOWN = frozenset({"home", "container"})
DOING = {"create": "creating", "update": "updating", "replace": "replacing", "delete": "removing"}


async def told(
    run: Callable[[Callable[[EngineEvent], None]], Awaitable[Outcome]],
    say: Callable[[str], Awaitable[object]],
) -> Outcome:
    """Run an operation and publish its steps.

    Args:
        run: Runs it, and calls what it is given at each event.
        say: Publishes a step.
    """
    newest, ended = "", False
    news = asyncio.Event()

    def on_event(event: EngineEvent) -> None:
        nonlocal newest
        if event.kind == "begin" and event.op in DOING and event.resource in SHOWN:
            newest = f"{DOING[event.op]} {event.resource}"
            news.set()

    async def publish() -> None:
        while not ended:
            await news.wait()
            news.clear()
            # A step that is not shown is no reason to end the operation.
            with contextlib.suppress(PublishFailedError, NotLeadingError):
                await say(newest)

    async with asyncio.TaskGroup() as group:
        group.create_task(publish())
        outcome = await run(on_event)
        # Not cancelled: a step in a thread could be written after what comes next.
        ended = True
        news.set()
    return outcome
