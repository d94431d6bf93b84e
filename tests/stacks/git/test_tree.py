"""Commits are read without a checkout, and what is no plain file stops only itself."""

from pathlib import Path

import pytest

from spec.files import FolderRead, read_files
from spec.text import MAX_BYTES
from stacks.errors import GitError, GitRefError
from stacks.git import tree
from stacks.git.command import Git, said
from tests.stacks.git.repository import WORKSPACE, Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def read(repository: Repository, ref: str = "HEAD", path: str = "workspaces.d") -> FolderRead:
    git = repository.git
    found = tree.entries(git, tree.resolve(git, ref), path)
    return read_files(tree.files(git, found), label=path)


def test_a_commit_is_read_as_it_was(repository: Repository) -> None:
    first = repository.commit({"workspaces.d/one.yaml": WORKSPACE, "README.md": b"hello"})
    repository.commit({"workspaces.d/one.yaml": None, "workspaces.d/two.yaml": WORKSPACE})
    assert read(repository, first).specs.keys() == {"one"}
    assert read(repository, "main").specs.keys() == {"two"}


def test_revisions_are_gits_blobs(repository: Repository) -> None:
    repository.commit({"workspaces.d/one.yaml": WORKSPACE})
    blob = repository.call("rev-parse", "HEAD:workspaces.d/one.yaml")
    assert read(repository).revisions == {"one": blob}


def test_the_top_of_the_tree_can_be_the_folder(repository: Repository) -> None:
    repository.commit({"one.yaml": WORKSPACE, ".github/workflow.yml": b"x", "_owners.yaml": b"{}"})
    assert read(repository, path="").specs.keys() == {"one"}


def test_what_is_no_plain_file_stops_only_its_own_workspace(repository: Repository) -> None:
    repository.commit({"workspaces.d/good.yaml": WORKSPACE, "workspaces.d/in/x.yaml": WORKSPACE})
    (repository.folder / "workspaces.d/link.yaml").symlink_to("/etc/passwd")
    commit = repository.commit({"workspaces.d/long.yaml": b"#" * (MAX_BYTES + 1)})
    repository.put("160000", commit, "workspaces.d/sub.yaml")
    found = read(repository)
    assert found.specs.keys() == {"good"}
    told = {id_: problems[0].message for id_, problems in found.invalid.items()}
    assert told == {
        "in": "a folder inside the folder is not read",
        "link": "is a symbolic link",
        "long": "the file has more than 64 KiB",
        "sub": "is a submodule",
    }


def test_names_that_are_no_utf8_are_told_and_stop_only_themselves(repository: Repository) -> None:
    repository.commit(
        {"workspaces.d/good.yaml": WORKSPACE, "workspaces.d/b\udcffd.yaml": WORKSPACE}
    )
    found = read(repository)
    assert found.specs.keys() == {"good"}
    assert all(problem.file.isprintable() for problem in found.problems)
    assert len(found.invalid) == 1


@pytest.mark.parametrize("ref", ["--all", "--help", "nothing", "main:workspaces.d", "a\0b", ""])
def test_a_name_of_no_commit_is_said_so(repository: Repository, ref: str) -> None:
    repository.commit({"workspaces.d/one.yaml": WORKSPACE})
    with pytest.raises(GitRefError):
        tree.resolve(repository.git, ref)


def test_names_that_look_like_options_are_names(repository: Repository) -> None:
    commit = repository.commit({"--all/-v.yaml": WORKSPACE, "--all/one.yaml": WORKSPACE})
    repository.call("update-ref", "refs/heads/--upload-pack=x", commit)
    assert tree.resolve(repository.git, "--upload-pack=x") == commit
    assert read(repository, path="--all").specs.keys() == {"one"}


@pytest.mark.parametrize("path", ["nothing", "README.md", "../workspaces.d", "workspaces.d/../x"])
def test_a_folder_that_is_not_there_is_said_so(repository: Repository, path: str) -> None:
    commit = repository.commit({"workspaces.d/one.yaml": WORKSPACE, "README.md": b"hello"})
    with pytest.raises(GitRefError):
        tree.entries(repository.git, commit, path)


def test_a_repository_that_lacks_objects_is_not_an_empty_folder(repository: Repository) -> None:
    commit = repository.commit({"workspaces.d/one.yaml": WORKSPACE})
    git = repository.git
    listed = tree.entries(git, commit, "workspaces.d")
    blob, folder = listed[0].sha, repository.call("rev-parse", "HEAD:workspaces.d")
    (repository.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitError, match="lacks the file"):
        tree.files(git, listed)
    (repository.folder / ".git/objects" / folder[:2] / folder[2:]).unlink()
    with pytest.raises((GitError, GitRefError)):
        tree.entries(git, commit, "workspaces.d")


def test_the_repositorys_own_settings_run_nothing(repository: Repository, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    commit = repository.commit({"workspaces.d/one.yaml": WORKSPACE})
    repository.call("config", "core.fsmonitor", f"touch {ran}; false")
    repository.call("config", "alias.ls-tree", f"!touch {ran}")
    assert tree.entries(repository.git, commit, "workspaces.d")
    assert not ran.exists()


def test_gits_words_are_cut_and_printable() -> None:
    assert (
        said(b"a\nb\x1b[31m\n\nfatal: c" + b"x" * 1000) == ("b?[31m; fatal: c" + "x" * 1000)[:400]
    )
    assert said(b"") == "no word"


def test_what_git_says_of_a_folder_that_is_no_repository_is_told(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        Git(folder=tmp_path).run("cat-file", "-t", "HEAD")


def test_a_call_that_takes_too_long_is_ended(repository: Repository) -> None:
    with pytest.raises(GitError, match="took longer"):
        repository.git.run("cat-file", "--batch", timeout=0.0)
