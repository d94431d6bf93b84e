"""Edits are asked for by anyone, one a workspace at a time, taken once, and ended by the leader alone."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier

import pytest

from state_index.edits import MOST_LIVE, Edit
from state_index.errors import (
    EditsManyError,
    EditWaitsError,
    LeaseLostError,
    UnknownOperationError,
)
from state_index.index import Index
from state_index.phases import Event
from state_index.pruning import FORGOTTEN, INTENT_BOUND
from state_index.retention import Retention
from tests.state_index.clock import Clock

BLOB = "b" * 40
TEXT = "owner: alice  # \N{SNOWMAN}\nimage: base\n"


def ask(index: Index, workspace_id: str = "a", *, actor: str = "alice") -> Edit:
    return index.edits.ask(workspace_id, "change", actor=actor, base=BLOB, text=TEXT)


def test_an_edit_says_who_when_what_and_on_which_file(index: Index, clock: Clock) -> None:
    edit = index.edits.ask(
        "a",
        "delete",
        actor="alice",
        base=BLOB,
        text=None,
        message="Not\nused",
        admin=True,
        request_id="r",
    )
    assert edit == Edit(
        id=edit.id,
        workspace_id="a",
        action="delete",
        actor="alice",
        base=BLOB,
        text=None,
        message="Not\nused",
        admin=True,
        request_id="r",
        created_at=clock(),
        status="open",
    )
    assert len(edit.id) == 32
    assert index.edits.get(edit.id) == index.edits.pending("a") == edit
    assert index.edits.get("f" * 32) is None
    assert index.edits.pending("b") is None


def test_a_file_is_kept_as_it_came(index: Index) -> None:
    text = "# über\r\n\towner: alice   \n\n"
    edit = index.edits.ask("a", "create", actor="alice", base="", text=text)
    [taken] = index.edits.take()
    assert (taken.id, taken.text, taken.status) == (edit.id, text, "taken")


def test_one_edit_of_a_workspace_at_a_time(index: Index) -> None:
    first = ask(index)
    with pytest.raises(EditWaitsError, match="a: another change") as caught:
        ask(index, actor="bob")
    assert (caught.value.workspace_id, caught.value.edit_id) == ("a", first.id)
    assert ask(index, "b").status == "open"
    index.edits.take()
    with pytest.raises(EditWaitsError):
        ask(index)
    index.edits.finish(first.id, commit="c" * 40)
    assert ask(index).status == "open"


def test_of_many_who_ask_at_once_one_gets_through(url: str) -> None:
    barrier = Barrier(6)

    def one(number: int) -> str:
        with Index.open(url) as index:
            barrier.wait(30)
            try:
                return ask(index, actor=f"u{number}").id
            except EditWaitsError:
                return ""

    Index.migrate(url)
    with ThreadPoolExecutor(6) as pool:
        answers = [answer for answer in pool.map(one, range(6)) if answer]
    with Index.open(url) as index:
        assert [edit.id for edit in index.edits.take()] == answers
    assert len(answers) == 1


def test_one_user_has_a_few_at_once_also_through_several_gateways(url: str) -> None:
    Index.migrate(url)
    barrier = Barrier(4)

    def some(gateway: int) -> list[str]:
        made = []
        with Index.open(url) as index:
            barrier.wait(30)
            for number in range(3):
                with suppress(EditsManyError):
                    made.append(ask(index, f"w{gateway}-{number}").workspace_id)
        return made

    with ThreadPoolExecutor(4) as pool:
        made = [id_ for ids in pool.map(some, range(4)) for id_ in ids]
    assert len(made) == MOST_LIVE
    with Index.open(url) as index:
        with pytest.raises(EditsManyError, match="alice has 5 changes under way") as caught:
            ask(index, "another")
        assert caught.value.code == "TOO_MANY_EDITS"
        assert ask(index, "another", actor="bob").status == "open", "others wait for nobody"
        first, *_ = index.edits.take()
        index.edits.finish(first.id)
        assert ask(index, "another-one").status == "open"


def test_words_that_no_database_takes_are_made_harmless(index: Index) -> None:
    odd, plain = "a\0b\ud800c", "a?b?c"
    edit = index.edits.ask(
        "a", "change", actor="alice", base=BLOB, text=TEXT, message=odd, request_id=odd
    )
    assert (edit.message, edit.request_id) == (plain, plain)
    assert index.edits.get(edit.id) == edit
    index.edits.finish(edit.id, commit=odd + "c" * 64, url=odd, code=odd + "C" * 64, error=odd)
    ended = index.edits.get(edit.id)
    assert ended is not None
    assert (ended.url, ended.error, ended.status) == (plain, plain, "failed")
    assert (len(ended.commit), len(ended.code)) == (64, 64)


def test_edits_are_taken_once_oldest_first(index: Index) -> None:
    for workspace_id in ("c", "a", "b"):
        ask(index, workspace_id)
    assert [edit.workspace_id for edit in index.edits.take(2)] == ["c", "a"]
    assert [edit.workspace_id for edit in index.edits.take(2)] == ["b"]
    assert index.edits.take(2) == []


def test_an_edit_ends_once_with_its_outcome(index: Index) -> None:
    good = ask(index)
    index.edits.finish(good.id, commit="c" * 40, url="https://forge.example.org/1")
    index.edits.finish(good.id, code="LATE", error="too late")
    bad = ask(index)
    index.edits.finish(bad.id, code="EDIT_CONFLICT", error="bob changed it: look again")
    read = [index.edits.get(edit.id) for edit in (good, bad)]
    assert [(one.status, one.commit, one.url, one.code, one.error) for one in read if one] == [
        ("done", "c" * 40, "https://forge.example.org/1", "", ""),
        ("failed", "", "", "EDIT_CONFLICT", "bob changed it: look again"),
    ]
    assert [edit.id for edit in index.edits.newest("a")] == [bad.id, good.id]
    assert [edit.id for edit in index.edits.newest("a", 1)] == [bad.id]
    with pytest.raises(UnknownOperationError):
        index.edits.finish("f" * 32)


def test_a_new_runner_takes_again_what_the_former_left(index: Index) -> None:
    left = ask(index)
    done = ask(index, "b")
    index.edits.take()
    index.edits.finish(done.id)
    assert index.edits.reopen() == 1
    assert [edit.id for edit in index.edits.take()] == [left.id]


def test_a_former_leader_ends_none_but_anyone_may_ask(url: str) -> None:
    with Index.open(url) as index:
        lease = index.lease("one")
        former = lease.acquire()
        assert former is not None
        lease.release()
        assert index.lease("two").acquire() is not None
        old = index.under(former)
        edit = ask(old)
        for write in (old.edits.take, old.edits.reopen, lambda: old.edits.finish(edit.id)):
            with pytest.raises(LeaseLostError):
                write()
        assert index.edits.get(edit.id) == edit


def test_ended_edits_are_bounded_and_open_ones_stay(index: Index, clock: Clock) -> None:
    ids = []
    for _ in range(INTENT_BOUND + 3):
        ids.append(ask(index).id)
        index.edits.finish(ids[-1])
    open_one = ask(index)
    assert [one for one in ids if index.edits.get(one)] == ids[3:]
    kept = Retention(operation_rows=5)
    assert index.records.beyond(kept) == INTENT_BOUND - 5
    while index.records.prune(kept, limit=50):
        pass
    assert [edit.id for edit in index.edits.newest("a")] == [open_one.id, *reversed(ids[-5:])]
    clock.tick(days=100)
    assert index.records.prune(Retention(), limit=50) == 5
    assert [edit.id for edit in index.edits.newest("a")] == [open_one.id]


def test_of_a_file_that_is_no_workspace_old_ended_edits_go_and_open_ones_stay(
    index: Index, clock: Clock
) -> None:
    ended = ask(index, "gone")
    index.edits.finish(ended.id)
    open_one = ask(index, "new")
    index.publish("other", event=Event.PROVISION, cause="made")
    clock.tick(days=(FORGOTTEN + timedelta(days=1)).days)
    index.forget("other", "its end")
    assert index.edits.get(ended.id) is None
    assert index.edits.get(open_one.id) == open_one
