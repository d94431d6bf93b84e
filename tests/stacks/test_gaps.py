"""A gap keeps the queue off one workspace, and loses nothing that is wanted meanwhile."""

import asyncio

from stacks.demand import Demand, Entry
from stacks.gaps import Gaps


def gaps(entries: dict[str, Entry]) -> tuple[Gaps, list[str]]:
    begun: list[str] = []
    return Gaps(entries, lambda id_, _: begun.append(id_)), begun


async def test_nobody_begins_within_a_gap_and_what_is_wanted_comes_after_it() -> None:
    entries: dict[str, Entry] = {}
    made, begun = gaps(entries)
    with made.alone("a") as free:
        assert free
        assert made.busy == {"a"}
        with made.alone("a") as again, made.alone("b") as other:
            assert (again, other) == (False, True)
        entries["a"].demand = Demand(cause="test")
        assert begun == []
    assert begun == ["a"]
    assert entries["a"].task is None, "whoever begins sets it"
    assert set(entries) == {"a"}, "an entry that says nothing does not stay"


async def test_a_workspace_that_is_worked_on_leaves_no_gap() -> None:
    task = asyncio.current_task()
    made, begun = gaps({"a": Entry(task=task)})
    with made.alone("a") as free:
        assert not free
    assert made.busy == {"a"}
    assert begun == []


async def test_what_an_entry_remembers_stays() -> None:
    entries = {"a": Entry(failures=2)}
    made, _ = gaps(entries)
    with made.alone("a") as free:
        assert free
    assert entries["a"].failures == 2
