"""Who merges may approve by a trailer; the pull request's own people can't."""

import pytest

from stacks.pulls.trailers import EVERY, approved
from tests.forges.server import Reply
from tests.stacks.pulls.conftest import Room, file
from tests.stacks.pulls.test_binding import GONE, follows, look

TITLE = "Merge pull request #7 from alice/clean\n\nClean up\n\n"


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("Codehub-Approve: one", {"one"}),
        ("codehub-approve:one, two ,\n", {"one", "two"}),
        ("Codehub-Approve: one\r\nReviewed-by: x\r\nCodehub-Approve: two", {"one", "two"}),
        ("Codehub-Approve: all", EVERY),
        ("Codehub-Approve: one, ALL".lower(), EVERY),
        ("Codehub-Approve:", set()),
        ("Codehub-Approve: ../x; rm", set()),
        ("I say Codehub-Approve: all", set()),
        ("Codehub-Approve: all\n\nand then other words", set()),
        ("", set()),
    ],
)
def test_the_last_paragraph_names_workspaces(end: str, expected: set[str]) -> None:
    assert approved(TITLE + end, theirs="Clean up") == expected


@pytest.mark.parametrize("theirs", ["Codehub-Approve: all", "x\nCODEHUB-APPROVE: one\n"])
def test_words_that_the_forge_proposes_from_others_count_for_nothing(theirs: str) -> None:
    assert approved(f"{TITLE}Codehub-Approve: all", theirs=theirs) == frozenset()


def test_no_more_are_read_than_one_would_name() -> None:
    names = ", ".join(f"w{number}" for number in range(400))
    assert len(approved(f"{TITLE}Codehub-Approve: {names}", theirs="")) == 50


@pytest.mark.parametrize("before", [True, False])
async def test_a_trailer_that_was_seen_at_one_that_can_t_be_told_is_nobodys(
    room: Room, *, before: bool
) -> None:
    """Whether something was said of an earlier commit or nothing at all, and after a restart as well."""
    source = await follows(room)
    watcher = room.watcher(source)
    if before:
        room.pull(7, {"ws/one.yaml": file(state="running")})
        await room.watch(watcher)
    room.pull(7, GONE)
    room.forge.odd["GET", "issues/7/comments"] = Reply(422, {})
    await room.watch(watcher)
    room.forge.pulls[7]["body"] = "Codehub-Approve: two"
    await room.watch(watcher)
    room.forge.pulls[7]["body"] = "please"
    room.forge.odd.clear()
    room.now += 3600.0
    await room.reviewed()
    said = room.index.reviews.said(7)
    assert said is not None
    assert said.trailer
    room.pull(7, {**GONE, "ws/one.yaml": None})
    room.merge(7, message=f"{TITLE}Codehub-Approve: all")
    assert set((await look(room, source)).holds) == {"one", "two"}


async def test_a_trailer_of_one_of_which_nothing_could_be_said_is_nobodys(room: Room) -> None:
    source = await follows(room)
    room.pull(7, GONE)
    room.forge.odd["GET", "issues/7/comments"] = Reply(422, {})
    room.forge.pulls[7]["body"] = "Codehub-Approve: two"
    await room.reviewed()
    room.forge.pulls[7]["body"] = "please"
    room.merge(7, message=f"{TITLE}Codehub-Approve: two")
    assert set((await look(room, source)).holds) == {"two"}


async def test_a_trailer_that_is_seen_only_while_it_is_told_is_nobodys(room: Room) -> None:
    """At the look after the comment, whether what was written counts or not."""
    source = await follows(room)
    watcher = room.watcher(source)
    room.pull(7, {"ws/one.yaml": file(state="running")})
    room.forge.meanwhile[7] = {"body": "Codehub-Approve: two", "head": {"sha": "9" * 40}}
    await room.watch(watcher)
    room.pull(7, GONE)
    await room.watch(watcher)
    said = room.index.reviews.said(7)
    assert said is not None
    assert said.trailer
