"""What bounds removals is kept: the watched time, what was pruned, and a tombstone's dates."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from state_index.index import Index
from state_index.phases import Event, Phase
from tests.state_index.clock import Clock

HOUR = timedelta(hours=1)


def test_watched_time_adds_up_over_runs(url: str) -> None:
    with Index.open(url) as index:
        assert index.removals.watched() == 0
        assert index.removals.watch(1_500) == 1_500
    with Index.open(url) as index:
        assert index.removals.watch(0) == 1_500
        assert index.removals.watch(500) == 2_000
        assert index.removals.watched() == 2_000


def test_what_is_given_back_was_not_counted(url: str, clock: Clock) -> None:
    with Index.open(url, now=clock) as index:
        assert index.removals.claim("a", most=1, within=HOUR)
        assert not index.removals.claim("b", most=1, within=HOUR)
        index.removals.give_back("a")
        index.removals.give_back("never")
        assert index.removals.pruned(within=HOUR) == frozenset()
        assert index.removals.claim("b", most=1, within=HOUR)


def test_no_more_are_claimed_than_allowed_until_the_hour_is_over(url: str, clock: Clock) -> None:
    with Index.open(url, now=clock) as index:
        claimed = [index.removals.claim(id_, most=2, within=HOUR) for id_ in ("a", "b", "c")]
        assert claimed == [True, True, False]
        clock.tick(minutes=59)
    with Index.open(url, now=clock) as index:  # a restart forgets nothing
        assert index.removals.pruned(within=HOUR) == {"a", "b"}
        assert not index.removals.claim("c", most=2, within=HOUR)
        assert index.removals.claim("a", most=2, within=HOUR), "it was counted already"
        assert index.removals.claim("c", most=3, within=HOUR)
        clock.tick(minutes=2)
        assert index.removals.pruned(within=HOUR) == {"c"}
        assert index.removals.claim("d", most=2, within=HOUR)
        assert not index.removals.claim("e", most=2, within=HOUR)


def test_a_clock_that_was_put_back_frees_nothing(index: Index, clock: Clock) -> None:
    assert index.removals.claim("a", most=1, within=HOUR)
    clock.tick(days=-30)
    assert not index.removals.claim("b", most=1, within=HOUR)


def test_of_many_who_claim_at_once_only_as_many_get_it(url: str) -> None:
    with Index.open(url) as index:
        barrier = Barrier(8)

        def claim(number: int) -> bool:
            barrier.wait()
            return index.removals.claim(f"w{number}", most=3, within=HOUR)

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(claim, range(8))) == 3


@pytest.mark.parametrize(
    ("events", "phase"),
    [
        ((Event.PURGE,), Phase.DELETING),
        ((Event.PURGE, Event.FAILED), Phase.ERROR),
        ((Event.PURGE, Event.UNREACHABLE), Phase.UNKNOWN),
        ((Event.PURGE, Event.REMOVED), Phase.TOMBSTONED),
    ],
)
def test_dates_stand_while_the_home_is_being_removed(
    index: Index, clock: Clock, events: tuple[Event, ...], phase: Phase
) -> None:
    made = index.publish(
        "a", event=Event.REMOVED, cause="t", removed_at=clock(), expires_at=clock(), grace_end=7
    )
    assert made.phase is Phase.TOMBSTONED
    row = made
    for event in events:
        row = index.publish("a", event=event, cause="t")
    assert row.phase is phase
    assert (row.removed_at, row.expires_at, row.grace_end) == (clock(), clock(), 7)


def test_a_revived_one_has_no_dates(index: Index, clock: Clock) -> None:
    index.publish("a", event=Event.REMOVED, cause="t", expires_at=clock(), grace_end=7)
    row = index.publish("a", event=Event.REVIVE, cause="t")
    assert (row.removed_at, row.expires_at, row.grace_end) == (None, None, None)
