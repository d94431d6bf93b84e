"""Both sides of a pull request, read from real repositories."""

from pathlib import Path

import pytest

from stacks.errors import GitError, GitRefError
from stacks.review import commits
from stacks.review.compare import review
from stacks.review.model import Action, Review
from stacks.review.readings import Readings
from tests.stacks.git.repository import WORKSPACE, Repository

OTHER = b"owner: alice\nimage: other\n"
PATH = "workspaces.d"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def reviewed(
    repository: Repository, base: str = "main", head: str = "pr", path: str = PATH
) -> Review:
    sides = commits.read(repository.git, base=base, head=head, path=path, reader=Readings())
    found = review(sides.base, sides.head, moved=sides.moved, commits=sides.commits)
    plain = commits.read(repository.git, base=base, head=head, path=path)
    assert review(plain.base, plain.head, moved=plain.moved, commits=plain.commits) == found
    return found


def actions(found: Review) -> dict[str, Action]:
    return {each.id: each.action for each in found.workspaces}


def branch(repository: Repository, name: str = "pr") -> None:
    repository.call("checkout", "-q", "-B", name)


def test_a_branch_is_compared_with_where_it_began(repository: Repository) -> None:
    files = {f"{PATH}/{id_}.yaml": WORKSPACE for id_ in ("aa", "bb", "cc")}
    repository.commit(files)
    branch(repository)
    repository.commit({f"{PATH}/aa.yaml": OTHER})
    repository.call("checkout", "-q", "main")
    base = repository.commit({f"{PATH}/bb.yaml": None, f"{PATH}/dd.yaml": WORKSPACE})
    found = reviewed(repository)
    assert actions(found) == {"aa": Action.REPLACE}
    assert (found.base, found.head) == (base, repository.call("rev-parse", "pr"))
    assert found.unchanged == 2


def test_one_file_on_both_sides_is_two_readings(repository: Repository) -> None:
    repository.commit({f"{PATH}/aa.yaml": WORKSPACE})
    branch(repository)
    repository.commit({f"{PATH}/aa.yaml": OTHER})
    (found,) = reviewed(repository).workspaces
    assert [(change.before, change.after) for change in found.changes] == [
        ('"codehub/light"', '"other"')
    ]


def test_what_both_changed_is_told(repository: Repository) -> None:
    files = {f"{PATH}/{id_}.yaml": WORKSPACE for id_ in ("aa", "bb", "cc", "same")}
    repository.commit(files)
    branch(repository)
    new = {f"{PATH}/aa.yaml": OTHER, f"{PATH}/same.yaml": OTHER, f"{PATH}/bb.yaml": None}
    repository.commit({**new, f"{PATH}/cc.yaml": OTHER})
    repository.call("checkout", "-q", "main")
    third = b"owner: alice\nimage: third\n"
    repository.commit(
        {f"{PATH}/aa.yaml": third, f"{PATH}/same.yaml": OTHER, f"{PATH}/bb.yaml": third}
    )
    found = reviewed(repository)
    assert {each.id: each.moved for each in found.workspaces} == {
        "aa": True,
        "bb": True,
        "cc": False,
    }


def test_files_that_wait_for_each_other_are_judged_as_merged(repository: Repository) -> None:
    """Neither branch alone has two files that claim one former id; merging the second makes them."""
    repository.commit({f"{PATH}/old.yaml": WORKSPACE, f"{PATH}/aa.yaml": WORKSPACE})
    branch(repository)
    claim = WORKSPACE + b"formerly: old\n"
    repository.commit({f"{PATH}/old.yaml": None, f"{PATH}/mine.yaml": claim})
    repository.call("checkout", "-q", "main")
    repository.commit({f"{PATH}/old.yaml": None, f"{PATH}/theirs.yaml": claim})
    found = reviewed(repository)
    assert actions(found) == {"mine": Action.INVALID, "theirs": Action.INVALID}


def test_renames_are_found(repository: Repository) -> None:
    repository.commit({f"{PATH}/old.yaml": WORKSPACE, f"{PATH}/aa.yaml": WORKSPACE})
    branch(repository)
    repository.commit(
        {f"{PATH}/old.yaml": None, f"{PATH}/fresh.yaml": WORKSPACE + b"formerly: old\n"}
    )
    (found,) = reviewed(repository).workspaces
    assert (found.id, found.action, found.formerly) == ("fresh", Action.RENAME, "old")


def test_the_first_pull_request_has_no_folder_on_base(repository: Repository) -> None:
    repository.commit({"README.md": b"hello"})
    branch(repository)
    repository.commit({f"{PATH}/aa.yaml": WORKSPACE})
    found = reviewed(repository)
    assert actions(found) == {"aa": Action.CREATE}
    assert found.notes[0].startswith("base has no folder of workspace files yet")


@pytest.mark.parametrize("instead", [None, b"a file in its place"])
def test_a_folder_that_goes_deletes_nothing(repository: Repository, instead: bytes | None) -> None:
    repository.commit({f"{PATH}/aa.yaml": WORKSPACE, "README.md": b"hello"})
    branch(repository)
    repository.call("rm", "-rq", PATH)
    repository.commit({PATH: instead} if instead else {})
    found = reviewed(repository)
    assert [(each.id, each.action, each.held) for each in found.workspaces] == [
        ("aa", Action.DELETE, True)
    ]
    assert found.notes[0].startswith("head has no folder of workspace files")


def test_what_is_no_file_stops_only_itself(repository: Repository) -> None:
    commit = repository.commit({f"{PATH}/aa.yaml": WORKSPACE, f"{PATH}/link.yaml": WORKSPACE})
    branch(repository)
    (repository.folder / PATH / "link.yaml").unlink()
    (repository.folder / PATH / "link.yaml").symlink_to("/etc/passwd")
    repository.commit({f"{PATH}/aa.yaml": OTHER, f"{PATH}/b\udcffd.yaml": WORKSPACE})
    repository.put("160000", commit, f"{PATH}/sub.yaml")
    found = actions(reviewed(repository))
    assert found.pop("aa") is Action.REPLACE
    assert found.keys() >= {"link", "sub"}
    assert set(found.values()) == {Action.INVALID}


def test_other_folders_and_the_top_can_be_the_path(repository: Repository) -> None:
    repository.commit({"a/b/aa.yaml": WORKSPACE, "cc.yaml": WORKSPACE})
    branch(repository)
    repository.commit({"a/b/aa.yaml": OTHER, "cc.yaml": OTHER})
    assert actions(reviewed(repository, path="a/b")) == {"aa": Action.REPLACE}
    assert actions(reviewed(repository, path=""))["cc"] is Action.REPLACE


def test_a_folder_that_neither_commit_has_is_a_slip(repository: Repository) -> None:
    repository.commit({f"{PATH}/aa.yaml": WORKSPACE})
    branch(repository)
    with pytest.raises(GitRefError, match="neither commit has a folder"):
        reviewed(repository, path="workspace.d")


def test_rules_of_the_branch_do_not_count_yet(repository: Repository) -> None:
    repository.commit({f"{PATH}/aa.yaml": WORKSPACE, f"{PATH}/_owners.yaml": b"{}"})
    branch(repository)
    repository.commit({f"{PATH}/_owners.yaml": b"{a: b}"})
    sides = commits.read(repository.git, base="main", head="pr", path=PATH)
    assert sides.notes == (
        "changes _owners.yaml: that counts once it is merged, and not for this review",
    )
    assert reviewed(repository).workspaces == ()


def test_commits_that_are_not_there_are_told(repository: Repository, tmp_path: Path) -> None:
    repository.commit({f"{PATH}/aa.yaml": WORKSPACE})
    for base, head in (("main", "nothing"), ("--help", "main")):
        with pytest.raises(GitRefError, match="no commit"):
            reviewed(repository, base, head)
    repository.call("checkout", "-q", "--orphan", "pr")
    repository.commit({f"{PATH}/aa.yaml": OTHER})
    with pytest.raises(GitRefError, match="no commit in common") as caught:
        reviewed(repository)
    assert "shallow" in caught.value.remedy


def test_a_repository_that_lacks_objects_is_not_an_empty_folder(repository: Repository) -> None:
    repository.commit({f"{PATH}/aa.yaml": WORKSPACE})
    branch(repository)
    repository.commit({f"{PATH}/aa.yaml": OTHER})
    tree = repository.call("rev-parse", "pr^{tree}")
    (repository.folder / ".git/objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(GitError):
        reviewed(repository)
