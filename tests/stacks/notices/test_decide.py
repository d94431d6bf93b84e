"""What is told of what is the matter: once, when it lasts, and its end only when it was told."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.notices.decide import MOST_TOLD, Decided, Episode, decide
from stacks.notices.matters import Key, Matter, scene
from stacks.notices.model import Kind, Notice
from state_index.models import Published
from state_index.phases import Phase, Sync
from tests.stacks.notices.scenes import at, drifted, failed, notice, row

AFTER = timedelta(seconds=120)


class Told:
    """What one sink gets, from round to round."""

    def __init__(self) -> None:
        self.episodes: dict[Key, Episode] = {}

    def see(self, *rows: Published, now: float = 0, extra: Iterable[Matter] = ()) -> list[Notice]:
        done: Decided = decide(self.episodes, scene(rows, extra), now=at(now), after=AFTER)
        self.episodes = dict(done.episodes)
        return list(done.notices)

    def kinds(self, *rows: Published, now: float = 0) -> list[tuple[str, str]]:
        return [(str(one.kind), one.reason) for one in self.see(*rows, now=now)]


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_lasting_failure_is_told_once_and_its_end_once(told: Told) -> None:
    assert told.kinds(failed()) == [("failure", "IMAGE_MISSING")]
    assert told.kinds(failed(), now=5000) == []
    assert told.kinds(row(phase=Phase.UPDATING), now=5001) == []
    (end,) = told.see(row(), now=5002)
    assert (end.kind, end.reason, end.message) == (Kind.RECOVERED, "IMAGE_MISSING", "it is RUNNING")
    assert told.kinds(row(), now=5003) == []
    assert told.episodes == {}


def test_one_that_is_gone_has_recovered_too(told: Told) -> None:
    told.see(failed())
    (end,) = told.see(now=1)
    assert (end.owner, end.phase, end.message) == ("alice", "", "it is not there any more")


def test_what_is_tried_again_is_told_when_it_lasts_whatever_it_is_between(told: Told) -> None:
    assert told.kinds(failed(retry_at=at(2))) == []
    assert told.kinds(row(phase=Phase.UPDATING), now=60) == []
    assert told.kinds(failed(retry_at=at(90), since=at(80)), now=119) == []
    (one,) = told.see(failed(retry_at=at(130), since=at(110)), now=120)
    assert one.since == at(0)
    assert told.kinds(row(), now=130) == [("recovered", "IMAGE_MISSING")]


def test_what_passed_before_it_was_told_is_never_told(told: Told) -> None:
    told.see(failed(retry_at=at(2)))
    assert told.kinds(row(), now=100) == []
    assert told.kinds(failed(retry_at=at(102), since=at(100)), now=130) == []


def test_another_reason_is_told_and_the_first_one_not_again(told: Told) -> None:
    assert told.kinds(failed()) == [("failure", "IMAGE_MISSING")]
    assert told.kinds(failed(reason="HOME_MISSING")) == [("failure", "HOME_MISSING")]
    assert told.kinds(failed()) == []
    assert told.kinds(row()) == [("recovered", "HOME_MISSING")]


def test_reasons_without_end_are_not_all_remembered(told: Told) -> None:
    for number in range(3 * MOST_TOLD):
        assert len(told.see(failed(reason=f"R{number}"))) == 1
    (episode,) = told.episodes.values()
    assert len(episode.told) == MOST_TOLD


def test_all_that_an_engine_took_along_is_told_together(told: Told) -> None:
    away = [
        row(f"w{n}", Phase.UNKNOWN, reason="ENGINE_UNAVAILABLE", since=at(n / 10))
        for n in range(50)
    ]
    assert told.see(*away, now=119) == []
    assert len(told.see(*away, now=120)) == 50
    assert told.see(*away, now=500) == []


def test_drift_is_told_by_what_differs_and_that_it_ended(told: Told) -> None:
    assert told.kinds(drifted()) == [("drift", "DRIFT")]
    assert told.kinds(drifted(), now=900) == []
    assert told.kinds(drifted(found="777")) == [("drift", "DRIFT")]
    assert told.kinds(row(phase=Phase.UPDATING)) == []
    assert told.kinds(row()) == [("drift-ended", "DRIFT")]


def test_drift_that_is_healed_at_once_is_not_told(told: Told) -> None:
    assert told.kinds(drifted(spec_json="{}")) == []
    assert told.kinds(row(), now=3) == []


def test_approval_wanted_is_told_once_for_each_change_and_its_end_not(told: Told) -> None:
    def wanted(change: str) -> Matter:
        return Matter(notice=notice(kind=Kind.APPROVAL, reason="APPROVAL"), fingerprint=change)

    assert [one.kind for one in told.see(extra=[wanted("a1")])] == [Kind.APPROVAL]
    assert told.see(extra=[wanted("a1")], now=9000) == []
    assert len(told.see(extra=[wanted("b2")])) == 1
    assert told.see() == []


def test_a_clock_that_is_put_back_makes_nothing_older(told: Told) -> None:
    told.see(failed(retry_at=at(2)), now=0)
    assert told.kinds(failed(retry_at=at(2)), now=-1000) == []
    assert told.kinds(failed(retry_at=at(2)), now=-900) == []
    assert told.kinds(failed(retry_at=at(2)), now=-880) == [("failure", "IMAGE_MISSING")]


# All histories: what was told is told again only after its end, an end only after what it ends.

RESTS = st.sampled_from(
    [
        row(),
        row(phase=Phase.WARM),
        row(phase=Phase.UPDATING),
        row(phase=Phase.PENDING),
        row(phase=Phase.UNKNOWN, reason="ENGINE_UNAVAILABLE"),
        row(sync=Sync.INVALID),
        failed(),
        failed(retry_at=at(1)),
        failed(reason="HOME_MISSING"),
        drifted(),
        drifted(found="1", phase=Phase.WARM),
        drifted(spec_json="{}"),
        None,
    ]
)


@given(st.lists(st.tuples(RESTS, st.floats(0, 200)), max_size=40))
def test_never_twice_and_no_end_of_what_was_not_told(
    steps: list[tuple[Published | None, float]],
) -> None:
    told, now, open_ = Told(), 0.0, dict[Kind, set[str]]()
    ends = {Kind.RECOVERED: Kind.FAILURE, Kind.DRIFT_ENDED: Kind.DRIFT}
    for found, passed in steps:
        now += passed
        for one in told.see(*([found] if found else []), now=now):
            if one.kind in ends:
                assert open_.pop(ends[one.kind], None)
                continue
            mark = one.message if one.kind is Kind.DRIFT else one.reason
            assert mark not in open_.setdefault(one.kind, set())
            open_[one.kind].add(mark)
    assert {key[0] for key, one in told.episodes.items() if one.told} == open_.keys()


@given(st.lists(st.tuples(RESTS, st.floats(0, 200)), max_size=40))
def test_at_the_end_of_any_history_all_that_lasts_is_told(
    steps: list[tuple[Published | None, float]],
) -> None:
    told, now = Told(), 0.0
    for found, passed in steps:
        now += passed
        told.see(*([found] if found else []), now=now)
    told.see(failed(retry_at=at(1)), now=now)
    told.see(failed(retry_at=at(1)), now=now + 120)
    assert "IMAGE_MISSING" in told.episodes[Kind.FAILURE, "alice-api"].told
