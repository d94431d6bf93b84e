"""What the phase table promises beyond single cells: whole stories, and properties of all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state_index.errors import IllegalTransitionError
from state_index.phases import TABLE, Event, Kind, Phase, decide, transition

WORKING = {
    Phase.PENDING,
    Phase.PROVISIONING,
    Phase.STARTING,
    Phase.STOPPING,
    Phase.UPDATING,
    Phase.ARCHIVING,
    Phase.RESTORING,
    Phase.DELETING,
}
ON_TARGET = set(Phase) - {Phase.COLD, Phase.TOMBSTONED, Phase.DELETED, Phase.ERROR}
WISHES = {
    Event.START,
    Event.STOP,
    Event.PROVISION,
    Event.UPDATE,
    Event.ARCHIVE,
    Event.RESTORE,
    Event.RETRY,
    Event.DELETE,
    Event.REVIVE,
    Event.PURGE,
}


def walk(phase: Phase, *events: Event) -> Phase:
    for event in events:
        phase = transition(phase, event)
    return phase


def reachable(start: Phase) -> set[Phase]:
    found, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for event in Event:
            there = TABLE[here, event].phase
            if there not in found:
                found.add(there)
                todo.append(there)
    return found


STORIES: dict[str, tuple[Phase, tuple[Event, ...], Phase]] = {
    "a new file becomes a running workspace": (
        Phase.PENDING,
        (Event.PROVISION, Event.BOOTING, Event.READY),
        Phase.RUNNING,
    ),
    "it sleeps and wakes": (
        Phase.RUNNING,
        (Event.STOP, Event.STOPPED, Event.START, Event.READY),
        Phase.RUNNING,
    ),
    "a cold one is restored before it starts": (
        Phase.COLD,
        (Event.START, Event.RESTORED, Event.START, Event.READY),
        Phase.RUNNING,
    ),
    "a wake cancels the archiving": (Phase.WARM, (Event.ARCHIVE, Event.START), Phase.STARTING),
    "a delete cancels the archiving": (Phase.ARCHIVING, (Event.DELETE,), Phase.DELETING),
    "a delete cancels a start": (Phase.STARTING, (Event.DELETE,), Phase.DELETING),
    "a delete waits for an `up`": (
        Phase.UPDATING,
        (Event.DELETE, Event.APPLIED, Event.DELETE, Event.REMOVED),
        Phase.TOMBSTONED,
    ),
    "an edit waits for a start": (
        Phase.STARTING,
        (Event.UPDATE, Event.READY, Event.UPDATE),
        Phase.UPDATING,
    ),
    "a start waits for a stop": (
        Phase.STOPPING,
        (Event.START, Event.STOPPED, Event.START),
        Phase.STARTING,
    ),
    "a stop cancels a start": (Phase.STARTING, (Event.STOP, Event.STOPPED), Phase.WARM),
    "a file that is back revives the tombstone": (
        Phase.WARM,
        (Event.DELETE, Event.REMOVED, Event.REVIVE),
        Phase.PENDING,
    ),
    "a tombstone ends": (Phase.TOMBSTONED, (Event.PURGE, Event.PURGED), Phase.DELETED),
    "a failure is tried again": (
        Phase.PROVISIONING,
        (Event.FAILED, Event.RETRY, Event.PROVISION),
        Phase.PROVISIONING,
    ),
    "an edit of a failed one is applied": (Phase.ERROR, (Event.UPDATE, Event.APPLIED), Phase.WARM),
    "the container stopped by itself": (Phase.RUNNING, (Event.STOPPED,), Phase.WARM),
    "the container was removed by hand, and is made again": (
        Phase.RUNNING,
        (Event.VANISHED, Event.PROVISION, Event.BOOTING, Event.READY),
        Phase.RUNNING,
    ),
    "the IDE stopped answering": (Phase.RUNNING, (Event.BOOTING,), Phase.STARTING),
    "the container was started by hand": (Phase.WARM, (Event.READY,), Phase.RUNNING),
    "the home is gone": (Phase.WARM, (Event.HOME_MISSING,), Phase.ERROR),
    "a lost home is restored": (
        Phase.RUNNING,
        (Event.HOME_MISSING, Event.RESTORE, Event.RESTORED),
        Phase.WARM,
    ),
    "the engine was away": (Phase.RUNNING, (Event.UNREACHABLE, Event.READY), Phase.RUNNING),
    "the engine was away, and the container with it": (
        Phase.RUNNING,
        (Event.UNREACHABLE, Event.VANISHED),
        Phase.PENDING,
    ),
    "an index built again finds what is there": (Phase.PENDING, (Event.ARCHIVED,), Phase.COLD),
}


@pytest.mark.parametrize("story", STORIES)
def test_story(story: str) -> None:
    start, events, end = STORIES[story]
    assert walk(start, *events) is end


def test_each_phase_is_reachable_from_pending() -> None:
    assert reachable(Phase.PENDING) == set(Phase)


@pytest.mark.parametrize("phase", Phase)
def test_only_deleted_is_a_dead_end(phase: Phase) -> None:
    ends = reachable(phase)
    if phase is Phase.DELETED:
        assert ends == {Phase.DELETED}
    else:
        assert ends == set(Phase), "it can run again, and it can be deleted"


@pytest.mark.parametrize("phase", Phase)
def test_a_failure_is_possible_wherever_work_is_under_way(phase: Phase) -> None:
    verdict = decide(phase, Event.FAILED)
    if phase in WORKING | {Phase.UNKNOWN}:
        assert verdict.phase is Phase.ERROR
    else:
        assert verdict.phase is phase


@pytest.mark.parametrize("phase", Phase)
def test_an_unreachable_target_makes_unknown_what_lives_on_it(phase: Phase) -> None:
    after = decide(phase, Event.UNREACHABLE).phase
    assert after is (Phase.UNKNOWN if phase in ON_TARGET else phase)


@pytest.mark.parametrize("phase", Phase)
def test_no_home_is_lost_in_silence(phase: Phase) -> None:
    after = decide(phase, Event.HOME_MISSING).phase
    assert after is Phase.ERROR or phase in {Phase.DELETING, Phase.TOMBSTONED, Phase.DELETED}


def test_only_archiving_leads_to_cold_from_work() -> None:
    leads = {phase for phase in WORKING if decide(phase, Event.ARCHIVED).phase is Phase.COLD}
    assert leads == {Phase.ARCHIVING, Phase.PENDING}


def test_nothing_but_a_removal_removes() -> None:
    removing = {
        (phase, event)
        for (phase, event), verdict in TABLE.items()
        if verdict.kind is Kind.MOVE
        and verdict.phase in {Phase.DELETING, Phase.TOMBSTONED, Phase.DELETED}
    }
    assert {event for _, event in removing} == {
        Event.DELETE,
        Event.PURGE,
        Event.REMOVED,
        Event.PURGED,
    }


@given(st.lists(st.sampled_from(list(Event)), max_size=40))
def test_any_history_stays_in_the_table(events: list[Event]) -> None:
    phase = Phase.PENDING
    for event in events:
        verdict = decide(phase, event)
        assert decide(phase, event) == verdict
        assert verdict.accepted or verdict.phase is phase
        assert verdict.kind is Kind.MOVE or verdict.phase is phase
        if verdict.accepted:
            phase = transition(phase, event)
        else:
            with pytest.raises(IllegalTransitionError):
                transition(phase, event)


QUEUED = [cell for cell, verdict in TABLE.items() if verdict.kind is Kind.QUEUE]


@pytest.mark.parametrize(("phase", "wish"), QUEUED, ids=str)
def test_what_is_queued_can_be_done_once_the_work_has_ended(phase: Phase, wish: Event) -> None:
    facts = [event for event in Event if event not in WISHES]
    found, todo = {phase}, [phase]
    while todo:
        here = todo.pop()
        nexts = {TABLE[here, fact].phase for fact in facts} - found
        found |= nexts
        todo += nexts
    assert Kind.MOVE in {decide(there, wish).kind for there in found - {phase}}
