"""What was said of a commit stays said while the forge is behind: when the branch has it, also squashed."""

from stacks.pulls.saying import both
from stacks.pulls.source import BoundSource
from stacks.review.changeset import ChangeSet, Entry
from stacks.review.model import Severity
from tests.stacks.pulls.conftest import Room, file
from tests.stacks.pulls.test_binding import GONE, follows, look

TWO: dict[str, bytes | None] = {**GONE, "ws/one.yaml": file(env="{A: b}")}


def said(room: Room, number: int = 7) -> set[str]:
    found = room.index.reviews.said(number)
    return set(ChangeSet.from_json(found.change_set).workspaces) if found else set()


def merged(room: Room) -> str:
    """Merge, and have the forge not know of it yet."""
    room.repository.call("merge", "-q", "--no-ff", "-m", "merge", "change-7")
    return room.repository.call("rev-parse", "HEAD")


async def takes_up(room: Room, source: BoundSource) -> None:
    await source._inner.read()
    await room.took(await source.glance())


async def told(room: Room, source: BoundSource, commit: str) -> set[str]:
    """What is held when the forge tells of the merge at last."""
    room.forge.merge(7, commit)
    assert await source.settle()
    return set((await source.glance()).holds)


async def test_a_merge_that_the_forge_does_not_know_of_is_not_reviewed_anew(room: Room) -> None:
    source = await follows(room)
    room.pull(7, GONE)
    watcher = room.watcher(source)
    await room.watch(watcher)
    commit = merged(room)
    await takes_up(room, source)
    wrote = room.forge.writes
    await room.watch(watcher)
    await room.watch(watcher)
    await room.watch(room.watcher(source))  # nor after a restart
    assert (room.forge.writes, said(room)) == (wrote, {"two"})
    assert await told(room, source, commit) == set()


async def test_what_nobody_reviewed_is_not_reviewed_once_it_is_merged(room: Room) -> None:
    source = await follows(room)
    room.pull(7, GONE)
    commit = merged(room)
    await takes_up(room, source)
    await room.watch(room.watcher(source))
    assert room.index.reviews.said(7) is None
    assert 7 not in room.forge.comments
    assert await told(room, source, commit) == {"two"}


async def test_it_is_reviewed_where_the_branch_lets_go_of_it_or_it_is_pushed_to(room: Room) -> None:
    source = await follows(room)
    before = room.repository.call("rev-parse", "main")
    room.pull(7, GONE)
    merged(room)
    await takes_up(room, source)
    watcher = room.watcher(source)
    await room.watch(watcher)
    room.repository.call("reset", "-q", "--hard", before)
    await takes_up(room, source)
    await room.watch(watcher)
    assert said(room) == {"two"}
    room.pull(7, {"ws/one.yaml": None})
    await room.watch(watcher)
    assert said(room) == {"one"}, "of another commit, nothing that was said before counts"


async def test_what_was_said_of_a_squash_stays_said(room: Room) -> None:
    source = await follows(room)
    room.pull(7, TWO)
    watcher = room.watcher(source)
    await room.watch(watcher)
    commit = room.repository.commit(TWO, message="squash")
    await takes_up(room, source)
    await room.watch(watcher)
    assert said(room) == {"one", "two"}
    assert await told(room, source, commit) == set()


async def test_what_was_said_of_a_rebase_stays_said(room: Room) -> None:
    """Where the forge names the last of its commits only, they are known by what was said of all."""
    source = await follows(room)
    room.pull(7, TWO)
    watcher = room.watcher(source)
    await room.watch(watcher)
    room.repository.commit(GONE)
    commit = room.repository.commit({"ws/one.yaml": file(env="{A: b}")})
    await takes_up(room, source)
    await room.watch(watcher)
    assert await told(room, source, commit) == set()


async def test_where_a_part_came_otherwise_what_was_said_of_it_stays_said(room: Room) -> None:
    source = await follows(room)
    room.pull(7, TWO)
    watcher = room.watcher(source)
    await room.watch(watcher)
    room.repository.commit(GONE)
    await takes_up(room, source)
    await room.watch(watcher)
    assert "delete" not in room.forge.comments[7][0]
    assert said(room) == {"one", "two"}
    room.merge(7)
    assert set((await look(room, source)).holds) == {"two"}, "by the commit that nobody reviewed"


def test_of_two_reviews_of_one_commit_the_worse_counts() -> None:
    def of(hash_: str, **entries: Severity) -> ChangeSet:
        made = {id_: Entry(action="a", severity=each, owner=hash_) for id_, each in entries.items()}
        return ChangeSet(hash=hash_, workspaces=made)

    before = of("1", one=Severity.REMOVES, two=Severity.STOPS, three=Severity.HANDS_OVER)
    now = of("2", one=Severity.STOPS, two=Severity.REPLACES, three=Severity.HANDS_OVER)
    found = both(before, now)
    assert {id_: each.owner for id_, each in found.workspaces.items()} == {
        "one": "1",
        "two": "2",
        "three": "2",
    }
    assert found.hash == "2"
    assert both(before, ChangeSet(hash="3")) == before
    kept = Entry(action="delete", severity=Severity.REMOVES, held=True)
    waits = ChangeSet(hash="4", workspaces={"one": kept})
    assert both(waits, of("5", one=Severity.STOPS)).workspaces["one"].owner == "5"
