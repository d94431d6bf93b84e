"""Readings that users ask for: a few at once, whatever is asked, and nobody else waits for them."""

import asyncio
import threading
from functools import partial

from stacks.edits.reads import READS, Reads
from tests.waiting import until


async def test_few_are_read_at_once_and_others_wait_for_none_of_them() -> None:
    reads, go_on, began = Reads(), threading.Event(), list[int]()

    def work(number: int) -> int:
        began.append(number)
        go_on.wait()
        return number

    async with asyncio.TaskGroup() as group:
        newest = [group.create_task(reads.run(partial(work, n))) for n in range(20)]
        earlier = [group.create_task(reads.run(partial(work, n), earlier=True)) for n in (20, 21)]
        try:
            await until(lambda: len(began) == READS + 1)
            assert await asyncio.to_thread(lambda: "at once") == "at once"
            assert sorted(began) == [0, 1, 20]
            newest[5].cancel()
            await asyncio.wait([newest[5]])
        finally:
            go_on.set()
    assert newest.pop(5).cancelled()
    assert 5 not in began, "who went away took it along"
    found = [task.result() for task in (*newest, *earlier)]
    assert found == [n for n in range(22) if n != 5]
