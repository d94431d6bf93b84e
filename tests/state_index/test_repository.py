"""What is said and asked of the followed repository is kept, dated, and fenced where the runner says it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

import pytest

from state_index.errors import LeaseLostError
from state_index.index import Index
from state_index.models import utc_now
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


def test_what_is_said_at_once_is_all_kept(url: str) -> None:
    """One is held where it has read the row and not written it yet."""
    has_read, other_has_told = Event(), Event()

    def slow() -> datetime:
        has_read.set()
        other_has_told.wait(0.3)  # it can't, while we are in turn: then each waits for the other
        return utc_now()

    def other(index: Index) -> None:
        has_read.wait(30)
        index.repository.tell(waiting=("one",), base=SHA)
        other_has_told.set()

    with (
        Index.open(url) as index,
        Index.open(url, now=slow) as slowly,
        ThreadPoolExecutor(1) as threads,
    ):
        index.repository.tell(url="https://git.example.org/x")
        told = threads.submit(other, index)
        slowly.repository.tell(head=SHA)
        told.result(30)
        found = index.repository.followed()
    assert (found.head, found.base, found.waiting) == (SHA, SHA, ("one",))


def test_a_pause_loses_no_look_that_is_asked_for_meanwhile(index: Index) -> None:
    def toggle() -> None:
        for _ in range(20):
            index.repository.pause(actor="alice")
            index.repository.resume()

    with ThreadPoolExecutor(2) as threads:
        toggling = threads.submit(toggle)
        asking = [threads.submit(index.repository.ask) for _ in range(20)]
        assert sorted(each.result(60) for each in asking) == list(range(1, 21))
        toggling.result(60)
    assert index.repository.wishes() == Wishes(asked=20)


def test_a_repository_that_is_not_followed_any_more_leaves_nothing(index: Index) -> None:
    index.repository.tell(url="https://git.example.org/x", head=SHA, base=SHA)
    index.repository.forget()
    assert index.repository.followed() == Followed()
    index.repository.forget()
    assert index.repository.tell(base=SHA) == Followed(base=SHA)
