"""`repo_applier = ci`: only a commit of the branch counts, and only once someone asked for it."""

from pathlib import Path

import pytest

from stacks.asking import Revision
from stacks.errors import (
    BadRequestError,
    GitError,
    GitRefError,
    RevisionRefusedError,
)
from stacks.git.source import GitSource
from stacks.source import FolderSource
from tests.stacks.git.desk import ONE, TWO, Desk
from tests.stacks.git.repository import WORKSPACE

WARM = WORKSPACE + b"state: warm\n"
UNKNOWN = "f" * 40


async def ask(source: GitSource, commit: str, *, older: bool = False) -> str:
    return await source.ask(Revision(commit=commit, allow_older=older))


async def refused(source: GitSource, commit: str, *, older: bool = False) -> str:
    with pytest.raises(RevisionRefusedError) as error:
        await ask(source, commit, older=older)
    return str(error.value)


async def test_nothing_counts_until_someone_asks(desk: Desk) -> None:
    source = desk.source(by_asking=True)
    found = await source.read()
    assert (found.ids, found.complete, found.unreadable) == (frozenset(), False, True)
    assert "codehub up --revision" in found.error
    followed = desk.index.repository.followed()
    assert followed.head == desk.repository.call("rev-parse", "HEAD"), "it is fetched all the same"
    assert (followed.attempted, followed.error) == ("", found.error)


async def test_what_was_asked_for_counts_whatever_is_pushed_or_restarted(desk: Desk) -> None:
    source = desk.source(by_asking=True)
    first = desk.repository.call("rev-parse", "HEAD")
    assert await ask(source, first[:7]) == first
    second = desk.repository.commit({ONE: WARM})
    for one in (source, desk.source(by_asking=True)):
        found = await one.read()
        assert (found.commit, found.complete, found.error) == (first, True, "")
        await desk.applied(found, by_asking=True)
    followed = desk.index.repository.followed()
    assert (followed.attempted, followed.head, followed.base) == (first, second, first)
    assert await ask(source, second) == second
    assert (await source.glance()).specs["one"].state == "warm"
    followed = desk.index.repository.followed()
    assert (followed.attempted, followed.waiting) == (second, ("one", "two"))


async def test_asking_again_for_what_counts_forgets_nothing(desk: Desk) -> None:
    source = desk.source(by_asking=True)
    commit = await ask(source, desk.repository.call("rev-parse", "HEAD"))
    desk.index.repository.tell(failures={"one": "no image"}, waiting=())
    assert await ask(source, commit) == commit
    assert desk.index.repository.followed().failures == {"one": "no image"}


async def test_a_reading_from_before_does_not_put_the_former_commit_back(desk: Desk) -> None:
    source = desk.source(by_asking=True)
    await ask(source, desk.repository.call("rev-parse", "HEAD"))
    before = await source.glance()
    second = desk.repository.commit({ONE: WARM})
    await ask(source, second)
    await desk.applied(before, by_asking=True)
    followed = desk.index.repository.followed()
    assert (followed.attempted, followed.base) == (second, "")


async def test_only_commits_of_the_branch_may_be_asked_for(desk: Desk) -> None:
    source, first = desk.source(by_asking=True), desk.repository.call("rev-parse", "HEAD")
    desk.repository.call("checkout", "-q", "-b", "proposed")
    proposed = desk.repository.commit({ONE: WARM})
    desk.repository.call("checkout", "-q", "main")
    for commit in (proposed, UNKNOWN, UNKNOWN[:7]):
        told = await refused(source, commit)
        assert f"{commit[:12]} is not on the branch main, which is at {first[:12]}" in told
    # What the branch had before it was rewritten is in the copy still, and not on the branch.
    desk.repository.call("merge", "-q", "--ff-only", "proposed")
    await source.read()
    desk.repository.call("reset", "-q", "--hard", first)
    assert "is not on the branch" in await refused(source, proposed)
    assert desk.index.repository.followed().attempted == ""


async def test_an_older_one_counts_by_leave_only_and_removes_nothing_by_it(desk: Desk) -> None:
    source, first = desk.source(by_asking=True), desk.repository.call("rev-parse", "HEAD")
    second = desk.repository.commit({"ws/three.yaml": WORKSPACE})
    await ask(source, second)
    await desk.has("one", "two", "three")
    await desk.applied(await source.read(), by_asking=True)
    assert f"{first[:12]} comes before {second[:12]}" in await refused(source, first)
    assert await ask(source, first, older=True) == first
    found = await source.read()
    assert (found.commit, found.complete) == (first, False)
    assert "lacks 1 workspace" in found.error
    await source.allow()
    assert (await source.read()).complete


async def test_while_it_is_paused_none_may_be_asked_for(desk: Desk) -> None:
    source, commit = desk.source(by_asking=True), desk.repository.call("rev-parse", "HEAD")
    desk.index.repository.pause(actor="alice")
    assert "paused by alice" in await refused(source, commit)
    desk.index.repository.resume()
    assert await ask(source, commit) == commit


async def test_an_outage_leaves_what_counted(desk: Desk) -> None:
    source = desk.source(by_asking=True)
    first = await ask(source, desk.repository.call("rev-parse", "HEAD"))
    second = desk.repository.commit({ONE: WARM})
    desk.served.down = True
    with pytest.raises(GitError, match="is not known: git fetch"):
        await ask(source, second)
    assert (await source.read()).commit == first


async def test_a_commit_that_can_not_be_read_never_counts(desk: Desk) -> None:
    source = desk.source(by_asking=True)
    first = await ask(source, desk.repository.call("rev-parse", "HEAD"))
    second = desk.repository.commit({ONE: None, TWO: None, "README.md": b"moved"})
    with pytest.raises(GitRefError, match="no folder ws"):
        await ask(source, second)
    assert (await source.read()).commit == first


async def test_of_another_branch_nothing_was_asked_for(desk: Desk) -> None:
    await ask(desk.source(by_asking=True), desk.repository.call("rev-parse", "HEAD"))
    desk.repository.call("branch", "other")
    other = desk.source(branch="other", by_asking=True)
    assert "codehub up --revision" in (await other.read()).error


async def test_where_the_branch_says_what_counts_nobody_asks(desk: Desk, tmp_path: Path) -> None:
    commit = desk.repository.call("rev-parse", "HEAD")
    with pytest.raises(RevisionRefusedError) as error:
        await ask(desk.source(), commit)
    assert f"codehub wait --revision {commit}" in error.value.remedy
    with pytest.raises(RevisionRefusedError, match="no repository is followed"):
        await FolderSource(tmp_path).ask(Revision(commit=commit))


@pytest.mark.parametrize("commit", ["", "main", "--all", "HEAD", "abc", "A" * 40, "a" * 65])
def test_what_is_no_commits_id(commit: str) -> None:
    with pytest.raises(BadRequestError):
        Revision(commit=commit)
