"""Rows beyond their bounds go, a few at a time; the newest stay, on both kinds of database."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from state_index.errors import LeaseLostError
from state_index.index import Index
from state_index.phases import WITH_HOME, Event, Phase
from state_index.publishing import HISTORY_BOUND
from state_index.retention import ALWAYS, Retention
from state_index.schema import intents
from tests.state_index.clock import Clock

KEPT = Retention(history_rows=40, operation_rows=5)


@pytest.fixture
def filled(index: Index, clock: Clock) -> Index:
    """Two workspaces that went up and down, a phase a minute, and were asked for it."""
    for id_ in ("alice", "bob"):
        index.publish(id_, event=Event.PROVISION, cause="made")
        index.publish(id_, event=Event.APPLIED, cause="made")
        for number in range(12):
            wanted = index.request(id_, "start", actor="a", request_id=f"r-{number:04d}")
            index.take_intents()
            for event in (Event.START, Event.READY, Event.STOP, Event.STOPPED):
                clock.tick(seconds=15)
                index.publish(id_, event=event, cause=f"round {number}")
            index.finish(wanted.id)
    return index


def test_a_lower_bound_is_reached_step_by_step_and_the_newest_stay(filled: Index) -> None:
    before = {id_: filled.history(id_) for id_ in ("alice", "bob")}
    beyond = filled.records.beyond(KEPT)
    assert beyond == sum(len(rows) - 40 for rows in before.values()) + 2 * (12 - 5)
    passes = []
    while gone := filled.records.prune(KEPT, limit=50):
        passes.append(gone)
    assert sum(passes) == beyond
    assert max(passes) <= 50
    assert filled.records.beyond(KEPT) == 0
    for id_, rows in before.items():
        assert filled.history(id_) == rows[:40]


def test_what_is_old_goes_but_for_the_newest(filled: Index, clock: Clock) -> None:
    newest = {id_: filled.history(id_, ALWAYS) for id_ in ("alice", "bob")}
    clock.tick(days=400)
    open_ = filled.request("alice", "start", actor="a", request_id="r-open")
    clock.tick(days=400)
    while filled.records.prune(Retention(), limit=500):
        pass
    assert {id_: filled.history(id_) for id_ in newest} == newest
    assert filled.intent(open_.id) == open_, "it is not ended"
    with filled._database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(intents)) == 1


def test_within_its_bounds_nothing_goes(filled: Index) -> None:
    before = filled.history("alice")
    assert filled.records.beyond(Retention()) == 0
    assert filled.records.prune(Retention(), limit=500) == 0
    assert filled.history("alice") == before


def test_a_bound_below_the_ones_that_always_stay_counts(filled: Index) -> None:
    few = replace(KEPT, history_rows=3)
    while filled.records.prune(few, limit=500):
        pass
    assert len(filled.history("bob")) == 3


def test_a_former_leader_prunes_nothing(filled: Index) -> None:
    lease = filled.lease("one", timeout=2.0)
    grant = lease.take(lease.look().row)
    assert grant is not None
    former = filled.under(grant)
    lease.release()
    later = filled.lease("two", timeout=2.0)
    later.take(later.look().row)
    before = filled.history("alice")
    with pytest.raises(LeaseLostError):
        former.records.prune(KEPT, limit=10)
    assert filled.history("alice") == before


def fail(index: Index, clock: Clock, times: int) -> None:
    """It fails again and again, and nothing of it is ever made."""
    for _ in range(times):
        clock.tick(minutes=5)
        index.publish("home", event=Event.FAILED, cause="it is missing")
        index.publish("home", event=Event.RETRY, cause="tried again")


def told(index: Index) -> list[Phase | None]:
    rows = index.history("home", HISTORY_BOUND + 1)
    return [row.to_phase for row in rows if row.to_phase in WITH_HOME | {Phase.DELETED}]


@pytest.fixture
def homely(index: Index) -> Index:
    """One that ran, of which the index was to forget all else: its row tells of no home."""
    for event in (Event.PROVISION, Event.APPLIED):
        index.publish("home", event=event, cause="made")
    index.forget("home", "renamed")
    index.publish("home", event=Event.PROVISION, cause="it came back")
    return index


def test_that_there_was_a_home_stays_however_often_it_failed_since(
    homely: Index, clock: Clock
) -> None:
    fail(homely, clock, HISTORY_BOUND)
    assert told(homely) == [Phase.WARM]
    clock.tick(days=400)
    while homely.records.prune(Retention(history_rows=5), limit=500):
        pass
    assert told(homely) == [Phase.WARM], "and however long ago it was"
    assert len(homely.history("home")) == 6
    assert homely.records.beyond(Retention(history_rows=5)) == 0


def test_of_what_was_purged_the_end_is_what_stays(homely: Index, clock: Clock) -> None:
    for event in (Event.APPLIED, Event.DELETE, Event.PURGED):
        homely.publish("home", event=event, cause="purged")
    homely.forget("home", "purged")
    homely.publish("home", event=Event.PROVISION, cause="a new one")
    fail(homely, clock, 30)
    while homely.records.prune(Retention(history_rows=5), limit=500):
        pass
    assert told(homely) == [Phase.DELETED], "no home is missed"


def test_what_is_forgotten_keeps_the_proof_and_what_was_purged_does_not(
    homely: Index, clock: Clock
) -> None:
    homely.forget("home", "renamed")
    homely.publish("other", event=Event.PROVISION, cause="made")
    clock.tick(days=100)
    homely.forget("other", "its end")
    assert [row.to_phase for row in homely.history("home")] == [Phase.WARM]
    for event in (Event.PROVISION, Event.APPLIED, Event.DELETE, Event.PURGED):
        homely.publish("home", event=event, cause="purged")
    homely.forget("home", "purged")
    homely.publish("other", event=Event.PROVISION, cause="made")
    clock.tick(days=100)
    homely.forget("other", "its end")
    assert homely.history("home") == []
