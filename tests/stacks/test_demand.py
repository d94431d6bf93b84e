"""What is wanted: merged, and tried again without what someone's word was needed for."""

import pytest

from stacks.demand import Demand


def test_a_later_attempt_needs_the_typed_name_again() -> None:
    demand = Demand(cause="root purged it", actor="root", force=True, purge=True, retry=True)
    assert demand.again == Demand(cause="tried again", force=True)


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
