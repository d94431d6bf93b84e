"""Volumes are listed while one is removed: from the engine where it answers, else from right before."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from stacks.volume_lists import Listed, VolumeLists

FILTERS = {"label": ["x"]}


class Volumes:
    """An engine's volumes, by name; it lists none while it is busy."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.idle = asyncio.Event()
        self.idle.set()

    async def listed(self, filters: Mapping[str, Any]) -> Mapping[str, Any]:
        assert filters == FILTERS
        await self.idle.wait()
        return {"Volumes": self.names}


def told(*names: str, is_fresh: bool = True) -> Listed:
    return Listed({"Volumes": names}, is_fresh=is_fresh)


async def test_an_engine_that_answers_is_asked_though_it_removes_one() -> None:
    """What was made or removed meanwhile is seen."""
    volumes = Volumes("a", "b")
    lists = VolumeLists(volumes.listed, patience=60.0)
    async with lists.removing(FILTERS):
        volumes.names = ("b", "new")
        assert await lists.ask(FILTERS) == told("b", "new")
    assert await lists.ask(FILTERS) == told("b", "new")


async def test_of_one_that_does_not_the_list_from_before_stands_and_says_so() -> None:
    volumes = Volumes("a", "b")
    lists = VolumeLists(volumes.listed, patience=0.0)
    async with lists.removing(FILTERS):
        volumes.idle.clear()
        volumes.names = ("b",)
        assert await lists.ask(FILTERS) == told("a", "b", is_fresh=False)
        volumes.idle.set()
    assert await lists.ask(FILTERS) == told("b")


async def test_a_list_that_was_asked_for_before_the_end_is_of_after_it() -> None:
    """It had no answer in time, and by then the removal was over: the list from before is of no use."""
    asked, over = asyncio.Event(), asyncio.Event()
    names: tuple[str, ...] = ("a", "b")

    async def listed(_: Mapping[str, Any]) -> Mapping[str, Any]:
        if names == ("a", "b") or over.is_set():
            return {"Volumes": names}
        asked.set()
        await over.wait()
        raise TimeoutError

    lists = VolumeLists(listed, patience=60.0)
    async with asyncio.TaskGroup() as group:
        async with lists.removing(FILTERS):
            names = ("b",)
            waiting = group.create_task(lists.ask(FILTERS))
            await asked.wait()
        over.set()
        assert await waiting == told("b")


async def test_a_removal_that_fails_leaves_no_list_behind() -> None:
    volumes = Volumes("a")
    lists = VolumeLists(volumes.listed, patience=0.0)
    with pytest.raises(OSError, match="cut off"):
        await _failing(lists)
    volumes.names = ()
    assert await lists.ask(FILTERS) == told()


async def _failing(lists: VolumeLists) -> None:
    async with lists.removing(FILTERS):
        raise OSError("cut off")
