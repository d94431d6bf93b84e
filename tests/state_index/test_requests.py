"""What users may ask for, and what becomes of it."""

from dataclasses import replace
from typing import get_args

import pytest

from state_index.errors import (
    InvalidStateError,
    PinnedInGitError,
    RequestRefusedError,
    UnknownOperationError,
    UnknownWorkspaceError,
)
from state_index.index import Index
from state_index.models import Intent, IntentKind, Pinned
from state_index.phases import Event, Kind, Phase, decide
from state_index.pruning import INTENT_BOUND
from tests.state_index.clock import Clock

# Events that bring a new row into a phase.
WAYS: dict[Phase, tuple[Event, ...]] = {
    Phase.PENDING: (),
    Phase.PROVISIONING: (Event.PROVISION,),
    Phase.STARTING: (Event.BOOTING,),
    Phase.RUNNING: (Event.READY,),
    Phase.STOPPING: (Event.READY, Event.STOP),
    Phase.UPDATING: (Event.READY, Event.UPDATE),
    Phase.WARM: (Event.STOPPED,),
    Phase.ARCHIVING: (Event.STOPPED, Event.ARCHIVE),
    Phase.COLD: (Event.ARCHIVED,),
    Phase.RESTORING: (Event.ARCHIVED, Event.RESTORE),
    Phase.DELETING: (Event.DELETE,),
    Phase.TOMBSTONED: (Event.REMOVED,),
    Phase.DELETED: (Event.REMOVED, Event.PURGED),
    Phase.ERROR: (Event.FAILED,),
    Phase.UNKNOWN: (Event.UNREACHABLE,),
}
EVENTS: dict[IntentKind, Event] = {"start": Event.START, "stop": Event.STOP}


def bring(index: Index, phase: Phase, workspace_id: str = "a") -> None:
    row = index.publish(workspace_id, cause="new", owner="alice")
    for event in WAYS[phase]:
        row = index.publish(workspace_id, event=event, cause="test")
    assert row.phase is phase


def start(index: Index, actor: str = "alice") -> Intent:
    return index.request("a", "start", actor=actor, request_id=f"r-{actor}")


def stop(index: Index, actor: str = "alice") -> Intent:
    return index.request("a", "stop", actor=actor, request_id=f"r-{actor}")


@pytest.mark.parametrize("kind", get_args(IntentKind))
@pytest.mark.parametrize("phase", Phase)
def test_the_table_decides(index: Index, phase: Phase, kind: IntentKind) -> None:
    bring(index, phase)
    verdict = decide(phase, EVENTS[kind])
    if not verdict.accepted:
        with pytest.raises(InvalidStateError, match=f"a is {phase}: {kind} is not possible now"):
            index.request("a", kind, actor="alice", request_id="r")
        assert index.take_intents() == []
        return
    intent = index.request("a", kind, actor="alice", request_id="r")
    assert intent.joined is (verdict.kind is Kind.JOIN)
    assert intent.status == ("done" if intent.joined else "open")
    assert [one.id for one in index.take_intents()] == ([] if intent.joined else [intent.id])


def test_an_intent_says_who_when_and_on_what(index: Index, clock: Clock) -> None:
    bring(index, Phase.WARM)
    row = index.workspace("a")
    asked = clock.tick(seconds=9)
    intent = start(index)
    assert row is not None
    assert intent == Intent(
        id=intent.id,
        workspace_id="a",
        kind="start",
        actor="alice",
        request_id="r-alice",
        created_at=asked,
        status="open",
        phase=Phase.WARM,
        generation=row.generation,
    )
    assert len(intent.id) == 32
    assert index.intent(intent.id) == intent


def test_unknown_workspaces_are_refused(index: Index) -> None:
    with pytest.raises(UnknownWorkspaceError, match="no workspace a") as caught:
        start(index)
    assert caught.value.workspace_id == "a"


@pytest.mark.parametrize(
    ("pinned", "phase", "kind", "refused"),
    [
        ("running", Phase.RUNNING, "stop", True),
        ("running", Phase.WARM, "start", False),
        ("warm", Phase.WARM, "start", True),
        ("warm", Phase.RUNNING, "stop", False),
        ("auto", Phase.RUNNING, "stop", False),
        ("auto", Phase.WARM, "start", False),
    ],
)
def test_a_state_pinned_in_git_decides(
    index: Index, pinned: Pinned, phase: Phase, kind: IntentKind, *, refused: bool
) -> None:
    bring(index, phase)
    index.publish("a", cause="file", pinned=pinned)
    if not refused:
        assert index.request("a", kind, actor="alice", request_id="r").status == "open"
        return
    with pytest.raises(PinnedInGitError, match=f"`state: {pinned}`") as caught:
        index.request("a", kind, actor="alice", request_id="r")
    assert caught.value.state == pinned


def test_each_refusal_has_its_stable_code() -> None:
    assert {one.__name__: one.code for one in RequestRefusedError.__subclasses__()} == {
        "UnknownWorkspaceError": "NOT_FOUND",
        "InvalidStateError": "INVALID_STATE",
        "EditWaitsError": "EDIT_WAITS",
        "EditsManyError": "TOO_MANY_EDITS",
        "PinnedInGitError": "PINNED_IN_GIT",
    }


def test_a_second_start_joins_the_open_one(index: Index) -> None:
    bring(index, Phase.WARM)
    first = start(index)
    assert start(index, "carol") == replace(first, joined=True)


def test_a_start_joins_one_that_the_runner_took(index: Index) -> None:
    bring(index, Phase.WARM)
    first = start(index)
    [taken] = index.take_intents()
    assert start(index).id == first.id
    index.publish("a", event=Event.START, cause="intent", request_id=taken.request_id)
    joined = start(index)
    assert (joined.id, joined.status, joined.joined) == (first.id, "taken", True)


def test_a_start_joins_what_nobody_asked_for(index: Index) -> None:
    bring(index, Phase.STARTING)
    joined = start(index)
    assert (joined.status, joined.joined) == ("done", True)
    assert index.intent(joined.id) == replace(joined, joined=False)
    assert index.take_intents() == []


def test_a_stop_after_an_open_start_is_refused_until_the_runner_took_it(index: Index) -> None:
    bring(index, Phase.ERROR)
    start(index)
    with pytest.raises(InvalidStateError, match="a start was asked for just before") as caught:
        stop(index)
    assert caught.value.phase is Phase.ERROR
    index.take_intents()
    assert stop(index).status == "open"


def test_a_start_during_the_stop_waits_for_it(index: Index) -> None:
    bring(index, Phase.STOPPING)
    waiting = start(index)
    assert (waiting.status, waiting.phase) == ("open", Phase.STOPPING)


def test_intents_are_taken_once_oldest_first(index: Index) -> None:
    for workspace_id in ("c", "a", "b"):
        bring(index, Phase.WARM, workspace_id)
        index.request(workspace_id, "start", actor="alice", request_id="r")
    assert [one.workspace_id for one in index.take_intents(2)] == ["c", "a"]
    [last] = index.take_intents(2)
    assert (last.workspace_id, last.status) == ("b", "taken")
    assert index.take_intents(2) == []


def test_an_operation_ends_done_or_failed(index: Index) -> None:
    bring(index, Phase.WARM)
    good = start(index)
    index.take_intents()
    index.finish(good.id)
    bad = start(index)
    index.take_intents()
    index.finish(bad.id, "IMAGE_MISSING: build it")
    read = [index.intent(one.id) for one in (good, bad)]
    assert [(one.status, one.error) for one in read if one] == [
        ("done", ""),
        ("failed", "IMAGE_MISSING: build it"),
    ]


def test_what_has_ended_stays_ended(index: Index) -> None:
    bring(index, Phase.WARM)
    intent = start(index)
    index.finish(intent.id)
    index.finish(intent.id, "too late")
    read = index.intent(intent.id)
    assert read is not None
    assert (read.status, read.error) == ("done", "")
    with pytest.raises(UnknownOperationError) as caught:
        index.finish("f" * 32)
    assert caught.value.operation_id == "f" * 32
    assert index.intent("f" * 32) is None


def test_a_new_runner_takes_again_what_the_former_left(index: Index) -> None:
    bring(index, Phase.WARM)
    left = start(index)
    index.take_intents()
    assert index.reopen_intents() == 1
    assert [one.id for one in index.take_intents()] == [left.id]


def test_what_was_left_gives_way_to_what_was_asked_later(index: Index) -> None:
    bring(index, Phase.WARM)
    left = start(index)
    index.take_intents()
    index.publish("a", event=Event.READY, cause="up")
    newer = stop(index)
    assert index.reopen_intents() == 0
    read = index.intent(left.id)
    assert read is not None
    assert (read.status, read.error) == ("failed", "superseded by a newer request")
    assert [one.id for one in index.take_intents()] == [newer.id]


def test_what_was_left_does_not_come_back_after_what_was_done_since(index: Index) -> None:
    bring(index, Phase.WARM)
    left = start(index)
    index.take_intents()
    index.publish("a", event=Event.READY, cause="up")
    newer = stop(index)
    index.take_intents()
    index.finish(newer.id)
    assert index.reopen_intents() == 0
    read = index.intent(left.id)
    assert read is not None
    assert (read.status, read.error) == ("failed", "superseded by a newer request")
    assert index.take_intents() == []


def test_nothing_joins_what_something_else_was_asked_after(index: Index) -> None:
    """It would have no row of its own, and go down with what it joined."""
    bring(index, Phase.WARM)
    first = start(index)
    index.take_intents()
    index.publish("a", event=Event.READY, cause="up")
    index.finish(stop(index).id)
    index.publish("a", event=Event.STOPPED, cause="down")
    again = start(index)
    assert (again.joined, again.id == first.id) == (False, False)
    assert index.reopen_intents() == 0
    assert [one.id for one in index.take_intents()] == [again.id]


@pytest.mark.parametrize("taken", [False, True])
def test_what_is_typed_comes_before_the_opposite_that_was_asked(index: Index, taken: bool) -> None:
    for id_ in ("a", "b"):
        bring(index, Phase.WARM, id_)
    left, others = start(index), index.request("b", "start", actor="alice", request_id="r")
    if taken:
        index.take_intents()
    index.supersede("a", "start")
    read = index.intent(left.id)
    assert read is not None
    assert read.status == ("taken" if taken else "open")
    index.supersede("a", "stop")
    read = index.intent(left.id)
    assert read is not None
    assert (read.status, read.error) == ("failed", "superseded by a newer request")
    index.reopen_intents()
    assert [one.id for one in index.take_intents()] == [others.id]


def test_words_that_no_database_takes_end_an_intent_all_the_same(index: Index) -> None:
    bring(index, Phase.WARM)
    intent = start(index)
    index.finish(intent.id, "it printed \0 and \ud800")
    read = index.intent(intent.id)
    assert read is not None
    assert (read.status, read.error) == ("failed", "it printed ? and ?")


def test_what_is_under_way_is_not_opened_again(index: Index) -> None:
    for id_ in ("a", "b"):
        bring(index, Phase.WARM, id_)
    under_way, lost = start(index), index.request("b", "start", actor="alice", request_id="r")
    index.take_intents()
    assert index.reopen_intents(but=[under_way.id]) == 1
    assert [one.id for one in index.take_intents()] == [lost.id]


def test_two_left_intents_reopen_as_one(index: Index) -> None:
    bring(index, Phase.WARM)
    start(index)
    index.take_intents()
    index.publish("a", event=Event.READY, cause="up")
    newer = stop(index)
    index.take_intents()
    assert index.reopen_intents() == 1
    assert [one.id for one in index.take_intents()] == [newer.id]


def test_forgetting_a_workspace_ends_its_operations(index: Index) -> None:
    bring(index, Phase.WARM)
    intent = start(index)
    index.forget("a", "purged")
    read = index.intent(intent.id)
    assert read is not None
    assert (read.status, read.error) == ("failed", "the workspace was removed")


def test_finished_operations_are_bounded_and_open_ones_stay(index: Index) -> None:
    bring(index, Phase.WARM, "b")
    open_one = index.request("b", "start", actor="alice", request_id="r")
    bring(index, Phase.WARM)
    ids = []
    for _ in range(INTENT_BOUND + 5):
        ids.append(start(index).id)
        index.finish(ids[-1])
    last = start(index)
    found = [one for one in ids if index.intent(one)]
    assert found == ids[-INTENT_BOUND:]
    assert index.intent(last.id) is not None
    assert index.intent(open_one.id) is not None
