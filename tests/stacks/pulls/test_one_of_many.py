"""What is the matter with one pull request, or with one status, holds up no review of another."""

from dataclasses import replace
from typing import Any, cast

import pytest

from forges.errors import RateLimitedError
from stacks.pulls.copy import PullCopy
from stacks.pulls.facts import Looker
from stacks.pulls.pauses import LEAST, pause, rest
from stacks.pulls.seen import Seen
from stacks.pulls.watch import Watcher
from stacks.review.model import Review
from state_index.reviews import Held
from tests.forges.server import Reply
from tests.stacks.pulls.conftest import Room, file

GONE: dict[str, bytes | None] = {"ws/two.yaml": None}
UNREAD = ("codehub/preview", "error", "the runner can't read this commit: see its log")


@pytest.fixture
async def heads(room: Room) -> dict[int, str]:
    """Two open pull requests, of which a forge names the first one first."""
    await room.took(await room.bound().read())
    found = {6: room.pull(6, {"ws/one.yaml": file(env="{A: b}")}), 7: room.pull(7, GONE)}
    room.forge.pulls = dict(sorted(room.forge.pulls.items()))
    return found


def said(room: Room) -> list[int]:
    return [number for number in (6, 7) if room.index.reviews.said(number) is not None]


@pytest.mark.parametrize("answer", [Reply(422, {}), Reply(200, {"no": "list"}), Reply(404, {})])
async def test_a_comment_that_can_t_be_written(
    room: Room, heads: dict[int, str], answer: Reply
) -> None:
    room.forge.odd["GET", "issues/6/comments"] = answer
    watcher = room.watcher()
    await room.watch(watcher)
    assert said(room) == [7]
    assert room.forge.statuses[heads[6]] == [UNREAD]
    asked = room.forge.asked
    await room.watch(watcher)
    assert room.forge.asked == asked + 1, "it rests: only the list is asked for"
    room.forge.odd.clear()
    room.now += 2.0
    await room.watch(watcher)
    assert said(room) == [6, 7]
    assert room.forge.statuses[heads[6]][-1][1] == "success"


@pytest.mark.parametrize("answer", [Reply(403, {"message": "blocked"}), Reply(500, {})])
async def test_where_the_forge_fails_at_one_the_others_go_on(
    room: Room, heads: dict[int, str], answer: Reply
) -> None:
    room.forge.odd["POST", "issues/6/comments"] = answer
    watcher = room.watcher()
    assert await watcher._round() == 0.2
    assert said(room) == [7]
    assert room.forge.statuses[heads[6]] == [UNREAD]
    for _ in range(10):
        room.now += 300.0
        asked = room.forge.asked
        assert await watcher._round() == 0.2, "nothing else is kept waiting"
        assert room.forge.asked > asked + 1, "it never rests for long: a forge may be well again"
        asked = room.forge.asked
        assert await watcher._round() == 0.2
        assert room.forge.asked == asked + 1, "it rests: only the list is asked for"
    room.forge.odd.clear()
    room.now += 300.0
    await room.watch(watcher)
    assert said(room) == [6, 7]
    assert room.forge.statuses[heads[6]][-1][1] == "success"


async def test_where_the_forge_fails_at_two_in_a_row_it_is_the_forge(
    room: Room, heads: dict[int, str]
) -> None:
    room.pull(8, {"ws/one.yaml": None})
    for number in (6, 7):
        room.forge.odd["POST", f"issues/{number}/comments"] = Reply(500, {})
        room.forge.odd["POST", f"statuses/{heads[number]}"] = Reply(500, {})
    watcher = room.watcher()
    assert await watcher._round() == 2.0
    assert (said(room), room.index.reviews.said(8)) == ([], None)
    assert await watcher._round() == 0.2, "those two rest"
    assert room.index.reviews.said(8) is not None
    room.now = 2.0
    head = room.pull(8, {"ws/one.yaml": file(env="{A: c}")})
    assert await watcher._round() == 2.0
    assert room.index.reviews.said(8).head == head  # type: ignore[union-attr]


@pytest.mark.usefixtures("heads")
async def test_where_one_goes_well_between_two_it_is_not_the_forge(room: Room) -> None:
    head = room.pull(8, {"ws/one.yaml": None})
    for number, commit in ((6, room.forge.pulls[6]["head"]["sha"]), (8, head)):
        room.forge.odd["POST", f"issues/{number}/comments"] = Reply(403, {})
        room.forge.odd["POST", f"statuses/{commit}"] = Reply(403, {})
    assert await room.watcher()._round() == 0.2
    assert said(room) == [7]


@pytest.mark.usefixtures("heads")
async def test_two_whose_statuses_are_taken_are_not_the_forge(room: Room) -> None:
    """A stranger may block our account at as many as they open."""
    room.pull(8, {"ws/one.yaml": None})
    for number in (6, 7):
        room.forge.odd["POST", f"issues/{number}/comments"] = Reply(403, {})
    watcher = room.watcher()
    assert await watcher._round() == 0.2
    assert room.index.reviews.said(8) is not None
    room.now = 2.0
    room.pull(6, {"ws/one.yaml": file(env="{A: c}")})
    assert await watcher._round() == 0.2, "that of the new commit is taken"
    room.now = 10.0
    head = room.pull(8, {"ws/one.yaml": file(env="{A: d}")})
    assert await watcher._round() == 2.0, "of neither there is anything left to be taken"
    assert room.index.reviews.said(8).head == head, "it came first"  # type: ignore[union-attr]
    assert await watcher._round() == 0.2, "they rest, so all goes on at once"


async def test_a_limit_of_requests_is_the_forges_wherever_it_is_met(
    room: Room, heads: dict[int, str]
) -> None:
    room.forge.odd["POST", "issues/6/comments"] = Reply(429, {})
    watcher = room.watcher()
    with pytest.raises(RateLimitedError):
        await room.watch(watcher)
    assert heads[6] not in room.forge.statuses
    with pytest.raises(RateLimitedError):
        await room.watch(watcher)
    assert said(room) == [7], "the others come first"


async def test_a_status_of_an_error_that_is_refused_too(room: Room, heads: dict[int, str]) -> None:
    room.forge.odd["GET", "issues/6/comments"] = Reply(422, {})
    for answer in (Reply(422, {}), Reply(500, {})):
        room.forge.odd["POST", f"statuses/{heads[6]}"] = answer
        await room.reviewed()
        assert said(room) == [7]
    room.forge.odd["POST", f"statuses/{heads[6]}"] = Reply(429, {})
    with pytest.raises(RateLimitedError):
        await room.reviewed()


class Odd:
    """Looks at what is there, and has a bug at one pull request."""

    async def print_of(self, review: Review) -> str:
        raise KeyError(review.head)


async def test_a_bug_at_one(room: Room, heads: dict[int, str]) -> None:
    desk = replace(room.watcher()._desk, looker=cast("Looker", Odd()))
    await room.watch(Watcher(desk))
    assert [room.forge.statuses[head] for head in heads.values()] == [[UNREAD], [UNREAD]]


@pytest.mark.parametrize("more", [{"user": None}, {"head": None}, {"number": "six"}])
async def test_one_of_which_the_list_lacks_something(
    room: Room, heads: dict[int, str], more: dict[str, Any]
) -> None:
    room.forge.pulls[6] |= more
    await room.reviewed()
    # Who opened it may be gone; then it is nobody's.
    assert said(room) == ([6, 7] if "user" in more else [7])
    assert len(heads) == 2


@pytest.mark.parametrize("answer", [Reply(422, {}), Reply(500, {}), Reply(403, {})])
async def test_a_status_of_what_is_held_that_is_refused(
    room: Room, heads: dict[int, str], answer: Reply
) -> None:
    held = [
        Held(workspace_id=id_, base="0" * 40, commit=commit, hash="sha256:1", message="why")
        for id_, commit in (("one", "a" * 40), ("two", "b" * 40))
    ]
    room.index.reviews.hold(held)
    room.forge.odd["POST", f"statuses/{'a' * 40}"] = answer
    room.forge.odd["POST", f"statuses/{'b' * 40}"] = Reply(422, {})
    watcher = room.watcher()
    await room.watch(watcher)
    assert said(room) == [6, 7]
    del room.forge.odd["POST", f"statuses/{'a' * 40}"]
    await room.watch(watcher)
    assert room.forge.statuses["a" * 40] == [("codehub/review", "failure", "one: why")]
    assert len(heads) == 2


async def test_a_passing_failure_takes_no_word_back(room: Room, heads: dict[int, str]) -> None:
    """What was said of a commit holds, so its status stays; also after a restart."""
    await room.reviewed()
    before = list(room.forge.statuses[heads[7]])
    room.repository.folder.rename(room.folder / "elsewhere")
    (room.folder / "pulls.git" / "HEAD").unlink()
    await room.reviewed()
    assert room.forge.statuses[heads[7]] == before
    (room.folder / "elsewhere").rename(room.repository.folder)


class Counting(PullCopy):
    """Counts what is fetched."""

    fetched: list[int]

    async def fetch(self, number: int) -> str:
        self.fetched.append(number)
        return await super().fetch(number)


async def test_one_that_is_too_large_is_fetched_ever_more_seldom(
    room: Room, heads: dict[int, str]
) -> None:
    desk = room.watcher()._desk
    copy = Counting(
        room.folder / "pulls.git",
        branch=room.folder / "mirror.git",
        remote=room.remote,
        kind="gitea",
        timeout=30,
        most=1,
    )
    copy.fetched = []
    watcher = Watcher(replace(desk, copy=copy))
    for now in (0.0, 1.0, 2.0, 5.9, 6.0):
        room.now = now
        await room.watch(watcher)
    assert copy.fetched == [6, 7, 6, 7, 6, 7]
    room.pull(7, {"ws/one.yaml": None})
    await room.watch(watcher)
    assert copy.fetched == [6, 7, 6, 7, 6, 7, 7], "another commit may be another matter"
    assert room.forge.statuses[heads[6]] == [UNREAD]


def test_what_failed_often_rests_an_hour() -> None:
    seen = Seen()
    for _ in range(60):
        seen.fails("a", now=100.0)
    assert (seen.rests("a", 3699.0), seen.rests("a", 3700.0)) == (True, False)
    assert not seen.rests("b", 100.0)
    seen.fails("b", now=100.0)
    assert (seen.rests("b", 101.0), seen.rests("b", 102.0)) == (True, False)
    seen.goes_well()
    assert not seen.rests("b", 101.0)


def test_no_round_follows_at_once_and_no_forge_silences_us_for_a_day() -> None:
    assert rest(60.0, took=12.0) == 48.0
    assert rest(60.0, took=3000.0) == LEAST
    assert pause(RateLimitedError("slow", retry_after=1e9), 1) == 3600.0
