"""What is wanted: merged, and tried again without what someone's word was needed for."""

import asyncio

import pytest

from stacks.demand import Demand, Entry


def test_a_later_attempt_needs_the_typed_name_again() -> None:
    demand = Demand(cause="root purged it", actor="root", force=True, purge=True, retry=True)
    assert demand.again == Demand(cause="tried again", force=True)


@pytest.mark.parametrize("word", ["purge", "forget_missing", "adopt", "new_home", "now"])
def test_a_typed_word_is_for_the_attempt_that_it_was_typed_for(word: str) -> None:
    """Until the next one, the file may name another owner, or the home have come back."""
    typed = Demand(cause="typed", force=True, **{word: True})  # type: ignore[arg-type]
    assert getattr(typed.wish, word)
    assert not getattr(typed.again.wish, word)
    later = Demand(cause="a look").merged(typed.again)
    assert not getattr(later, word)


def test_of_two_adoptions_the_newer_counts() -> None:
    first, second = (Demand(cause="typed", adopt=owner) for owner in ("bob", "carol"))
    assert first.merged(second).adopt == "carol"
    assert first.merged(Demand(cause="a look")).adopt == "bob"


def test_what_is_wanted_twice_is_wanted_once() -> None:
    typed = Demand(cause="typed", purge=True, watched=7)
    look = Demand(cause="a look", prune=True)
    assert typed.merged(look) == Demand(cause="a look", prune=True, purge=True, watched=7)
    assert look.merged(typed) == Demand(cause="typed", prune=True, purge=True, watched=7)
    assert typed.merged(Demand(cause="a look", watched=9)).watched == 9


@pytest.mark.parametrize(
    ("one", "two", "most"), [(None, None, None), (0, None, 0), (None, 4, 4), (0, 40, 40)]
)
def test_of_two_numbers_allowed_the_larger_counts(
    one: int | None, two: int | None, most: int | None
) -> None:
    first, second = (Demand(cause="up", max_delete=number) for number in (one, two))
    assert first.merged(second).max_delete == second.merged(first).max_delete == most


async def test_a_look_leaves_the_next_attempt_and_who_asks_takes_it_up() -> None:
    entry, due = Entry(), asyncio.Event()
    owed = Demand(cause="tried again", asked=False, heal=True, prune=True)
    timer = asyncio.get_running_loop().call_later(600, due.set)
    entry.owe(owed, timer)
    entry.wants(Demand(cause="a look"))
    assert (entry.retry, entry.demand) == (timer, Demand(cause="a look"))
    entry.wants(Demand(cause="up", force=True))
    wanted = Demand(cause="up", force=True, asked=False, heal=True)
    assert (entry.retry, entry.owed, entry.demand) == (None, None, wanted)
    assert timer.cancelled()


async def test_a_look_that_fails_owes_what_was_owed_before() -> None:
    entry, loop = Entry(), asyncio.get_running_loop()
    first, second = (loop.call_later(600, print) for _ in range(2))
    entry.owe(Demand(cause="tried again", asked=True, heal=True), first)
    entry.owe(Demand(cause="tried again"), second)
    assert entry.owed == Demand(cause="tried again", asked=True, heal=True)
    assert (entry.retry, first.cancelled(), second.cancelled()) == (second, True, False)


async def test_a_removal_that_was_asked_for_is_not_forgotten() -> None:
    entry = Entry()
    entry.owe(Demand(cause="x", remove=True), asyncio.get_running_loop().call_later(600, print))
    assert entry.take_up(Demand(cause="up", force=True)).remove


async def test_of_contrary_wishes_the_newer_one_is_taken_up() -> None:
    entry = Entry()
    entry.owe(Demand(cause="x", asked=False), asyncio.get_running_loop().call_later(600, print))
    assert entry.take_up(Demand(cause="start", asked=True)) == Demand(cause="start", asked=True)
    assert entry.take_up(Demand(cause="a look")) == Demand(cause="a look")
