"""The commits of a pull request, found in what a job has fetched; what is missing is named as it is fetched."""

import shlex
from pathlib import Path

import pytest

from stacks.errors import GitRefError
from stacks.review.pulls import commits_of
from tests.stacks.git.repository import WORKSPACE, Repository

UNKNOWN = "f" * 40


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.commit({"workspaces.d/aa.yaml": WORKSPACE})
    made.call("checkout", "-q", "-b", "pr")
    made.commit({"workspaces.d/bb.yaml": WORKSPACE})
    return made


def found(
    repository: Repository, *, base: str | None, head: str, ref: str = "main"
) -> tuple[str, str]:
    return commits_of(
        repository.git,
        number=7,
        base_ref=ref,
        base_sha=base,
        head_sha=head,
        head_at="refs/pull/7/head",
    )


def test_they_are_those_that_the_forge_names(repository: Repository) -> None:
    base, head = (repository.call("rev-parse", name) for name in ("main", "pr"))
    assert found(repository, base=base, head=head) == (base, head)


def test_a_newer_base_that_was_fetched_counts_and_an_older_one_does_not(
    repository: Repository,
) -> None:
    old, head = (repository.call("rev-parse", name) for name in ("main", "pr"))
    repository.call("checkout", "-q", "main")
    new = repository.commit({"workspaces.d/cc.yaml": WORKSPACE})
    repository.call("update-ref", "refs/remotes/origin/main", new)
    assert found(repository, base=old, head=head) == (new, head)
    assert found(repository, base=None, head=head) == (new, head)
    repository.call("update-ref", "refs/remotes/origin/main", old)
    assert found(repository, base=new, head=head) == (new, head)


@pytest.mark.parametrize(
    ("base", "head", "side", "fetch"),
    [
        (UNKNOWN, "pr", "base", "+refs/heads/main:refs/remotes/origin/main"),
        (None, "pr", "base", "+refs/heads/main:refs/remotes/origin/main"),
        ("main", UNKNOWN, "head", "refs/pull/7/head"),
    ],
)
def test_what_is_missing_is_named_with_how_to_fetch_it(
    repository: Repository, base: str | None, head: str, side: str, fetch: str
) -> None:
    commits = {name: repository.call("rev-parse", name) for name in ("main", "pr")}
    with pytest.raises(GitRefError, match=f"lacks the {side} of pull request 7") as error:
        found(repository, base=commits.get(base or "", base), head=commits.get(head, head))
    assert error.value.remedy.endswith(f": git fetch origin {fetch}")


@pytest.mark.parametrize("ref", ["x; rm -rf ~", "$(id)", "--upload-pack=x", "a\nb", "main@{0}"])
def test_a_branchs_name_is_no_command_and_no_option(repository: Repository, ref: str) -> None:
    with pytest.raises(GitRefError) as error:
        found(repository, base=None, head="pr", ref=ref)
    _, _, command = error.value.remedy.partition(": git ")
    words = shlex.split(command)
    assert words[:2] == ["fetch", "origin"]
    assert len(words) == 3
    assert "\n" not in command
