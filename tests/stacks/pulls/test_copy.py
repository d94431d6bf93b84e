"""What pull requests bring stays beside the branch's copy, is bounded, and goes with them."""

import os

import pytest

from stacks.errors import GitError, GitRefError
from stacks.git import tree
from stacks.git.command import Git
from stacks.pulls.copy import MOST
from tests.stacks.pulls.conftest import Room, file


async def test_a_pull_request_is_read_beside_the_branch(room: Room) -> None:
    source = room.bound()
    await source.read()
    head = room.pull(7, {"ws/one.yaml": file(env="{A: b}")})
    copy = room.copy()
    assert await copy.fetch(7) == head
    assert [each.name for each in tree.entries(copy.git, head, "ws")][:2] == [
        "_owners.yaml",
        "one.yaml",
    ]
    # The branch's own copy knows nothing of it, and borrowing copies nothing of the branch.
    mirror = Git(folder=room.folder / "mirror.git", bare=True)
    with pytest.raises(GitRefError):
        tree.resolve(mirror, head)
    assert mirror.run("for-each-ref", "--format=%(refname)").split() == [b"refs/heads/followed"]
    base = room.repository.call("rev-parse", "main")
    assert copy.git.run("merge-base", base, head).decode().strip() == base
    # Pushed to again, also by force.
    again = room.pull(7, {"ws/two.yaml": None})
    assert (await copy.fetch(7), again != head) == (again, True)


async def test_refs_go_with_their_pull_requests(room: Room) -> None:
    await room.bound().read()
    copy = room.copy()
    copy.keep([])  # there is nothing yet
    for number in (7, 8):
        room.pull(number, {"ws/one.yaml": file(env=f"{{A: 'n{number}'}}")})
        await copy.fetch(number)
    copy.keep([8, 9])
    assert copy.git.run("for-each-ref", "--format=%(refname)").split() == [b"refs/pulls/8"]


async def test_one_that_is_not_there_or_too_large_is_refused_and_others_are_read(
    room: Room,
) -> None:
    await room.bound().read()
    copy = room.copy(most=200_000)
    with pytest.raises(GitRefError, match="shows no #9"):
        await copy.fetch(9)
    room.pull(7, {"large.bin": os.urandom(400_000)})
    with pytest.raises(GitError, match="#7 brings more than"):
        await copy.fetch(7)
    head = room.pull(8, {"ws/one.yaml": file(env="{A: b}")})
    assert await copy.fetch(8) == head


async def test_a_damaged_copy_and_what_a_killed_git_left_are_no_obstacle(room: Room) -> None:
    await room.bound().read()
    head = room.pull(7, {"ws/one.yaml": file(env="{A: b}")})
    copy = room.copy()
    await copy.fetch(7)
    lock = room.folder / "pulls.git" / "refs" / "pulls" / "7.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    head = room.pull(7, {"ws/two.yaml": None})
    assert await copy.fetch(7) == head
    (room.folder / "pulls.git" / "config").write_text("[core\nbroken")
    assert await copy.fetch(7) == head


async def test_it_repairs_itself_before_anything_is_fetched(room: Room) -> None:
    """Dropping refs is the first that is done of a round: it must not fail for ever."""
    await room.bound().read()
    room.pull(7, {"ws/one.yaml": file(env="{A: b}")})
    head = room.pull(8, {"ws/one.yaml": file(env="{A: c}")})
    copy, folder = room.copy(), room.folder / "pulls.git"
    await copy.fetch(7)
    await copy.fetch(8)
    (folder / "refs" / "pulls").mkdir(parents=True, exist_ok=True)
    (folder / "refs" / "pulls" / "7.lock").touch()
    (folder / "packed-refs.lock").touch()
    copy.keep([8])
    assert (copy.known(7), copy.known(8)) == ("", head)
    (folder / "HEAD").write_text("")  # as after a power cut
    copy.keep([8])
    assert copy.known(8) == ""
    assert await copy.fetch(8) == head


async def test_what_is_refused_takes_nothing_of_others_along(room: Room) -> None:
    await room.bound().read()
    copy = room.copy(most=200_000)
    kept = room.pull(8, {"ws/one.yaml": file(env="{A: b}")})
    before = room.pull(7, {"ws/one.yaml": file(env="{A: c}")})
    await copy.fetch(8)
    await copy.fetch(7)
    packs = set((room.folder / "pulls.git" / "objects" / "pack").iterdir())
    room.pull(7, {"large.bin": os.urandom(400_000)})
    with pytest.raises(GitError, match="#7 brings more than"):
        await copy.fetch(7)
    assert (copy.known(8), copy.known(7)) == (kept, before)
    assert set((room.folder / "pulls.git" / "objects" / "pack").iterdir()) == packs
    room.pull(9, {"large.bin": os.urandom(400_000)})
    with pytest.raises(GitError, match="#9 brings more than"):
        await copy.fetch(9)
    assert copy.known(9) == ""


async def test_the_half_of_a_download_does_not_count_as_what_is_there(room: Room) -> None:
    await room.bound().read()
    copy = room.copy()
    head = room.pull(7, {"ws/one.yaml": file(env="{A: b}")})
    await copy.fetch(7)
    with (room.folder / "pulls.git" / "objects" / "pack" / "tmp_pack_x").open("wb") as half:
        half.truncate(MOST + 1)
    again = room.pull(8, {"ws/one.yaml": file(env="{A: c}")})
    assert await copy.fetch(8) == again
    assert copy.known(7) == head
