"""When a commit counts as applied, and what is told of one that is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from spec import Problem, WorkspaceSpec
from stacks.git.commits import LATE, Judgement, at_commit, judged
from stacks.source import Snapshot
from state_index.models import Published, utc_now
from state_index.phases import Phase, Sync

SPEC = WorkspaceSpec(id="one", owner="alice", image="light")
SHA = "0123456789abcdef" * 2 + "01234567"
SNAPSHOT = Snapshot(specs={"one": SPEC}, commit=SHA)
DONE = Published(
    id="one",
    owner="alice",
    phase=Phase.RUNNING,
    sync=Sync.SYNCED,
    spec_json=SPEC.model_dump_json(),
    desired_hash="h",
    applied_hash="h",
)
DRIFT = ({"field": "memory", "wanted": "4Gi", "found": "8Gi"},)


def judge(
    *rows: Published, snapshot: Snapshot = SNAPSHOT, busy: str = "", prunes: bool = True
) -> Judgement:
    by_id = {row.id: row for row in rows}
    return judged(snapshot, by_id, is_busy=lambda id_: id_ == busy, prunes=prunes)


@pytest.mark.parametrize(
    "row",
    [
        DONE,
        replace(DONE, phase=Phase.WARM),
        replace(DONE, sync=Sync.OUT_OF_SYNC, drift=DRIFT),
    ],
)
def test_applied(row: Published) -> None:
    assert judge(row).applied


@pytest.mark.parametrize(
    "row",
    [
        replace(DONE, phase=Phase.STARTING),
        replace(DONE, sync=Sync.OUT_OF_SYNC),
        replace(DONE, sync=Sync.OUT_OF_SYNC, drift=DRIFT, applied_hash="former"),
        replace(DONE, spec_json="{}"),
        replace(DONE, phase=Phase.ERROR, message="away", retry_at=utc_now() + timedelta(days=1)),
        replace(DONE, phase=Phase.UNKNOWN),
    ],
)
def test_waited_for(row: Published) -> None:
    assert judge(row) == Judgement(("one",), {})


def test_without_a_row_or_under_work_it_is_waited_for() -> None:
    assert judge() == judge(DONE, busy="one") == Judgement(("one",), {})


def test_failures_are_told() -> None:
    row = replace(DONE, phase=Phase.ERROR, reason="IMAGE_MISSING", message="no image light")
    assert judge(row) == Judgement((), {"one": "no image light"})
    assert judge(replace(row, message="")).failures == {"one": "IMAGE_MISSING"}
    problem = Problem("ws/two.yaml", 3, 5, "image", "is missing", "name one")
    snapshot = replace(SNAPSHOT, invalid={"two": (problem,), "three": ()})
    found = judge(DONE, snapshot=snapshot)
    assert found.failures == {"three": "invalid", "two": "ws/two.yaml:3:5: is missing"}
    assert not found.applied


def test_what_a_rule_refuses_of_one_that_stands_is_a_failure() -> None:
    """Nobody works on it: it goes on by its former file until someone changes one."""
    refused = replace(DONE, spec_json="{}", sync=Sync.OUT_OF_SYNC, message="no-root: no")
    for phase in (Phase.RUNNING, Phase.WARM, Phase.PENDING):
        assert judge(replace(refused, phase=phase)) == Judgement((), {"one": "no-root: no"})
    assert judge(refused, busy="one") == Judgement(("one",), {})
    assert judge(replace(refused, phase=Phase.UPDATING)) == Judgement(("one",), {})


def test_what_a_running_one_outlived_is_a_failure() -> None:
    """It is RUNNING all the same, by its former container."""
    failed = replace(DONE, sync=Sync.OUT_OF_SYNC, reason="IMAGE_MISSING", message="no image light")
    assert judge(failed).failures == {"one": "no image light"}
    assert judge(replace(failed, retry_at=utc_now())) == Judgement(("one",), {})


def test_one_whose_container_is_gone_and_only_reported_waits_for_a_person() -> None:
    spec = SPEC.model_copy(update={"drift": "report"})
    gone = replace(DONE, phase=Phase.PENDING, sync=Sync.OUT_OF_SYNC, drift=DRIFT)
    row = replace(gone, spec_json=spec.model_dump_json())
    (told,) = judge(row, snapshot=replace(SNAPSHOT, specs={"one": spec})).failures.values()
    assert told.startswith("another hand removed its container")
    assert judge(gone) == Judgement(("one",), {}), "it is made again"


def test_an_attempt_that_never_came_is_not_waited_for() -> None:
    row = replace(DONE, phase=Phase.ERROR, message="away", retry_at=utc_now() - 2 * LATE)
    assert judge(row).failures == {"one": "away"}
    assert judge(DONE, replace(row, id="old")).failures == {"old": "away"}
    assert judge(DONE, replace(row, id="old", retry_at=utc_now())).waiting == ("old",)


def test_what_is_to_go_must_be_gone() -> None:
    left = replace(DONE, id="old", message="its file is gone, but it is kept")
    assert judge(DONE, left).failures == {"old": "its file is gone, but it is kept"}
    assert judge(DONE, replace(left, message="")).failures.keys() == {"old"}
    assert judge(DONE, left, prunes=False).applied
    assert judge(DONE, replace(left, phase=Phase.TOMBSTONED)).applied
    assert judge(DONE, left, busy="old") == Judgement(("old",), {})
    assert judge(DONE, replace(left, phase=Phase.DELETING)).waiting == ("old",)


def test_what_was_renamed_is_not_left_behind() -> None:
    spec = SPEC.model_copy(update={"formerly": "old"})
    snapshot = Snapshot(specs={"one": spec}, commit=SHA)
    row = replace(DONE, spec_json=spec.model_dump_json())
    assert judge(row, replace(DONE, id="old"), snapshot=snapshot).applied


def test_a_cause_names_the_commit_that_a_folder_has_not() -> None:
    assert at_commit(SNAPSHOT) == " (commit 0123456789ab)"
    assert at_commit(Snapshot()) == ""
