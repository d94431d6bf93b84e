"""Publishing: one transaction for row, generation and history."""

import json
import time
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from state_index import past, rows
from state_index.errors import IllegalTransitionError, StaleRowError
from state_index.index import Index
from state_index.models import Changes, Published, RunnerInfo
from state_index.phases import Event, Phase, Sync
from state_index.pruning import FORGOTTEN
from state_index.publishing import HISTORY_BOUND
from tests.state_index.clock import Clock


def test_the_first_publish_makes_a_pending_row(index: Index, clock: Clock) -> None:
    row = index.publish("alice-api", cause="file found", owner="alice")
    assert row == Published(
        id="alice-api",
        owner="alice",
        phase=Phase.PENDING,
        sync=Sync.OUT_OF_SYNC,
        since=clock.time,
        updated_at=clock.time,
        generation=1,
    )
    assert index.workspace("alice-api") == row
    assert index.workspaces() == [row]


def test_words_that_no_database_takes_are_published_all_the_same(index: Index) -> None:
    """What a container wrote last is quoted, and it may write anything."""
    row = index.publish(
        "alice-api",
        cause="c\0",
        actor="a\ud800",
        request_id="r\0",
        owner="alice",
        message="it ended: \0 \udfff",
    )
    assert (row.message, row.request_id) == ("it ended: ? ?", "r?")
    assert index.workspace("alice-api") == row
    assert index.publish("alice-api", cause="again", message="it ended: \0 \udfff") == row
    (found,) = index.history("alice-api")
    assert (found.cause, found.actor, found.request_id) == ("c?", "a?", "r?")


def test_a_spec_is_stored_as_it_is(index: Index) -> None:
    """JSON leaves DEL and the controls above it as they are, and a spec that is altered never settles."""
    spec = json.dumps({"env": {"X": "a\x7f\x85\0\x1b[1m\u2028"}}, ensure_ascii=False)
    row = index.publish("alice-api", cause="c", owner="alice", spec_json=spec, sync=Sync.SYNCED)
    assert row.spec_json == spec
    assert row.sync is Sync.SYNCED
    assert index.workspace("alice-api") == row


def test_every_field_survives_the_database(index: Index, clock: Clock) -> None:
    changes = Changes(
        owner="alice",
        sync=Sync.INVALID,
        reason="IMAGE_MISSING",
        message="the image codehub/none is not there: build it",
        step="pull",
        retry_at=datetime(2026, 1, 2, 12, 0, tzinfo=timezone(timedelta(hours=9))),
        desired_hash="d" * 64,
        applied_hash="a" * 64,
        image="codehub/none",
        upstream="unix:alice-api/ide.sock",
        pinned="running",
        problems=({"file": "alice-api.yaml", "line": 3, "message": "고쳐 주세요"},),
        spec_json='{"id": "alice-api"}',
        removed_at=datetime(2026, 1, 2, 3, tzinfo=UTC),
        expires_at=datetime(2026, 1, 9, 3, tzinfo=UTC),
        grace_end=604_800_000,
        removal="f" * 32,
        drift=({"field": "memory", "wanted": "4Gi", "found": "8Gi", "stays": False},),
    )
    row = index.publish("alice-api", cause="file found", request_id="r-1", **changes)
    assert index.workspace("alice-api") == row
    for name, value in changes.items():
        assert getattr(row, name) == value
    assert row.request_id == "r-1"
    said = {"id", "phase", "since", "generation", "request_id", "updated_at", *changes}
    assert said == {item.name for item in fields(Published)}


def test_drift_that_comes_and_goes_is_in_the_history(index: Index) -> None:
    index.publish("a", event=Event.READY, cause="made")
    drift = ({"field": "memory", "wanted": "4Gi", "found": "8Gi", "stays": False},)
    index.publish("a", cause="drift: memory 4Gi → 8Gi", drift=drift)
    index.publish("a", cause="a step is no news", step="x")
    index.publish("a", cause="drift ended", drift=())
    told = [(row.from_phase, row.to_phase, row.cause) for row in index.history("a")]
    running = Phase.RUNNING
    assert told[:2] == [
        (running, running, "drift ended"), (running, running, "drift: memory 4Gi → 8Gi")
    ]  # fmt: skip
    assert len(told) == 3


def test_what_is_removed_differs_from_nothing(index: Index) -> None:
    index.publish("a", event=Event.READY, cause="made", drift=({"field": "memory"},))
    assert index.publish("a", event=Event.DELETE, cause="its file is gone").drift == ()


def test_rows_of_before_there_was_drift_have_none(index: Index) -> None:
    row = index.publish("a", cause="made")
    before: Any = rows.workspace_values(row) | {"drift": None}
    assert rows.published(before) == row


def test_rows_are_frozen(index: Index) -> None:
    row = index.publish("alice-api", cause="file found")
    with pytest.raises(FrozenInstanceError):
        row.owner = "bob"  # type: ignore[misc]


def test_times_without_a_zone_are_refused(index: Index) -> None:
    naive = datetime(2026, 1, 2)  # noqa: DTZ001
    with pytest.raises(ValueError, match="aware"):
        index.publish("a", cause="new", retry_at=naive)
    with pytest.raises(ValueError, match="aware"):
        RunnerInfo(address="unix:x", pid=1, version="0", started_at=naive)
    assert index.workspaces() == []


def test_a_new_phase_begins_now_and_empties_what_belonged_to_the_old(
    index: Index, clock: Clock
) -> None:
    index.publish("a", event=Event.PROVISION, cause="new", owner="alice")
    began = clock.tick(seconds=5)
    failed = index.publish(
        "a",
        event=Event.FAILED,
        cause="engine said no",
        reason="NAME_TAKEN",
        message="remove it",
        step="create container",
        retry_at=began + timedelta(seconds=30),
    )
    assert (failed.phase, failed.since, failed.reason) == (Phase.ERROR, began, "NAME_TAKEN")
    clock.tick(seconds=30)
    again = index.publish("a", event=Event.RETRY, cause="backoff is over")
    assert (again.phase, again.reason, again.message, again.step, again.retry_at) == (
        Phase.PENDING,
        "",
        "",
        "",
        None,
    )
    assert (again.owner, again.since) == ("alice", clock.time)


def test_a_step_keeps_the_phase_and_its_beginning(index: Index, clock: Clock) -> None:
    before = index.publish("a", event=Event.PROVISION, cause="new")
    clock.tick(seconds=1)
    after = index.publish("a", cause="progress", step="create volume")
    assert (after.phase, after.since) == (Phase.PROVISIONING, before.since)
    assert (after.step, after.updated_at) == ("create volume", clock.time)
    assert len(index.history("a")) == 1


def test_a_refused_event_writes_nothing(index: Index) -> None:
    row = index.publish("a", cause="new")
    with pytest.raises(IllegalTransitionError, match="restored is not possible in phase PENDING"):
        index.publish("a", event=Event.RESTORED, cause="odd", owner="eve")
    assert index.workspace("a") == row
    assert index.generation() == row.generation


def test_what_changes_nothing_writes_nothing(index: Index, clock: Clock) -> None:
    row = index.publish("a", cause="new", owner="alice")
    clock.tick(seconds=1)
    assert index.publish("a", cause="same again", owner="alice", request_id="r") == row
    assert index.publish("a", event=Event.VANISHED, cause="nothing there") == row
    assert index.generation() == row.generation


def test_each_change_raises_the_generation_of_index_and_row(index: Index) -> None:
    assert index.generation() == 0
    first = index.publish("a", cause="new")
    second = index.publish("b", cause="new")
    third = index.publish("a", cause="owner known", owner="alice")
    assert [first.generation, second.generation, third.generation] == [1, 2, 3]
    assert index.generation() == 3


def test_a_guarded_publish_refuses_what_was_read_too_early(index: Index) -> None:
    read = index.publish("a", event=Event.READY, cause="found running")
    newer = index.publish("a", event=Event.STOP, cause="bob asked")
    with pytest.raises(StaleRowError) as caught:
        index.publish("a", event=Event.STOPPED, cause="listed", if_generation=read.generation)
    assert (caught.value.expected, caught.value.found) == (read.generation, newer.generation)
    after = index.publish("a", event=Event.STOPPED, cause="done", if_generation=newer.generation)
    assert after.phase is Phase.WARM


def test_generation_zero_guards_a_new_row(index: Index) -> None:
    index.publish("a", cause="new", if_generation=0)
    with pytest.raises(StaleRowError):
        index.publish("a", cause="new", owner="eve", if_generation=0)


def test_workspaces_by_owner_in_order_of_id(index: Index) -> None:
    for workspace_id, owner in (("c", "alice"), ("a", "alice"), ("b", "bob")):
        index.publish(workspace_id, cause="new", owner=owner)
    assert [row.id for row in index.workspaces()] == ["a", "b", "c"]
    assert [row.id for row in index.workspaces(owner="alice")] == ["a", "c"]
    assert index.workspaces(owner="nobody") == []
    assert index.workspace("nope") is None


def test_history_says_who_and_why_newest_first(index: Index, clock: Clock) -> None:
    index.publish("a", event=Event.READY, cause="found running", revision="abc123")
    later = clock.tick(minutes=1)
    index.publish("a", event=Event.STOP, cause="asked", actor="alice", request_id="r-1")
    stop, made = index.history("a")
    assert (stop.from_phase, stop.to_phase, stop.event) == (Phase.RUNNING, Phase.STOPPING, "stop")
    assert (stop.cause, stop.actor, stop.request_id, stop.at) == ("asked", "alice", "r-1", later)
    assert (made.from_phase, made.to_phase, made.revision) == (None, Phase.RUNNING, "abc123")
    assert index.history("a", limit=1) == [stop]


def test_history_is_bounded_per_workspace(index: Index) -> None:
    index.publish("other", cause="new")
    for _ in range(HISTORY_BOUND // 2 + 5):
        index.publish("a", event=Event.READY, cause="up")
        index.publish("a", event=Event.STOPPED, cause="down")
    kept = index.history("a", limit=10 * HISTORY_BOUND)
    assert len(kept) == HISTORY_BOUND
    assert kept[0].to_phase is Phase.WARM
    assert len(index.history("other")) == 1


def test_a_forgotten_row_leaves_its_history_and_begins_anew(index: Index) -> None:
    index.publish("a", event=Event.READY, cause="up", owner="alice")
    before = index.generation()
    assert index.forget("a", "purged")
    assert index.workspace("a") is None
    assert index.generation() == before + 1
    gone = index.history("a")[0]
    assert (gone.from_phase, gone.to_phase, gone.cause) == (Phase.RUNNING, None, "purged")
    assert not index.forget("a", "again")
    assert index.generation() == before + 1
    assert index.publish("a", cause="back").phase is Phase.PENDING


def test_forgetting_drops_what_is_said_of_others_long_gone(index: Index, clock: Clock) -> None:
    for workspace_id in ("old", "kept", "young"):
        index.publish(workspace_id, cause="new")
    index.request("old", "start", actor="alice", request_id="r")
    index.forget("old", "purged")
    clock.tick(days=FORGOTTEN.days + 1)
    index.forget("young", "purged")
    assert index.history("old") == []
    assert len(index.history("kept")) == 1
    assert len(index.history("young")) == 1, "its newest row is young"


def test_generation_is_read_within_a_tenth_of_a_millisecond(index: Index, engine: str) -> None:
    """On PostgreSQL it is a question to a server: within half a millisecond."""
    index.publish("a", cause="new")
    index.generation()
    fastest = min(_timed(index, 200) for _ in range(20))
    assert fastest < (0.0001 if engine == "sqlite" else 0.0005)


def _timed(index: Index, count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        index.generation()
    return (time.perf_counter() - began) / count


def test_histories_of_many_are_those_of_each(index: Index) -> None:
    many = [f"ws-{number}" for number in range(past.MOST_NAMED + 1)]
    for id_ in (many[0], many[-1]):
        index.publish(id_, event=Event.PROVISION, cause="new", owner="alice")
        index.publish(id_, event=Event.FAILED, cause="no")
    found = index.histories(many)
    assert found == {id_: index.history(id_) for id_ in many}
    assert [row.to_phase for row in found[many[-1]]] == [Phase.ERROR, Phase.PROVISIONING]
    assert index.histories(()) == {}


def test_what_happened_before_is_written_with_it(index: Index) -> None:
    index.publish("alice-api", event=Event.BOOTING, cause="up")
    index.publish("alice-api", event=Event.READY, cause="up")
    row = index.publish("alice-api", event=Event.START, after=[Event.STOPPED], cause="by hand")
    assert row.phase is Phase.STARTING
    told = [(line.from_phase, line.to_phase) for line in index.history("alice-api")][:2]
    assert told == [(Phase.WARM, Phase.STARTING), (Phase.RUNNING, Phase.WARM)]


def test_nothing_is_written_of_what_can_not_be_written_whole(index: Index) -> None:
    """Half of it would be a phase of its own: a container that is to run would rest for good."""
    index.publish("alice-api", event=Event.BOOTING, cause="up")
    before = index.publish("alice-api", event=Event.READY, cause="up")
    history = index.history("alice-api")
    with pytest.raises(IllegalTransitionError):
        index.publish("alice-api", event=Event.PURGED, after=[Event.STOPPED], cause="by hand")
    assert index.workspace("alice-api") == before
    assert index.history("alice-api") == history
    assert index.generation() == before.generation
