"""Each commit answers for its own harm: no review, edit, trailer or approval speaks for another commit."""

import pytest

from stacks.pulls.source import BoundSource
from state_index.reviews import Approval
from tests.forges.server import Reply
from tests.stacks.pulls.conftest import Room, file
from tests.stacks.pulls.test_binding import GONE, approve, follows, look

EVIL = file(image="codehub/evil").replace(b"image: codehub/light\n", b"")
ALL_GONE: dict[str, bytes | None] = {f"ws/{id_}.yaml": None for id_ in ("one", "two", "three")}
TRAILER = "merge\n\nCodehub-Approve: {}"


async def held(room: Room, source: BoundSource) -> set[str]:
    return set((await look(room, source)).holds)


def edited(room: Room, id_: str, content: bytes) -> str:
    """What an owner has the portal write."""
    edit = room.index.edits.ask(id_, "change", actor="alice", base="b" * 40, text=content.decode())
    commit = room.repository.commit({f"ws/{id_}.yaml": content})
    room.index.edits.finish(edit.id, commit=commit)
    return commit


async def test_a_removal_by_way_of_an_empty_folder_is_held(room: Room) -> None:
    source = await follows(room)
    room.repository.commit(ALL_GONE)
    emptied = await look(room, source)
    assert (emptied.specs, emptied.complete, emptied.holds) == ({}, False, {})
    room.repository.commit({"ws/one.yaml": file(), "ws/three.yaml": file()})
    back = await look(room, room.bound())
    assert (back.complete, set(back.holds)) == (True, {"two"})
    assert "came by no pull request" in back.holds["two"].message


async def test_what_is_held_stays_so_by_way_of_an_empty_folder(room: Room) -> None:
    source = await follows(room)
    room.repository.commit({"ws/two.yaml": EVIL})
    assert await held(room, source) == {"two"}
    room.repository.commit(ALL_GONE)
    assert await held(room, source) == {"two"}
    room.repository.commit({"ws/one.yaml": file(), "ws/two.yaml": EVIL, "ws/three.yaml": file()})
    assert await held(room, source) == {"two"}
    room.repository.commit(ALL_GONE)
    await look(room, source)
    approve(room)
    assert (await source.glance()).holds == {}


async def test_a_removal_by_way_of_a_broken_generator_is_held(room: Room) -> None:
    generator = (
        b"id: gen-{name}\neach: [{name: a}, {name: b}]\n"
        b"workspace: {owner: alice, image: codehub/light}\n"
    )
    room.repository.commit({"ws/_generators/team.yaml": generator})
    source = room.bound()
    first = await room.took(await source.read())
    assert {"gen-a", "gen-b"} <= set(first.specs)
    room.repository.commit({"ws/_generators/team.yaml": b"each: ["})
    assert (await look(room, source)).doubt
    shorter = generator.replace(b", {name: b}", b"")
    room.repository.commit({"ws/_generators/team.yaml": shorter})
    mended = await look(room, source)
    assert (mended.complete, set(mended.holds)) == (True, {"gen-b"})


async def test_an_edit_in_the_portal_lets_nothing_go_that_others_did(room: Room) -> None:
    source = await follows(room)
    room.repository.commit({"ws/two.yaml": EVIL})
    assert await held(room, source) == {"two"}
    edited(room, "two", EVIL + b"env: {TZ: UTC}\n")
    assert await held(room, source) == {"two"}
    # Nor the other way round, nor by what stands beside the file.
    edited(room, "one", file(env="{A: b}"))
    assert await held(room, source) == {"two"}
    room.repository.commit({"ws/_defaults.yaml": b"env: {EVIL: all}\n"})
    edited(room, "three", file() + b"# of mine\n")
    assert await held(room, source) == {"one", "two", "three"}


async def test_an_edit_of_a_file_that_was_wrong_vouches_for_nothing(room: Room) -> None:
    source = await follows(room)
    room.repository.commit({"ws/two.yaml": EVIL + b"stete: auto\n"})
    edited(room, "two", EVIL)
    assert await held(room, source) == {"two"}


async def test_a_review_lets_nothing_go_that_was_there_before(room: Room) -> None:
    source = await follows(room)
    room.repository.commit({"ws/two.yaml": EVIL})
    assert await held(room, source) == {"two"}
    room.pull(7, {"ws/two.yaml": EVIL + b"env: {TZ: UTC}\n"})
    await room.reviewed()
    room.merge(7)
    assert await held(room, source) == {"two"}
    # Nor where it gets another name by it.
    room.pull(8, {"ws/two.yaml": None, "ws/deux.yaml": EVIL + b"formerly: two\n"})
    await room.reviewed()
    room.merge(8)
    assert await held(room, source) == {"deux"}
    room.pull(9, {"ws/two.yaml": file(), "ws/deux.yaml": None})
    room.merge(9)
    assert await held(room, source) == set()


async def test_a_trailer_is_of_what_its_merge_did(room: Room) -> None:
    source = await follows(room)
    room.pull(7, {"ws/one.yaml": file(state="running")})
    await room.reviewed()
    room.merge(7, message=TRAILER.format("all"))
    room.pull(8, GONE)
    room.merge(8, by="alice")
    assert await held(room, source) == {"two"}


async def test_a_trailer_does_not_outlive_its_merge(room: Room) -> None:
    source = await follows(room)
    room.pull(7, {"ws/one.yaml": file(state="running")})
    await room.reviewed()
    room.pull(7, {"ws/two.yaml": file(env="{A: b}")})
    room.merge(7, message=TRAILER.format("two"))
    room.forge.down = Reply(503, {})
    await room.took(await source.read())
    room.repository.commit(GONE)
    await room.took(await source.read())
    room.forge.down = None
    assert await held(room, source) == {"two"}


@pytest.mark.parametrize("word", ["title", "body"])
async def test_a_trailer_that_ever_stood_in_the_description_is_nobodys(
    room: Room, word: str
) -> None:
    source = await follows(room)
    room.pull(7, {"ws/one.yaml": file(state="running")})
    room.forge.pulls[7][word] = "Codehub-Approve: two"
    await room.reviewed()
    room.pull(7, GONE)
    room.forge.pulls[7] |= {"title": "Clean up", "body": "please"}
    await room.reviewed()
    said = room.index.reviews.said(7)
    assert said is not None
    assert said.trailer
    room.pull(7, {**GONE, "ws/one.yaml": None})
    room.forge.merge(7, room.merge(7, message=TRAILER.format("all")))
    assert await held(room, source) == {"one", "two"}


async def test_a_trailer_of_one_that_was_never_seen_open_is_nobodys(room: Room) -> None:
    source = await follows(room)
    room.pull(7, GONE)
    room.merge(7, message=TRAILER.format("all"))
    assert await held(room, source) == {"two"}


async def test_an_approval_is_used_up(room: Room) -> None:
    source = await follows(room)
    room.repository.commit(GONE)
    await look(room, source)
    approve(room)
    assert (await source.glance()).holds == {}
    room.repository.commit({"ws/two.yaml": file()})
    assert await held(room, source) == set()
    room.repository.commit(GONE)
    assert await held(room, source) == {"two"}


async def test_an_approval_of_a_commit_that_is_not_of_the_branch_is_none(room: Room) -> None:
    source = await follows(room)
    room.repository.commit(GONE)
    await look(room, source)
    (one,) = room.index.reviews.holds()
    yes = Approval(
        commit="9" * 40, workspace_id="two", hash=one.hash, who="cli:carol", why="long ago"
    )
    room.index.reviews.approve(yes)
    assert set((await source.glance()).holds) == {"two"}


async def test_a_review_is_of_its_own_merge_and_not_of_what_comes_after(room: Room) -> None:
    source = await follows(room)
    room.pull(7, GONE)
    await room.reviewed()
    room.merge(7)
    room.repository.commit({"ws/two.yaml": file()}, message="revert")
    room.repository.commit(GONE)
    assert await held(room, source) == {"two"}


async def test_one_that_is_made_again_gets_no_home_that_a_review_let_go(room: Room) -> None:
    source = await follows(room)
    room.pull(7, GONE)
    await room.reviewed()
    room.merge(7)
    room.repository.commit({"ws/two.yaml": EVIL})
    assert await held(room, source) == {"two"}


async def test_all_commits_of_a_rebase_are_its_pull_requests(room: Room) -> None:
    """Where the forge names the last one of them alone, as Gitea does."""
    source = await follows(room)
    room.pull(7, {**GONE, "ws/one.yaml": file(env="{A: b}")})
    await room.reviewed()
    room.repository.commit(GONE)
    last = room.repository.commit({"ws/one.yaml": file(env="{A: b}")})
    room.forge.merge(7, last)
    assert await held(room, source) == set()
    # Not so where one of them did something else.
    room.pull(8, {"ws/three.yaml": file(env="{A: b}")})
    await room.reviewed()
    room.repository.commit({"ws/one.yaml": None})
    last = room.repository.commit({"ws/three.yaml": file(env="{A: b}")})
    room.forge.merge(8, last)
    assert await held(room, source) == {"one"}


async def test_what_is_older_than_is_looked_at_was_reviewed_by_nobody(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stacks.pulls.brought.MOST_COMMITS", 2)
    source = await follows(room)
    for number, id_ in enumerate(("two", "one", "three"), 7):
        room.pull(number, {f"ws/{id_}.yaml": file(env="{A: b}")})
        await room.reviewed()
        room.merge(number)
    assert await held(room, source) == {"two"}


async def test_the_first_commit_that_a_job_asks_for_is_judged(room: Room) -> None:
    source = room.bound()
    first = await source.read()
    commit = room.repository.commit(GONE)
    # As it is where a job says which commit counts: that it was asked for is written before it is read.
    room.index.reviews.hold([], place="", commit="")
    room.index.repository.tell(attempted=commit, applied=first.commit)
    assert await held(room, room.bound()) == {"two"}
