"""The interface to a forge: what CodeHub wants of one, and nothing more."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from forges.sections import Name


class Kind(StrEnum):
    """The forges that CodeHub knows; Forgejo is a Gitea."""

    GITHUB = "github"
    GITEA = "gitea"
    GITLAB = "gitlab"


class State(StrEnum):
    """What a commit status says."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """A pull request, or what GitLab calls a merge request.

    Attributes:
        number: As people write it.
        title: Anybody's words: escape them before they go into a comment.
        author: Login of who opened it; "" where nobody has that account any more.
        base_ref: Branch that it is to be merged into.
        base_sha: What that branch was when the pull request was last pushed to; None while GitLab still
            prepares it.
        head_ref: Branch that it comes from; of a fork, a name in the fork.
        head_sha: Its newest commit.
        from_fork: Whether it comes from another repository, also one that is gone by now.
        merged: Whether it was merged.
        merge_sha: The commit by which it is in the base branch; None before.
        url: Its page.
        merged_by: Login of who merged it, as the forge says, and no text of a commit; "" where it does not.
        text: What its opener wrote, title included: anybody's words.
    """

    number: int
    title: str
    author: str
    base_ref: str
    base_sha: str | None
    head_ref: str
    head_sha: str
    from_fork: bool
    merged: bool
    merge_sha: str | None
    url: str
    merged_by: str = ""
    text: str = field(default="", compare=False, repr=False)


class Forge(Protocol):
    """One repository on one forge. Every call may raise a `forges.errors.ForgeError`."""

    async def pull(self, number: int) -> PullRequest:
        """Read a pull request."""

    async def pulls_of_commit(self, sha: str) -> list[PullRequest]:
        """The pull requests by which a commit came into the repository; none where it was pushed."""

    async def pull_of_branch(self, *, base: str, head: str) -> PullRequest | None:
        """The open pull request of a branch of this repository; None where there is none.

        Args:
            base: branch that it is to be merged into.
            head: branch with the changes.
        """

    async def open_pulls(self, base: str) -> list[PullRequest]:
        """The open pull requests into a branch, the last touched first; no more than a hundred.

        Args:
            base: the branch.
        """

    async def open_pull(self, *, base: str, head: str, title: str, body: str) -> PullRequest:
        """Open a pull request of a branch of this repository.

        Args:
            base: branch that it is to be merged into.
            head: branch with the changes.
            title: one line.
            body: Markdown, cut to what the forge takes.
        """

    async def comment(self, pull: int, body: str, *, marker: str, section: Name, head: str) -> None:
        """Have a section of our one comment with this marker on a pull request say this.

        The comment is edited where there is one, else made. Further ones of ours, as two runs at the same
        moment may make, are removed. Sections of other writers stay if they are about the same commit.
        A comment of somebody else is never touched, whatever marker it holds.

        Args:
            pull: number of the pull request.
            body: Markdown, cut to what the forge takes; see `forges.markup` for what must be escaped.
            marker: tells several comments of ours apart; `[a-z0-9-]`.
            section: which part of it.
            head: the commit that it is about, its whole name.
        """

    async def status(
        self, sha: str, state: State, *, context: str, description: str, target_url: str = ""
    ) -> None:
        """Set the status of a commit.

        Args:
            sha: the commit.
            state: what it is.
            context: tells several statuses of one commit apart.
            description: one line, cut to what the forge takes.
            target_url: a page that says more.
        """

    async def close(self) -> None:
        """Close its connections."""
