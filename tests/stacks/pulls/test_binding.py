"""A commit is held to what was said of its pull requests: on real git, a real index, and a forge's API."""

from dataclasses import replace

import pytest

from forges.errors import ForgeError
from stacks.board import Context
from stacks.git.commits import judged
from stacks.pulls import brought
from stacks.pulls.source import BoundSource
from stacks.source import Snapshot
from state_index.models import Changes
from state_index.phases import Event
from state_index.reviews import Approval
from tests.forges.server import Reply
from tests.stacks.pulls.conftest import Room, file

GONE: dict[str, bytes | None] = {"ws/two.yaml": None}


async def follows(room: Room) -> BoundSource:
    """A source whose first commit counts already: of that, nothing is held."""
    source = room.bound()
    first = await source.read()
    assert (len(first.holds), set(first.specs)) == (0, {"one", "two", "three"})
    await room.took(first)
    return source


async def look(room: Room, source: BoundSource) -> Snapshot:
    """Read as the daemon does: first without the forge, then with its word."""
    await source._inner.read()
    await room.took(await source.glance())
    if source.binding.undecided.is_set():
        assert await source.settle()
    return await room.took(await source.glance())


def approve(room: Room, *, who: str = "cli:carol") -> None:
    for held in room.index.reviews.holds():
        room.index.reviews.approve(
            Approval(
                commit=held.commit, workspace_id=held.workspace_id, hash=held.hash, who=who, why="y"
            )
        )


async def test_what_nobody_reviewed_waits_and_the_rest_goes_on(room: Room) -> None:
    source = await follows(room)
    changes = {**GONE, "ws/one.yaml": file(env="{A: b}"), "ws/three.yaml": file(state="running")}
    commit = room.repository.commit({**changes, "ws/four.yaml": file()})
    snapshot = await look(room, source)
    assert snapshot.commit == commit
    assert snapshot.holds.keys() == {"one", "two"}
    assert "delete: it was not part of what was reviewed" in snapshot.holds["two"].message
    assert "came by no pull request" in snapshot.holds["two"].message
    assert f"codehub approve {commit[:12]} two --why" in snapshot.holds["two"].remedy
    assert not snapshot.holds["two"].passing


async def test_what_was_reviewed_goes_on_however_it_was_merged(room: Room) -> None:
    source = await follows(room)
    room.pull(7, {**GONE, "ws/one.yaml": file(env="{A: b}")})
    await room.reviewed()
    room.merge(7)
    assert (await look(room, source)).holds == {}
    head = room.pull(8, {"ws/three.yaml": file(env="{A: b}")})
    await room.reviewed()
    squashed = room.repository.commit({"ws/three.yaml": file(env="{A: b}")}, message="squashed")
    room.forge.merge(8, squashed)
    assert head != squashed
    assert (await look(room, source)).holds == {}
    assert room.index.reviews.holds() == []


async def test_what_came_to_the_branch_meanwhile_is_held_alone(room: Room) -> None:
    source = await follows(room)
    room.pull(7, {"ws/one.yaml": file(env="{A: b}")})
    await room.reviewed()
    pushed = room.repository.commit(GONE)
    merge = room.merge(7)
    snapshot = await look(room, source)
    assert snapshot.holds.keys() == {"two"}
    assert f"{pushed[:12]} came by no pull request" in snapshot.holds["two"].message
    # What it says does not change with further commits that do nothing to it, nor by a restart.
    room.repository.commit({"README": b"x"})
    again = await look(room, room.bound())
    assert (again.commit != merge, set(again.holds)) == (True, {"two"})
    # Its file is back: nothing is held any more.
    room.repository.commit({"ws/two.yaml": file()})
    assert (await look(room, room.bound())).holds == {}


async def test_a_head_that_was_pushed_to_after_the_review_was_not_reviewed(room: Room) -> None:
    source = await follows(room)
    room.pull(7, {"ws/one.yaml": file(env="{A: b}")})
    await room.reviewed()
    room.pull(7, {**GONE, "ws/one.yaml": file(env="{A: c}")})
    room.merge(7)
    snapshot = await look(room, source)
    assert snapshot.holds.keys() == {"one", "two"}
    assert "nothing was said before the merge" in snapshot.holds["one"].message


async def test_an_approver_lets_it_go_on_and_nobody_else(room: Room) -> None:
    source = await follows(room)
    commit = room.repository.commit(GONE)
    assert (await look(room, source)).holds.keys() == {"two"}
    for stranger in ("cli:alice", "cli:mallory", "gitea:carol-x", "carol-x", ""):
        approve(room, who=stranger)
    assert (await source.glance()).holds.keys() == {"two"}
    (held,) = room.index.reviews.holds()
    other = Approval(commit=commit, workspace_id="two", hash="sha256:0", who="cli:carol", why="")
    room.index.reviews.approve(other)
    assert (await source.glance()).holds.keys() == {"two"}
    approve(room)
    assert (await source.glance()).holds == {}
    assert (room.index.reviews.holds(), held.commit) == ([], commit)
    assert (await room.bound().read()).holds == {}


async def test_an_approval_is_not_of_what_a_later_commit_does(room: Room) -> None:
    source = await follows(room)
    room.repository.commit({"ws/two.yaml": file(env="{A: b}")})
    await look(room, source)
    room.repository.commit({"README": b"x"})
    approve(room)  # of what happens to it, which the second commit does not change
    assert (await look(room, source)).holds == {}
    room.repository.commit(GONE)
    assert (await look(room, source)).holds.keys() == {"two"}


async def test_approvers_are_those_of_before_the_commit(room: Room) -> None:
    source = await follows(room)
    owners = b"people: {alice: {}, mallory: {}}\napprovers: [mallory]\n"
    room.repository.commit({**GONE, "ws/_owners.yaml": owners})
    await look(room, source)
    approve(room, who="cli:mallory")
    assert (await source.glance()).holds.keys() == {"two"}
    approve(room)
    assert (await source.glance()).holds == {}


@pytest.mark.parametrize(
    ("by", "trailer", "held"),
    [
        ("carol", "Codehub-Approve: all", set()),
        ("carol", "Codehub-Approve: one", {"two"}),
        ("alice", "Codehub-Approve: all", {"two"}),
    ],
)
async def test_whoever_merges_may_approve_by_a_trailer(
    room: Room, by: str, trailer: str, held: set[str]
) -> None:
    source = await follows(room)
    room.pull(7, {"ws/one.yaml": file(state="running")})
    await room.reviewed()
    room.pull(7, GONE)
    room.merge(7, message=f"merge 7\n\n{trailer}", by=by)
    assert (await look(room, source)).holds.keys() == held


async def test_where_a_push_may_count_as_a_merge_nobody_is_known_to_have_merged(room: Room) -> None:
    room.forge.takes_pushes = True
    source = await follows(room)
    room.pull(7, {"ws/one.yaml": file(state="running")})
    await room.reviewed()
    room.pull(7, GONE)
    room.merge(7, message="merge 7\n\nCodehub-Approve: all")
    assert (await look(room, source)).holds.keys() == {"two"}


async def test_a_trailer_that_the_pull_request_brought_is_nobodys(room: Room) -> None:
    source = await follows(room)
    room.pull(7, {"ws/one.yaml": file(state="running")})
    await room.reviewed()
    room.pull(7, GONE)
    room.forge.pulls[7]["body"] = "Please merge.\n\nCodehub-Approve: all"
    room.merge(7, message="merge 7\n\nCodehub-Approve: all")
    assert (await look(room, source)).holds.keys() == {"two"}


async def test_of_a_squash_no_trailer_counts(room: Room) -> None:
    source = await follows(room)
    room.pull(7, {"ws/one.yaml": file(env="{A: b}")})
    squashed = room.repository.commit(GONE, message="all in one\n\nCodehub-Approve: all")
    room.forge.merge(7, squashed)
    assert (await look(room, source)).holds.keys() == {"two"}


async def test_a_forge_that_is_down_holds_up_the_harmful_only(room: Room) -> None:
    source = await follows(room)
    room.pull(7, GONE)
    await room.reviewed()
    room.merge(7)
    room.repository.commit({"ws/four.yaml": file(), "ws/one.yaml": file(state="running")})
    room.forge.down = Reply(503, {})
    snapshot = await source.read()
    assert snapshot.holds.keys() == {"two"}
    assert snapshot.holds["two"].passing
    waiting = judged(snapshot, {}, is_busy=lambda _: False, prunes=True)
    assert ("two" in waiting.waiting, waiting.failures) == (True, {})
    await room.took(snapshot)
    with pytest.raises(ForgeError):
        await source.settle()
    assert source.binding.undecided.is_set()
    # A restart forgets nothing of it.
    again = await room.bound().glance()
    assert again.holds["two"].passing
    room.forge.down = None
    assert await source.settle()
    assert (await source.glance()).holds == {}
    assert not source.binding.undecided.is_set()


async def test_a_forge_that_does_not_know_of_a_merge_yet_is_asked_again(room: Room) -> None:
    room.grace = 60.0
    source = await follows(room)
    room.pull(7, GONE)
    await room.reviewed()
    merge = room.merge(7)
    del room.forge.merges[merge]
    await source._inner.read()
    assert (await source.glance()).holds["two"].passing
    assert not await source.settle()
    room.forge.merges[merge] = 7
    assert await source.settle()
    assert (await source.glance()).holds == {}


async def test_only_what_came_by_pull_requests_is_bound_where_that_is_set(room: Room) -> None:
    room.mode = "reviewed"
    source = await follows(room)
    room.repository.commit(GONE)
    assert (await look(room, source)).holds == {}
    room.pull(7, {"ws/one.yaml": file(env="{A: b}")})
    await room.reviewed()
    room.repository.commit({"ws/three.yaml": None})
    room.merge(7)
    assert (await look(room, source)).holds.keys() == {"three"}


async def test_a_pull_request_into_another_branch_was_no_review_of_this_one(room: Room) -> None:
    source = await follows(room)
    room.pull(7, GONE)
    await room.reviewed()
    room.forge.pulls[7]["base"]["ref"] = "release"
    room.merge(7)
    assert (await look(room, source)).holds.keys() == {"two"}


async def test_what_the_runner_committed_for_an_owner_needs_no_review(room: Room) -> None:
    source = await follows(room)
    edit = room.index.edits.ask("two", "delete", actor="alice", base="b" * 40, text=None)
    commit = room.repository.commit(GONE)
    room.index.edits.finish(edit.id, commit=commit)
    assert (await look(room, source)).holds == {}
    # Of a file that somebody else changed after it, the runner's word is none.
    edit = room.index.edits.ask("one", "change", actor="alice", base="b" * 40, text="x")
    commit = room.repository.commit({"ws/one.yaml": file(env="{A: b}")})
    room.index.edits.finish(edit.id, commit=commit)
    room.repository.commit({"ws/one.yaml": None})
    assert (await look(room, source)).holds.keys() == {"one"}


async def test_an_edit_that_became_a_pull_request_counts_by_its_merge(room: Room) -> None:
    source = await follows(room)
    edit = room.index.edits.ask("two", "delete", actor="alice", base="b" * 40, text=None)
    commit = room.repository.commit(GONE)  # pushed on, past the pull request
    room.index.edits.finish(edit.id, commit=commit, url="http://forge.test/pulls/7")
    assert (await look(room, source)).holds.keys() == {"two"}


async def test_what_was_held_stays_so_when_its_pull_request_is_long_ago(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brought, "MOST_COMMITS", 3)
    room.mode = "reviewed"
    source = await follows(room)
    room.pull(7, {"ws/one.yaml": file(env="{A: b}")})
    await room.reviewed()
    room.repository.commit({"ws/three.yaml": None})
    room.merge(7)
    assert (await look(room, source)).holds.keys() == {"three"}
    for number in range(4):
        room.repository.commit({"ws/four.yaml": file(env=f"{{N: '{number}'}}")})
        assert "three" in (await look(room, source)).holds


async def test_what_is_pushed_to_its_branch_after_the_merge_changes_nothing(room: Room) -> None:
    source = await follows(room)
    room.pull(7, GONE)
    await room.reviewed()
    room.merge(7)
    room.forge.pulls[7]["head"]["sha"] = "9" * 40
    assert (await look(room, source)).holds == {}


async def test_what_is_pushed_to_it_before_the_merge_counts(room: Room) -> None:
    source = await follows(room)
    room.pull(7, {"ws/one.yaml": file(env="{A: b}")})
    await room.reviewed()
    said = room.forge.pulls[7]["head"]["sha"]
    room.repository.call("checkout", "-q", "change-7")
    room.repository.commit(GONE)
    room.repository.call("checkout", "-q", "main")
    room.merge(7)
    room.forge.pulls[7]["head"]["sha"] = said  # the forge lags
    assert (await look(room, source)).holds.keys() == {"one", "two"}


async def test_a_rewritten_branch_is_compared_with_what_counted(room: Room) -> None:
    source = await follows(room)
    room.repository.call("checkout", "-q", "--orphan", "fresh")
    room.repository.commit({"ws/two.yaml": file(env="{A: b}")})
    room.repository.call("branch", "-f", "main", "fresh")
    room.repository.call("checkout", "-q", "main")
    assert "two" in (await look(room, source)).holds


async def test_a_commit_that_is_not_here_any_more_is_replaced_by_what_stands(room: Room) -> None:
    source = await follows(room)
    spec = (await source.glance()).specs["two"].model_dump_json()
    told = Changes(owner="alice", applied_hash="x", spec_json=spec)
    await room.board.say("two", Context(cause="test"), changes=told)
    odd = Changes(owner="alice", applied_hash="x", spec_json='{"of": "another release"}')
    await room.board.say("odd", Context(cause="test"), changes=odd)
    room.index.reviews.hold([], place=source.binding._words, commit="9" * 40)
    room.repository.commit(GONE)
    assert set((await look(room, source)).holds) == {"two"}
    # Whose owners could say who approves is not known either: nobody does.
    approve(room)
    assert set((await source.glance()).holds) == {"two"}


async def test_broken_rules_name_no_approver(room: Room) -> None:
    room.repository.commit({"ws/_owners.yaml": b"people: 5\n"})
    source = await follows(room)
    room.repository.commit(GONE)
    await look(room, source)
    approve(room)
    assert set((await source.glance()).holds) == {"two"}


async def test_a_change_set_of_another_release_says_nothing(room: Room) -> None:
    source = await follows(room)
    room.pull(7, GONE)
    await room.reviewed()
    said = room.index.reviews.said(7)
    assert said is not None
    room.index.reviews.say(replace(said, change_set={"format": 99}))
    room.merge(7)
    assert "nothing was said" in (await look(room, source)).holds["two"].message


async def test_who_waits_for_a_read_waits_until_the_forge_may_know(room: Room) -> None:
    room.grace = 0.5
    source = await follows(room)
    room.repository.commit(GONE)
    snapshot = await source.read()
    assert not snapshot.holds["two"].passing


async def test_another_place_is_not_measured_by_this_one(room: Room) -> None:
    source = await follows(room)
    room.repository.commit(GONE)
    await look(room, source)
    room.index.reviews.hold(room.index.reviews.holds(), place="release of another", commit="0" * 40)
    assert (await source.glance()).holds == {}


async def test_what_is_so_already_is_not_held_whatever_counted_last(room: Room) -> None:
    await follows(room)
    changed = file(env="{A: b}")
    commit = room.repository.commit({**GONE, "ws/one.yaml": changed, "ws/three.yaml": changed})
    # Somebody had it applied while nothing was bound: three alone is not done yet.
    spec = (await room.bound()._inner.read()).specs["one"].model_dump_json()
    why, publish = Context(cause="test"), room.board.say
    await publish("one", why, changes=Changes(owner="alice", applied_hash="x", spec_json=spec))
    await publish("three", why, changes=Changes(owner="alice", applied_hash="x", spec_json="{}"))
    for event in (Event.DELETE, Event.REMOVED):
        await publish("two", why, event)
    room.index.repository.tell(attempted=commit)
    source = room.bound()
    assert set((await look(room, source)).holds) == {"three"}


async def test_a_folder_and_an_unread_branch_are_left_alone(room: Room) -> None:
    source = room.bound()
    room.repository.folder.rename(room.folder / "elsewhere")
    snapshot = await source.read()
    assert (snapshot.unreadable, snapshot.holds) == (True, {})
    assert replace(snapshot, commit="") == await source.binding.bound(snapshot)
