"""Finds the two commits of a forge's pull request in a local repository, which a job has fetched.

What a forge says is not trusted with more than which commits are meant: a branch's name is quoted where
it is shown, and is never an option of git's.
"""

import shlex

from stacks.errors import GitError, GitRefError
from stacks.git import tree
from stacks.git.command import Git
from stacks.git.mirror import comes_after


def commits_of(
    git: Git, *, number: int, base_ref: str, base_sha: str | None, head_sha: str, head_at: str
) -> tuple[str, str]:
    """Give base as it is now, as far as it was fetched, and head.

    A forge names the base that the branch was pushed onto. Where `origin` has the base branch, and
    it comes after that, it counts: rules and files that were merged since are those that a merge meets.

    Args:
        git: The repository.
        number: The pull request's.
        base_ref: The branch that it is to be merged into.
        base_sha: What that was when it was last pushed to; None where the forge does not say.
        head_sha: Its last commit.
        head_at: Where the forge has that commit, such as `refs/pull/7/head`.

    Raises:
        GitRefError: One of them is not here; it says how to fetch it.
    """
    kept = f"refs/remotes/origin/{base_ref}"
    fetched = _had(git, kept)
    base = base_sha and _had(git, base_sha)
    if fetched and (base_sha is None or comes_after(git, fetched, base_sha)):
        base = fetched
    if not base:
        raise _lacking("base", number, f"+refs/heads/{base_ref}:{kept}")
    head = _had(git, head_sha)
    if not head:
        raise _lacking("head", number, head_at)
    return base, head


def _had(git: Git, ref: str) -> str:
    try:
        return tree.resolve(git, ref)
    except (GitRefError, GitError):
        return ""


def _lacking(side: str, number: int, ref: str) -> GitRefError:
    shown = shlex.quote(ref if ref.isprintable() else ascii(ref))
    return GitRefError(
        f"the repository here lacks the {side} of pull request {number}",
        step="read",
        remedy=f"Fetch it, without `--depth` or `--filter`: git fetch origin {shown}",
    )
