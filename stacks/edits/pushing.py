"""Pushes one commit to one ref, and says what a refusal means.

The ref moves only from the very commit that the new one was made on (`--force-with-lease`, though it
never is a force: the new one comes after it). So neither another's push is undone, nor a commit that
somebody took back meanwhile brought in again.
"""

import asyncio
from pathlib import Path

from stacks.errors import GitError, PushRefusedError
from stacks.git.command import Git
from stacks.git.remote import Remote
from stacks.git.transfer import transfer

_OVERTAKEN = (
    "[rejected]", "stale info", "cannot lock ref", "failed to update ref", "incorrect old value",
    "reference already exists",
)  # fmt: skip
"""What git, or the server, says when the ref is not there any more where it was."""

_REFUSED = (
    "[remote rejected]", "hook declined", "protected branch", "error: 403", "error: 401",
    "authentication failed", "could not read username", "permission denied", "access denied",
    "read only", "read-only", "not allowed", "denied to", "unpack failed", "service not enabled",
)  # fmt: skip
"""What a server says that does not let us write: trying again does not help."""


_NOISE = ("To ", "error: failed to push some refs", "hint:")


def _useful(told: str) -> str:
    """Leave out what a message has no room for: the server's own words come before."""
    lines = (line for line in told.splitlines() if not line.startswith(_NOISE))
    return "\n".join(line for line in lines if line.strip() != "remote:")


async def push(
    git: Git, remote: Remote, commit: str, branch: str, *, onto: str, within: float, folder: Path
) -> str:
    """Push a commit; "" when it is there, else git's words for a branch that is not where it was.

    Of a lock that somebody holds on the branch a server says nearly the same: whether somebody was
    faster is told by the branch.

    Args:
        git: A repository that has the commit.
        remote: Where it goes.
        commit: The commit.
        branch: The branch that it becomes the newest commit of.
        onto: The commit that the branch is at; "" where it must not be there.
        within: Seconds that it may take.
        folder: A folder whose size is bounded meanwhile.

    Raises:
        PushRefusedError: We may not push there.
        GitAccessError: How to log in can't be read, or is refused here.
        GitError: The server does not answer, or broke off: the commit may be there.
    """
    login = await asyncio.to_thread(remote.login)
    ref = f"refs/heads/{branch}"
    try:
        await transfer(
            git,
            *("push", "--quiet", "--no-verify", "--recurse-submodules=no"),
            *(f"--force-with-lease={ref}:{onto}", "--end-of-options", remote.url),
            f"{commit}:{ref}",
            within=within,
            environment={**login.environment, "HOME": str(folder)},  # no .netrc there
            protocol=remote.scheme,
            folder=folder,
            hide=lambda told: _useful(login.hidden(told)),
        )
    except GitError as error:
        told = error.message.lower()
        if any(words in told for words in _OVERTAKEN):
            return error.message
        if any(words in told for words in _REFUSED):
            raise PushRefusedError(f"the repository refuses: {error.message}") from None
        raise GitError(error.message, step="push") from None
    return ""


def is_there(told: str) -> bool:
    """Whether words of `push` surely mean that a branch is there that must not be."""
    return any(words in told.lower() for words in ("stale info", "already exists"))
