"""Commits are read without a checkout, and what is no plain file stops only itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from spec import FolderRead, read_folder
from spec.files import read_files
from spec.shared import MOST_FILES
from spec.templates import check_template
from spec.text import MAX_BYTES
from stacks.errors import GitError, GitRefError
from stacks.git import tree
from stacks.git.command import Git, said
from stacks.git.reading import Readings
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


CLASS = b'id: class-{name}\neach: [{name: a}]\nworkspace: {owner: "{name}"}\n'
BESIDE = {
    "workspaces.d/_defaults.yaml": b"image: codehub/light\n",
    "workspaces.d/_generators/class.yaml": CLASS,
    "workspaces.d/_templates/plain.yaml": b"state: warm\n",
    "workspaces.d/aa.yaml": b"owner: alice\n",
}


def both(repository: Repository) -> FolderRead:
    """What a commit says, read in two ways, and as a folder."""
    git, commit = repository.git, tree.resolve(repository.git, "HEAD")
    found = read_files(tree.all_files(git, commit, "workspaces.d"), label="workspaces.d")
    readings = Readings("workspaces.d")
    for _ in range(2):
        assert readings.files(git, commit) == replace(
            found, rules=readings.files(git, commit).rules
        )
    return found


def test_what_files_say_together_is_read_as_in_a_folder(repository: Repository) -> None:
    repository.commit(BESIDE)
    found = both(repository)
    assert found.specs.keys() == {"aa", "class-a"}
    assert found.problems == []
    assert found == read_folder(repository.folder / "workspaces.d")
    blob = repository.call("rev-parse", "HEAD:workspaces.d/_generators/class.yaml")
    assert found.revisions["class-a"] == blob


def test_workspaces_are_read_without_the_templates(repository: Repository) -> None:
    commit = repository.commit({**BESIDE, "workspaces.d/_templates/bad.yaml": b"state: cold\n"})
    readings = Readings("workspaces.d")
    found = readings.files(repository.git, commit)
    assert [problem.key for problem in found.problems] == ["state"]
    check_template.cache_clear()
    alone = readings.workspaces(repository.git, commit)
    assert alone == replace(found, problems=[], shared_problems=())
    assert readings.read(repository.git, commit).specs == found.specs
    assert check_template.cache_info().misses == 0


def test_a_reading_is_kept_with_its_defaults_only(repository: Repository) -> None:
    readings = Readings("workspaces.d")
    images = []
    for image in (b"one", b"two", b"one"):
        commit = repository.commit(
            {**BESIDE, "workspaces.d/_defaults.yaml": b"image: %s\n" % image}
        )
        images.append(readings.files(repository.git, commit).specs["aa"].image)
    assert images == ["one", "two", "one"]


def test_what_is_no_file_there_lets_nothing_be_removed(repository: Repository) -> None:
    commit = repository.commit({**BESIDE, "workspaces.d/_generators/in/x.yaml": CLASS})
    (repository.folder / "workspaces.d/_generators/link.yaml").symlink_to("class.yaml")
    long = b"#" * ((256 << 10) + 1)
    repository.commit(
        {"workspaces.d/_generators/long.yaml": long, "workspaces.d/_generators/x.md": b""}
    )
    repository.put("160000", commit, "workspaces.d/_generators/sub.yaml")
    found = both(repository)
    assert found.specs.keys() == {"aa", "class-a"}
    assert [(problem.file.rpartition("/")[2], problem.message) for problem in found.problems] == [
        ("in", "a folder inside the folder is not read"),
        ("link.yaml", "is a symbolic link"),
        ("long.yaml", "the file has more than 256 KiB"),
        ("sub.yaml", "is a submodule"),
    ]
    assert len(found.unread) == 4


def test_more_generators_than_are_read(repository: Repository) -> None:
    many = {f"workspaces.d/_generators/g{n}.yaml": CLASS for n in range(MOST_FILES + 1)}
    repository.commit({**BESIDE, **many})
    found = both(repository)
    assert [problem.message for problem in found.problems] == [
        f"holds more than {MOST_FILES} files"
    ]
    assert found.doubt


def test_defaults_that_are_a_folder_or_a_submodule(repository: Repository) -> None:
    commit = repository.commit(
        {"workspaces.d/_defaults.yaml/x": b"", "workspaces.d/aa.yaml": WORKSPACE}
    )
    assert [problem.message for problem in both(repository).problems] == ["is a folder"]
    repository.commit({"workspaces.d/_defaults.yaml/x": None})
    repository.put("160000", commit, "workspaces.d/_defaults.yaml")
    found = both(repository)
    assert [problem.message for problem in found.problems] == ["is a submodule"]
    assert (found.specs, set(found.invalid)) == ({}, {"aa"})
