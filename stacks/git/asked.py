"""Decides whether a commit that someone asked for may count. It reads the copy of the repository only.

With `repo_applier = ci`, no commit counts by being pushed: a job asks for one, after the branch has it.
So the branch and its review still say what may run, and whoever may ask can choose only among that.
"""

from stacks.asking import Revision
from stacks.errors import GitRefError, RevisionRefusedError
from stacks.git import tree
from stacks.git.commits import SHORT
from stacks.git.mirror import Mirror
from stacks.git.reading import Readings
from state_index.repository import Wishes

NOT_ASKED = "no commit was asked for yet: `codehub up --revision SHA`"


def taken(
    mirror: Mirror,
    readings: Readings,
    revision: Revision,
    *,
    branch: str,
    wishes: Wishes,
    before: str,
) -> tuple[str, tuple[str, ...]]:
    """Give the whole id of a commit that may count, and the workspaces that it has.

    Args:
        mirror: The copy, just fetched.
        readings: Reads it: a commit that can't be read never counts.
        revision: What is asked for.
        branch: The branch's name.
        wishes: What else is asked.
        before: The commit that counts now, "" when none does.

    Raises:
        RevisionRefusedError: It may not; it says why.
        GitRefError: It has no such folder.
        GitError: It can't be read.
    """
    if wishes.paused:
        told = f"new commits are left alone: paused by {wishes.paused_by or 'someone'}"
        raise RevisionRefusedError(told, remedy="End it: `codehub resume`.")
    head = mirror.head()
    try:
        commit = tree.resolve(mirror.git, revision.commit)
    except GitRefError:  # the copy has this branch alone
        commit = ""
    short = (commit or revision.commit)[:SHORT]
    if not commit or not mirror.comes_after(head, commit):
        told = f"{short} is not on the branch {branch}, which is at {head[:SHORT]}"
        raise RevisionRefusedError(told, remedy="Merge it first; then ask for what was merged.")
    is_older = bool(before) and before != commit and mirror.comes_after(before, commit)
    if is_older and not revision.allow_older:
        raise RevisionRefusedError(
            f"{short} comes before {before[:SHORT]}, which counts now and has it",
            remedy="To go back, revert on the branch; or allow it: --allow-older.",
        )
    return commit, tuple(sorted(readings.read(mirror.git, commit).specs))
