"""Open pull requests are reviewed once for each state; what the forge does not take, nobody waits for."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forges import sections
from forges.errors import ForgeUnreachableError, RateLimitedError
from stacks.pulls.pauses import pause
from stacks.review.changeset import ChangeSet
from state_index.reviews import Approval
from tests.forges.server import Reply
from tests.stacks.pulls.conftest import Room, file
from tests.waiting import until

GONE: dict[str, bytes | None] = {"ws/two.yaml": None}


async def follows(room: Room) -> None:
    await room.took(await room.bound().read())


def preview(room: Room, commit: str) -> tuple[str, str]:
    context, state, told = room.forge.statuses[commit][-1]
    assert context == "codehub/preview"
    return state, told


async def test_a_pull_request_gets_one_comment_a_status_and_is_kept_as_reviewed(room: Room) -> None:
    await follows(room)
    head = room.pull(7, {**GONE, "ws/one.yaml": file(env="{A: b}")})
    await room.reviewed()
    (body,) = room.forge.comments[7]
    (section,) = sections.read(body)
    assert (section.name, section.head) == ("files", head)
    assert "delete `two`" in section.body
    assert preview(room, head) == ("success", "2 destructive; 1 delete, 1 replace, 1 not touched")
    said = room.index.reviews.said(7)
    assert said is not None
    assert ChangeSet.from_json(said.change_set).workspaces.keys() == {"one", "two"}
    assert (said.head, said.base) == (head, room.repository.call("rev-parse", "main"))


async def test_nothing_is_written_again_while_nothing_changed(room: Room) -> None:
    await follows(room)
    room.pull(7, GONE)
    watcher = room.watcher()
    await room.watch(watcher)
    wrote = room.forge.writes
    await room.watch(watcher)
    await room.reviewed()  # one that was started anew looks again, and finds the same
    assert room.forge.writes == wrote
    head = room.pull(7, {"ws/one.yaml": None})
    await room.watch(watcher)
    assert room.index.reviews.said(7).head == head  # type: ignore[union-attr]


async def test_rules_and_owners_are_those_of_the_branch(room: Room) -> None:
    await follows(room)
    owners = b"people: {alice: {}, mallory: {}}\napprovers: [mallory]\n"
    mine = {"ws/_owners.yaml": owners, "ws/mine.yaml": b"owner: mallory\nimage: codehub/light\n"}
    head = room.pull(7, mine, author="mallory")
    await room.reviewed()
    state, told = preview(room, head)
    refusal = "refused by edit-allowed, owner-listed"
    assert (state, told.partition(";")[0]) == ("failure", refusal)


async def test_a_wrong_file_and_a_hostile_one_are_told_and_do_nothing(room: Room) -> None:
    await follows(room)
    evil = b'owner: "<img src=x> @root `</details>` <!-- codehub:end files -->"\nimage: x\n'
    head = room.pull(7, {"ws/one.yaml": evil, "ws/evil`<b>.yaml": evil})
    await room.reviewed()
    assert preview(room, head)[0] == "failure"
    (section,) = sections.read(room.forge.comments[7][0])
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", section.body, flags=re.DOTALL)
    assert "<img" not in outside
    assert "@root" not in outside


async def test_one_that_cannot_be_read_holds_up_no_other(room: Room) -> None:
    await follows(room)
    room.pull(7, GONE)
    room.repository.call("checkout", "-q", "--orphan", "alien")
    alien = room.repository.commit({"ws/one.yaml": file()}, message="no common past")
    room.repository.call("checkout", "-q", "main")
    room.repository.call("update-ref", "refs/pull/6/head", alien)
    room.forge.open(6, alien)
    room.forge.pulls = dict(sorted(room.forge.pulls.items()))
    watcher = room.watcher()
    await room.watch(watcher)
    await room.watch(watcher)
    assert room.forge.statuses[alien] == [
        ("codehub/preview", "error", "the runner can't read this commit: see its log")
    ]
    assert room.index.reviews.said(6) is None
    assert room.index.reviews.said(7) is not None


async def test_what_was_not_written_does_not_count_as_reviewed(room: Room) -> None:
    await follows(room)
    room.pull(7, GONE)
    room.forge.down = Reply(500, {})
    with pytest.raises(ForgeUnreachableError):
        await room.reviewed()
    assert room.index.reviews.said(7) is None


@pytest.mark.parametrize(
    "meanwhile", [{"merged": True, "merge_commit_sha": "8" * 40}, {"head": {"sha": "9" * 40}}]
)
async def test_what_is_written_after_the_merge_was_seen_by_nobody(
    room: Room, meanwhile: dict[str, Any]
) -> None:
    await follows(room)
    room.pull(7, GONE)
    room.forge.meanwhile[7] = meanwhile
    await room.reviewed()
    assert (len(room.forge.comments[7]), room.index.reviews.said(7)) == (1, None)


async def test_one_that_is_pushed_to_and_back_is_said_all_the_same(room: Room) -> None:
    await follows(room)
    head = room.pull(7, GONE)
    watcher = room.watcher()
    room.forge.meanwhile[7] = {"head": {"sha": "9" * 40}}
    await room.watch(watcher)
    room.forge.pulls[7]["head"]["sha"] = head
    await room.watch(watcher)
    said = room.index.reviews.said(7)
    assert said is not None
    assert said.head == head
    wrote = room.forge.writes
    await room.watch(watcher)
    assert room.forge.writes == wrote


async def test_words_of_another_commit_do_not_stay_in_place_of_what_was_said(room: Room) -> None:
    await follows(room)
    first = room.pull(7, GONE)
    watcher = room.watcher()
    await room.watch(watcher)
    room.pull(7, {"ws/one.yaml": file(env="{A: b}")})
    room.forge.meanwhile[7] = {"head": {"sha": first}}
    await room.watch(watcher)
    room.repository.call("update-ref", "refs/pull/7/head", first)
    await room.watch(watcher)
    (section,) = sections.read(room.forge.comments[7][0])
    assert section.head == first
    assert "delete `two`" in section.body
    assert room.index.reviews.said(7).head == first  # type: ignore[union-attr]


async def test_what_was_said_of_one_that_is_open_for_months_is_kept(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await follows(room)
    head = room.pull(7, GONE)
    watcher = room.watcher()
    await room.watch(watcher)
    for days in (80, 160):
        now = datetime.now(UTC) + timedelta(days=days)
        monkeypatch.setattr(room.index, "_now", lambda now=now: now)
        room.now += 80 * 24 * 3600
        room.pull(8, {"ws/one.yaml": file(env=f"{{A: 'd{days}'}}")})
        await room.watch(watcher)
    said = room.index.reviews.said(7)
    assert said is not None
    assert said.head == head
    kept, room.now = said.at, room.now + 60.0
    monkeypatch.undo()
    await room.watch(watcher)
    assert room.index.reviews.said(7).at == kept, "once a day is enough"  # type: ignore[union-attr]


async def test_words_that_would_be_a_trailer_are_remembered(room: Room) -> None:
    await follows(room)
    head = room.pull(7, GONE)
    watcher = room.watcher()
    await room.watch(watcher)
    assert not room.index.reviews.said(7).trailer  # type: ignore[union-attr]
    room.forge.pulls[7]["body"] = "codehub-approve: all"
    await room.watch(watcher)
    room.forge.pulls[7]["body"] = "please"
    await room.reviewed()
    said = room.index.reviews.said(7)
    assert said is not None
    assert (said.head, said.trailer) == (head, True)


async def test_it_goes_on_by_itself_and_tells_what_is_held(room: Room) -> None:
    await follows(room)
    source = room.bound()
    await room.took(await source.glance())
    watcher = room.watcher(source)
    commit = room.repository.commit(GONE)
    await source._inner.read()

    def told(state: str) -> bool:
        found = room.forge.statuses.get(commit, [])
        return bool(found) and found[-1][:2] == ("codehub/review", state)

    async def run() -> None:
        await watcher.run()

    room.forge.down, seen = Reply(503, {}), room.forge.asked
    async with asyncio.TaskGroup() as group:
        task = group.create_task(run())
        await room.took(await source.glance())
        await until(
            lambda: room.forge.asked >= seen + 2
        )  # by both: for the pulls, and for the hold
        assert source.binding.undecided.is_set()
        room.forge.down = None
        await until(lambda: told("failure"), within=20)
        assert "two: it is kept as it is: delete" in room.forge.statuses[commit][-1][2]
        (held,) = room.index.reviews.holds()
        approval: dict[str, Any] = {"workspace_id": "two", "hash": held.hash, "who": "cli:carol"}
        room.index.reviews.approve(Approval(commit=commit, why="y", **approval))
        await until(lambda: told("success"), within=20)
        task.cancel()
    assert "the forge said what was reviewed" in room.swept


async def test_a_failing_forge_and_a_broken_index_are_tried_again(room: Room) -> None:
    await follows(room)
    room.pull(7, GONE)
    watcher = room.watcher()
    room.forge.down = Reply(503, {})
    assert await watcher._round() == 2.0
    assert await watcher._round() == 4.0
    room.forge.down = None
    room.repository.folder.rename(room.folder / "elsewhere")
    assert await watcher._round() == 0.2  # of one that can't be fetched, its status tells
    (room.folder / "elsewhere").rename(room.repository.folder)
    assert await watcher._round() == 0.2
    assert room.index.reviews.said(7) is None  # it may have cost a download
    room.now += 2.0
    assert await watcher._round() == 0.2
    assert room.index.reviews.said(7) is not None


async def test_a_bug_ends_no_runner(room: Room) -> None:
    await follows(room)
    room.forge.pulls = {1: {}}
    room.forge.down = Reply(200, {"no": "list"})
    watcher = room.watcher()
    assert await watcher._round() == 2.0
    room.forge.url = "no address"
    assert await watcher._round() == 4.0


def test_a_forge_that_names_a_time_is_not_asked_before() -> None:
    assert pause(RateLimitedError("slow", retry_after=900.0), 1) == 900.0
    assert pause(RateLimitedError("slow", retry_after=None), 1) == pause(ValueError(), 1) == 2.0
    assert pause(ForgeUnreachableError("gone", maybe_done=False), 20) == 300.0
