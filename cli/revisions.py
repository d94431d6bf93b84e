"""Commits on the command line: read as options, asked for, and waited for until applied."""

import re
from contextlib import closing
from typing import TYPE_CHECKING

import click

from cli import repository
from cli.failures import CliError
from cli.repository import SHORT

if TYPE_CHECKING:
    from settings.model import RunnerSettings
    from stacks.asking import Revision
    from state_index.repository import Followed


def read_option(ctx: click.Context, param: click.Parameter, given: str | None) -> str | None:
    """Take the value of `--revision`.

    Raises:
        BadParameter: it is no commit's id.
    """
    if given is not None and not re.fullmatch(r"[0-9a-fA-F]{7,64}", given):
        raise click.BadParameter("a commit's id is wanted, of 7 characters at least", ctx, param)
    return given.lower() if given else None


def wanted(revision: str | None, *, allow_older: bool) -> "Revision | None":
    """What `up` is asked for by its options."""
    if revision is None:
        return None
    from stacks.asking import Revision

    return Revision(commit=revision, allow_older=allow_older)


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
