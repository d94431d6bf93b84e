"""Files that many pull requests have in common are read once, and no more is kept than is of use."""

from pathlib import Path

import pytest

from spec.defaults import Defaults
from stacks.errors import GitError
from stacks.git import tree
from stacks.git.command import Git
from stacks.git.tree import TreeEntry
from stacks.pulls import reviewing
from stacks.pulls.reviewing import Shelf
from tests.stacks.git.repository import WORKSPACE, Repository


def entries(repository: Repository, commit: str) -> list[TreeEntry]:
    return tree.listing(repository.git, commit, "ws")


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "team")
    commit = repository.commit({f"ws/{name}.yaml": WORKSPACE for name in ("one", "two")})
    shelf, gone = Shelf(), Git(folder=tmp_path, bare=True)
    found = entries(repository, commit)
    first = shelf(repository.git, found, "ws")
    assert [each.stem for each in first] == ["one", "two"]
    assert shelf(gone, found[::-1], "ws") == first[::-1]
    # By other defaults it says something else.
    with pytest.raises(GitError):
        shelf(gone, found, "ws", Defaults(digest="other"))
    other = repository.commit({"ws/two.yaml": WORKSPACE + b"env: {A: b}\n"})
    with pytest.raises(GitError):
        shelf(gone, entries(repository, other), "ws")


def test_what_no_fleet_has_any_more_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviewing, "SPARE", 1)
    repository = Repository(tmp_path / "team")
    shelf, gone = Shelf(), Git(folder=tmp_path, bare=True)
    known = []
    for number in range(5):
        commit = repository.commit({"ws/one.yaml": WORKSPACE + b"# %d\n" % number})
        known.append(entries(repository, commit))
        shelf(repository.git, known[-1], "ws")
    for found in known[-3:]:
        assert len(shelf(gone, found, "ws")) == 1
    with pytest.raises(GitError):
        shelf(gone, known[0], "ws")
