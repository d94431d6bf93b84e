"""Threads in which files are read for who asks, so few that whatever is asked holds nothing else up.

Each reading starts several processes of git. The threads that all of the runner shares are no place
for what users can ask for as often as they like: a reading waits for others, and nobody for it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

READS = 2
"""Readings at once."""

T = TypeVar("T")


class Reads:
    """The threads; they end when this is gone."""

    def __init__(self) -> None:
        self._newest = ThreadPoolExecutor(READS, thread_name_prefix="files")
        # Finding an earlier content walks through all of the history.
        self._earlier = ThreadPoolExecutor(1, thread_name_prefix="versions")

    async def run(self, work: Callable[[], T], *, earlier: bool = False) -> T:
        """Run what reads; who goes away while it waits takes it along.

        Args:
            work: Reads, and blocks.
            earlier: Whether it looks for an earlier version.
        """
        threads = self._earlier if earlier else self._newest
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(threads, context.run, work)
