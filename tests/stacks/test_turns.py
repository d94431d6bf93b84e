"""Slots are given fairly between owners, and none is lost."""

import asyncio
from functools import partial

import pytest

from stacks.turns import Slots, Turn, next_turn
from tests.waiting import until


def turns(*owners: str) -> list[Turn]:
    return [Turn(number=number, owner=owner) for number, owner in enumerate(owners)]


@pytest.mark.parametrize(
    ("owners", "held", "served", "first"),
    [
        ((), {}, {}, None),
        (("alice", "bob"), {}, {}, 0),
        (("alice", "alice", "bob"), {"alice": 1}, {"alice": 1}, 2),
        (("alice", "bob"), {}, {"alice": 7}, 1),
        (("alice", "bob"), {"bob": 1}, {"alice": 7, "bob": 6}, 0),
        (("alice", "bob", "carol"), {}, {"alice": 3, "bob": 2, "carol": 1}, 2),
        (("bob", "alice", ""), {"alice": 1, "bob": 1}, {"alice": 1, "bob": 2}, 2),
    ],
)
def test_whose_turn_it_is(
    owners: tuple[str, ...], held: dict[str, int], served: dict[str, int], first: int | None
) -> None:
    found = next_turn(turns(*owners), held=held, served=served)
    assert (found.number if found else None) == first


class Line:
    """Work that ends when it is told, and notes in which order it began.

    Attributes:
        slots: What it needs one of.
        came: How many asked for one. Asking does not yield: whoever came and did not begin waits.
        began: Who got one, in order.
    """

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.came = 0
        self.began: list[str] = []
        self.go_on = asyncio.Semaphore(0)

    async def work(self, owner: str) -> None:
        self.came += 1
        async with self.slots.taken(owner):
            self.began.append(owner)
            await self.go_on.acquire()


def has_begun(line: Line, wanted: int) -> bool:
    return len(line.began) >= wanted


async def order_of(slots: int, *owners: str) -> list[str]:
    """Let all come in this order, end one after the other; the order in which they began."""
    line = Line(Slots(slots))
    async with asyncio.TaskGroup() as group:
        for owner in owners:
            group.create_task(line.work(owner))
        await until(lambda: line.came == len(owners))
        assert len(line.began) == slots
        for ended in range(len(owners)):
            line.go_on.release()
            wanted = min(ended + 1 + slots, len(owners))
            await until(partial(has_begun, line, wanted))
    return line.began


@pytest.mark.parametrize("slots", [1, 2, 3])
async def test_one_change_does_not_wait_behind_fifty_of_another(slots: int) -> None:
    order = await order_of(slots, *["alice"] * 50, "bob")
    assert order.index("bob") == slots
    assert len(order) == 51


async def test_owners_take_turns() -> None:
    order = await order_of(1, *["alice"] * 3, *["bob"] * 3, "carol")
    assert order == ["alice", "bob", "carol", "alice", "bob", "alice", "bob"]


async def test_who_is_cancelled_leaves_the_line() -> None:
    line = Line(Slots(1))
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(line.work("alice"))
        bob = group.create_task(line.work("bob"))
        await until(lambda: line.came == 2)
        assert line.began == ["alice"]
        bob.cancel()
        await until(bob.done)
        group.create_task(line.work("carol"))
        line.go_on.release()
        line.go_on.release()
    assert line.began == ["alice", "carol"]


async def test_who_is_cancelled_just_when_it_is_given_a_slot_gives_it_back() -> None:
    line = Line(Slots(1))
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        async with line.slots.taken("alice"):
            bob = group.create_task(line.work("bob"))
            await until(lambda: line.came == 1)
        assert line.began == [], "it has the slot, and did not run since"
        bob.cancel()
        await until(bob.done)
        group.create_task(line.work("carol"))
        line.go_on.release()
    assert line.began == ["carol"]


async def test_a_failure_gives_its_slot_back() -> None:
    slots = Slots(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"):
            async with asyncio.timeout(10), slots.taken("alice"):
                raise ValueError("broken")
