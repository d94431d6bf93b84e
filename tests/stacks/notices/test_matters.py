"""What the rows say is the matter."""

import pytest

from stacks.errors import ImageMissingError
from stacks.notices.matters import MOST_EXTRA, WORKED_ON, Matter, scene
from stacks.notices.model import LONGEST, Kind
from state_index.models import Published
from state_index.phases import Phase, Sync
from tests.stacks.notices.scenes import START, at, drifted, failed, notice, row


def only(found: Published) -> Matter:
    (matter,) = scene([found]).matters.values()
    return matter


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.WARM, Phase.COLD, Phase.TOMBSTONED])
def test_nothing_is_the_matter_with_what_is_at_rest(phase: Phase) -> None:
    seen = scene([row(phase=phase)])
    assert (seen.matters, seen.unclear) == ({}, frozenset())


@pytest.mark.parametrize("phase", sorted(WORKED_ON))
def test_what_is_worked_on_is_unclear(phase: Phase) -> None:
    seen = (
        scene([drifted(phase=phase)]) if phase is not Phase.DELETING else scene([row(phase=phase)])
    )
    assert seen.matters == {}
    assert seen.unclear == {(Kind.FAILURE, "alice-api"), (Kind.DRIFT, "alice-api")}


def test_what_waits_for_its_turn_may_still_fail_and_its_drift_is_known() -> None:
    assert scene([row(phase=Phase.PENDING)]).unclear == {(Kind.FAILURE, "alice-api")}
    assert only(drifted(phase=Phase.PENDING)).key == (Kind.DRIFT, "alice-api")


def test_a_lasting_failure_comes_with_its_remedy_apart() -> None:
    remedy = ImageMissingError.default_remedy
    found = only(failed(message=f"there is no image none:1. {remedy}"))
    assert (found.passing, found.fingerprint) == (False, "IMAGE_MISSING")
    told = found.notice
    assert (told.kind, told.workspace, told.owner) == (Kind.FAILURE, "alice-api", "alice")
    assert (told.phase, told.reason, told.since) == ("ERROR", "IMAGE_MISSING", START)
    assert (told.message, told.remedy) == ("there is no image none:1", remedy)


def test_a_remedy_of_its_own_stays_in_the_message() -> None:
    told = only(failed(message="no. Ask Bob")).notice
    assert (told.message, told.remedy) == ("no. Ask Bob", "")
    assert only(failed(reason="ODD_ONE", message="no")).notice.message == "no"


def test_what_is_tried_again_or_out_of_reach_may_pass() -> None:
    assert only(failed(retry_at=at(5))).passing
    assert only(row(phase=Phase.UNKNOWN, reason="ENGINE_UNAVAILABLE")).passing
    assert only(row(phase=Phase.UNKNOWN)).notice.reason == "UNKNOWN"


def test_one_that_runs_and_says_what_is_wrong_is_told_of() -> None:
    assert only(row(reason="MEMORY_IN_USE", message="m")).notice.phase == "RUNNING"


def test_a_wrong_file_comes_before_the_phase() -> None:
    problems = tuple({"line": n, "message": f"wrong {n}"} for n in range(1, 6))
    found = only(failed(sync=Sync.INVALID, problems=problems))
    assert (found.notice.reason, found.passing) == ("INVALID_FILE", False)
    assert found.notice.message == "line 1: wrong 1; line 2: wrong 2; line 3: wrong 3; 2 more"
    assert "codehub validate" in found.notice.remedy
    assert only(row(sync=Sync.INVALID)).notice.message == "its file has errors"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("env.DB_PASSWORD", "must be text, not 424242"),
        ("image", "`https://me:424242@host.example/a` is not an image reference"),
        ("image", "`host.example/a?key=424242` is not an image reference"),
        ("state", "`Bearer 424242424242` is not a state"),
    ],
)
def test_no_secret_leaves_with_what_is_wrong_with_a_file(key: str, message: str) -> None:
    problems = ({"line": 3, "key": key, "message": message},)
    told = only(failed(sync=Sync.INVALID, problems=problems)).notice.message
    assert told.startswith("line 3: ")
    assert "424242" not in told


def test_drift_that_is_reported_is_told_at_once_and_healed_drift_when_it_lasts() -> None:
    found = only(drifted(updated_at=at(7)))
    assert (found.notice.reason, found.notice.message) == ("DRIFT", "pids 128 → 999")
    assert (found.notice.remedy, found.notice.since) == (
        "`codehub up {id}` heals it.".format(id="alice-api"),
        at(7),
    )
    assert not found.passing
    for spec in ('{"drift": "heal"}', "", "[]"):
        assert only(drifted(spec_json=spec)).passing
    assert only(drifted(found="1")).fingerprint != found.fingerprint


def test_drift_that_stays_is_none_and_out_of_reach_it_is_unclear() -> None:
    assert scene([drifted(stays=True)]).matters == {}
    assert scene([drifted(phase=Phase.UNKNOWN)]).unclear == {(Kind.DRIFT, "alice-api")}
    assert (Kind.DRIFT, "alice-api") in scene([drifted(phase=Phase.ERROR, reason="X")]).unclear


def test_what_another_source_tells_is_heeded_within_bounds() -> None:
    wanted = [
        Matter(notice=notice(f"w{n}", kind=Kind.APPROVAL), fingerprint="h")
        for n in range(MOST_EXTRA + 5)
    ]
    seen = scene([failed()], wanted)
    assert len(seen.matters) == MOST_EXTRA + 1
    assert (Kind.APPROVAL, "w0") in seen.matters


def test_no_password_leaves_and_no_text_is_endless() -> None:
    told = only(
        failed(message="pull of https://bob:hunter2@registry.example failed " + "x" * 5000)
    ).notice
    assert "hunter2" not in told.message
    assert len(told.message) == LONGEST
