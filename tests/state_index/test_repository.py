"""What is said and asked of the followed repository is kept, dated, and fenced where the runner says it."""

from datetime import timedelta

import pytest

from state_index.errors import LeaseLostError
from state_index.index import Index
from state_index.repository import Followed, Wishes
from tests.state_index.clock import Clock

SHA = "a" * 40


def test_nothing_is_said_at_first(index: Index) -> None:
    assert index.repository.followed() == Followed()
    assert index.repository.wishes() == Wishes()
    assert not index.repository.wishes().paused


def test_what_changes_is_dated_and_the_rest_stays(index: Index, clock: Clock) -> None:
    told = index.repository.tell(url="https://git.example.org/x", head=SHA, attempted=SHA)
    assert (told.head_at, told.attempted_at, told.applied_at) == (clock(), clock(), None)
    first = clock()
    clock.tick(minutes=1)
    told = index.repository.tell(head=SHA, attempted=SHA, applied=SHA, error="away")
    assert (told.head_at, told.attempted_at) == (first + timedelta(minutes=1), first)
    assert (told.applied_at, told.error_since) == (clock(), clock())
    clock.tick(minutes=1)
    told = index.repository.tell(error="", waiting=("b",), failures={"a": "no image"})
    assert told.error_since is None
    assert index.repository.followed() == told
    assert (told.waiting, told.failures, told.applied) == (("b",), {"a": "no image"}, SHA)


def test_a_former_holder_of_the_lease_says_nothing_but_anyone_may_ask(url: str) -> None:
    with Index.open(url) as index:
        lease = index.lease("one")
        former = lease.acquire()
        assert former is not None
        lease.release()
        assert index.lease("two").acquire() is not None
        with pytest.raises(LeaseLostError):
            index.under(former).repository.tell(head=SHA)
        assert index.under(former).repository.ask() == 1


def test_asking_counts_up_and_keeps_the_pause(index: Index, clock: Clock) -> None:
    index.repository.pause(actor="alice", reason="moving")
    assert [index.repository.ask(), index.repository.ask()] == [1, 2]
    expected = Wishes(asked=2, paused_at=clock(), paused_by="alice", reason="moving")
    assert index.repository.wishes() == expected


def test_a_pause_is_the_first_ones_until_it_ends(index: Index) -> None:
    first = index.repository.pause(actor="alice")
    assert index.repository.pause(actor="bob", reason="me too") == first
    assert index.repository.resume() == first
    assert not index.repository.wishes().paused
    assert not index.repository.resume().paused
