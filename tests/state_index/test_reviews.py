"""What was said of pull requests is kept a while; approvals are anybody's, what is held the leader's."""

from dataclasses import replace

import pytest

from state_index.errors import LeaseLostError
from state_index.index import Index
from state_index.reviews import MOST_APPROVALS, Approval, Held, Reviewed, Told
from tests.state_index.clock import Clock

HEAD, BASE = "a" * 40, "b" * 40
SAID = Reviewed(
    number=7, head=HEAD, base=BASE, change_set={"format": 1, "hash": "x"}, posted="c" * 64
)
HELD = Held(workspace_id="one", base=BASE, commit=HEAD, hash="sha256:1", message="delete: why")
YES = Approval(commit=HEAD, workspace_id="one", hash="sha256:1", who="carol", why="we said so")


def test_what_was_said_of_a_pull_request_is_its_newest(index: Index, clock: Clock) -> None:
    assert index.reviews.said(7) is None
    index.reviews.say(SAID)
    newer = replace(SAID, head="d" * 40, change_set={"format": 1, "hash": "y"}, trailer=True)
    index.reviews.say(newer)
    assert index.reviews.said(7) == replace(newer, at=clock())
    clock.tick(days=91)
    index.reviews.say(replace(SAID, number=8))
    assert index.reviews.said(7) is None
    assert index.reviews.said(8) is not None


def test_what_was_said_is_kept_while_its_pull_request_is_open(index: Index, clock: Clock) -> None:
    began = clock()
    for number in (7, 8):
        index.reviews.say(replace(SAID, number=number))
    clock.tick(days=80)
    index.reviews.keep([7, 100])
    clock.tick(days=80)
    index.reviews.say(replace(SAID, number=9))
    found = index.reviews.said(7)
    assert found is not None
    assert (replace(found, at=began), index.reviews.said(8)) == (replace(SAID, at=began), None)
    index.reviews.keep([])
    assert index.reviews.said(100) is None
    clock.tick(days=11)
    index.reviews.say(replace(SAID, number=9))
    assert index.reviews.said(7) is None


def test_a_trailer_is_noted_of_what_was_said_and_of_what_was_not(
    index: Index, clock: Clock
) -> None:
    index.reviews.say(SAID)
    index.reviews.mark_trailer(7)
    assert index.reviews.said(7) == replace(SAID, trailer=True, at=clock())
    for _ in range(2):
        index.reviews.mark_trailer(8)
    found = index.reviews.said(8)
    assert found is not None
    assert (found.head, found.change_set, found.trailer) == ("", {}, True)


def test_what_is_held_keeps_its_time(index: Index, clock: Clock) -> None:
    began = clock()
    index.reviews.hold([HELD, replace(HELD, workspace_id="two", passing=True)])
    clock.tick(hours=1)
    index.reviews.hold([replace(HELD, message="other words")])
    (found,) = index.reviews.holds()
    assert (found.message, found.since, found.passing) == ("other words", began, False)
    assert index.reviews.base() == ("", "")
    index.reviews.hold([], place="main of x", commit=HEAD)
    assert index.reviews.holds() == []
    assert index.reviews.base() == ("main of x", HEAD)


def test_what_the_forge_was_told_is_kept_while_something_is_held(
    index: Index, clock: Clock
) -> None:
    told = Told(commit=HEAD, words="1", workspaces=frozenset({"one", "two"}))
    index.reviews.tell(told)
    index.reviews.tell(replace(told, words="2"))
    other = replace(told, commit=BASE)
    clock.tick(days=60)
    index.reviews.tell(other)
    assert index.reviews.told() == {HEAD: replace(told, words="2"), BASE: other}
    index.reviews.tell(replace(other, workspaces=frozenset()))
    assert index.reviews.told().keys() == {HEAD}
    clock.tick(days=31)
    index.reviews.tell(other)
    assert index.reviews.told().keys() == {BASE}


def test_approvals_are_the_newest_first_and_end(index: Index, clock: Clock) -> None:
    index.reviews.approve(YES)
    index.reviews.approve(replace(YES, who="dave"))
    assert [each.who for each in index.reviews.approvals()] == ["dave", "carol"]
    assert index.reviews.approvals()[1] == replace(YES, at=clock())
    clock.tick(days=91)
    index.reviews.approve(replace(YES, who="eve"))
    assert [each.who for each in index.reviews.approvals()] == ["eve"]


def test_there_are_never_very_many_approvals(index: Index) -> None:
    for number in range(MOST_APPROVALS + 3):
        index.reviews.approve(replace(YES, why=str(number)))
    found = index.reviews.approvals()
    assert (len(found), found[-1].why) == (MOST_APPROVALS, "3")


def test_what_the_runner_committed_for_somebody_is_known_by_its_commit(index: Index) -> None:
    edit = index.edits.ask("one", "delete", actor="alice", base="e" * 40, text=None)
    other = index.edits.ask("two", "delete", actor="alice", base="e" * 40, text=None)
    assert index.reviews.edited([HEAD, ""]) == {}
    index.edits.finish(edit.id, commit=HEAD)
    index.edits.finish(other.id, commit=BASE, code="EDIT_CONFLICT")
    assert index.reviews.edited([HEAD, BASE, ""]) == {HEAD: {"one"}}


def test_a_former_leader_says_nothing_and_still_may_approve(index: Index) -> None:
    first = index.lease("first")
    grant = first.acquire()
    assert grant is not None
    former = index.under(grant)
    first.release()
    assert index.lease("second").acquire() is not None
    with pytest.raises(LeaseLostError):
        former.reviews.say(SAID)
    with pytest.raises(LeaseLostError):
        former.reviews.mark_trailer(7)
    with pytest.raises(LeaseLostError):
        former.reviews.keep([7])
    with pytest.raises(LeaseLostError):
        former.reviews.hold([HELD])
    former.reviews.approve(YES)
    assert (index.reviews.said(7), index.reviews.holds()) == (None, [])
    assert len(index.reviews.approvals()) == 1
