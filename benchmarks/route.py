"""A published change of address until the gateway's routes follow it: another process's commit, seen."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import Goal, Result, repeat
from gateway.routing import Route, Routes, follow
from state_index.index import Index
from state_index.models import Published
from state_index.watch import Watcher

SWITCH_SECONDS = 0.1


def _publish(url: str, address: str) -> float:
    """Publish in a process of its own, as the runner does; returns when it was committed."""
    with Index.open(url) as index:
        index.publish("bench", cause="bench", owner="alice", upstream=address)
        return time.monotonic()  # one clock for all processes


async def switch(pairs: int) -> Result:
    """From the commit to the new route, without a nudge: polling alone must do."""
    switched: asyncio.Queue[tuple[str, float]] = asyncio.Queue()

    def on_rows(rows: Sequence[Published]) -> None:
        for row in rows:
            switched.put_nowait((row.upstream, time.monotonic()))

    async def on_ended(_: Sequence[Route]) -> None:
        return

    with TemporaryDirectory(prefix="codehub-bench-") as folder:
        url = f"sqlite:///{Path(folder)}/index.db"
        with (
            Index.open(url) as index,
            ProcessPoolExecutor(1, mp_context=get_context("spawn")) as runner,
        ):
            async with Watcher(url) as watcher, asyncio.TaskGroup() as tasks:
                following = tasks.create_task(
                    follow(Routes(), index, watcher, on_rows=on_rows, on_ended=on_ended)
                )
                numbers = iter(range(10**6))

                async def measure() -> float:
                    address = f"unix:bench/{next(numbers)}"
                    loop = asyncio.get_running_loop()
                    committed = await loop.run_in_executor(runner, _publish, url, address)
                    while True:
                        seen, at = await switched.get()
                        if seen == address:
                            return max(0.0, at - committed)

                goal = Goal(seconds=SWITCH_SECONDS)
                result = await repeat("route-switch", goal=goal, subject=measure, times=pairs)
                following.cancel()
    return result
