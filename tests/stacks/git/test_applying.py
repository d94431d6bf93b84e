"""`up --revision`: a commit is asked for and applied by the same guards as any other, or refused."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from settings.model import RunnerSettings
from stacks.asking import Revision
from stacks.errors import RevisionRefusedError
from stacks.git.commits import Commits
from stacks.source import FolderSource, Snapshot, Source
from stacks.up_commands import UpCommands
from tests.stacks.git.desk import ONE, TWO, Desk
from tests.stacks.git.repository import WORKSPACE, Repository
from tests.stacks.git.serving import http
from tests.stacks.test_reconciler import bench


class Runner(UpCommands):
    """The parts of a runner that `up` needs, on an engine in memory."""

    def __init__(self, desk: Desk, source: Source) -> None:
        self.settings = RunnerSettings(repo="https://git.example.org/x.git")
        self.desk, self.source, self.board = desk, source, desk.board
        self.commits = Commits(desk.board, prunes=True, by_asking=True)


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Runner]:
    repository = Repository(tmp_path / "team")
    repository.commit({ONE: WORKSPACE, TWO: WORKSPACE})
    with http(tmp_path) as served:
        async with bench(tmp_path) as one:
            desk = Desk(tmp_path, repository, served, one.index)
            made = Runner(desk, desk.source(by_asking=True))
            made.queue = one.queue
            yield made


async def test_a_commit_is_applied_and_another_one_is_not(runner: Runner) -> None:
    first = runner.desk.repository.call("rev-parse", "HEAD")
    runner.desk.repository.commit({"ws/three.yaml": WORKSPACE})
    done = await runner.up(revision=Revision(commit=first), actor="ci")
    assert [(one.id, one.ok) for one in done] == [("one", True), ("two", True)]
    followed = runner.desk.index.repository.followed()
    assert (followed.attempted, followed.applied, followed.failures) == (first, first, {})
    told = runner.desk.index.history("one")[0].cause
    assert told.startswith(f"ci asked for `up` (commit {first[:12]})")
    done = await runner.up()
    assert {one.id for one in done} == {"one", "two"}, "without a commit, the one that counts"


async def test_a_wrong_file_of_the_commit_is_told_and_others_are_applied(runner: Runner) -> None:
    commit = runner.desk.repository.commit({"ws/bad.yaml": b"owner: ["})
    done = await runner.up(revision=Revision(commit=commit))
    assert {one.id: one.reason for one in done if not one.ok} == {"bad": "INVALID_FILE"}
    followed = runner.desk.index.repository.followed()
    assert (followed.attempted, followed.applied, set(followed.failures)) == (commit, "", {"bad"})


async def test_a_removal_is_applied_within_its_guards(runner: Runner) -> None:
    head = runner.desk.repository.call("rev-parse", "HEAD")
    await runner.up(revision=Revision(commit=head))
    commit = runner.desk.repository.commit({TWO: None})
    done = await runner.up(revision=Revision(commit=commit))
    assert {one.id: one.action for one in done}["two"] == "delete"
    assert runner.desk.index.repository.followed().base == commit


class Overtaken(FolderSource):
    """A source of which another commit is asked for before it is read."""

    async def ask(self, revision: Revision) -> str:
        return revision.commit

    async def read(self) -> Snapshot:
        return Snapshot(commit="b" * 40)


async def test_one_that_was_overtaken_says_so_and_does_nothing(runner: Runner) -> None:
    runner.source = Overtaken(runner.desk.folder)
    with pytest.raises(RevisionRefusedError, match=f"{'b' * 12} was asked for meanwhile"):
        await runner.up(revision=Revision(commit="a" * 40))
    assert runner.desk.index.workspaces() == []
