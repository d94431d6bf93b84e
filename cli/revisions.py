"""Waits until a commit is applied, or can't be."""

from contextlib import closing
from typing import TYPE_CHECKING

from cli import repository
from cli.failures import CliError
from cli.repository import SHORT

if TYPE_CHECKING:
    from settings.model import RunnerSettings
    from state_index.repository import Followed


def await_applied(settings: "RunnerSettings", revision: str, *, timeout: float) -> str:
    """Wait until a commit, or one after it, is applied; that one.

    Raises:
        CliError: the time is over, or what failed waits for a person or another commit.
    """
    from cli.looks import looks

    followed: Followed | None = None
    with closing(
        looks(settings, lambda opened: opened.repository.followed(), within=timeout)
    ) as found:
        for followed in found:
            if includes(settings, followed.applied, revision):
                return followed.applied
            if _is_hopeless(settings, followed, revision):
                hint = "mend it by another commit, or see: codehub status"
                raise CliError(_told(revision, followed), hint=hint)
    hint = "codehub status says what it waits for"
    raise CliError(f"timed out: {_told(revision, followed)}", hint=hint)


def includes(settings: "RunnerSettings", commit: str, revision: str) -> bool:
    """Whether a commit is a revision, or comes after it, as far as the copy of the repository tells."""
    if not commit:
        return False
    if commit.startswith(revision.lower()):
        return True
    from stacks.errors import StacksError
    from stacks.git import tree
    from stacks.git.command import Git
    from stacks.git.mirror import comes_after

    git = Git(folder=settings.paths.mirror, bare=True)
    try:
        return comes_after(git, commit, tree.resolve(git, revision))
    except StacksError:
        return False


def _is_hopeless(settings: "RunnerSettings", followed: "Followed", revision: str) -> bool:
    stuck = bool(followed.failures) and not followed.waiting
    return stuck and includes(settings, followed.attempted, revision)


def _told(revision: str, followed: "Followed | None") -> str:
    if followed is None or not followed.url:
        return "no repository is followed here"
    if followed.failures:
        return f"{revision[:SHORT]} is not applied: {repository.failed(followed)}"
    at = followed.attempted[:SHORT] or "no commit"
    more = f": {followed.error}" if followed.error else ""
    return f"{revision[:SHORT]} is not applied; the runner is at {at}{more}"
