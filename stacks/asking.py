"""A commit that someone asks to be applied, and where none may be asked for. Pure.

Whether it may count is decided by `stacks.git.asked`.
"""

import re
from dataclasses import dataclass

from stacks.errors import BadRequestError, RevisionRefusedError

_SHA = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, kw_only=True)
class Revision:
    """What is asked for.

    Attributes:
        commit: Its id, of 7 characters at least.
        allow_older: Whether it may come before the one that counts.
    """

    commit: str
    allow_older: bool = False

    def __post_init__(self) -> None:
        """Refuse what git could take for something else than a commit's id.

        Raises:
            BadRequestError: It is no id.
        """
        if not _SHA.fullmatch(self.commit):
            raise BadRequestError("a commit's id is wanted, of 7 characters at least")


def not_here() -> RevisionRefusedError:
    """Give the refusal where no repository is followed."""
    told = "no repository is followed here, so there is no commit to apply"
    return RevisionRefusedError(told, remedy="Name one: CODEHUB_REPO.")


def not_ours(revision: Revision, branch: str) -> RevisionRefusedError:
    """Give the refusal where the branch alone says what counts."""
    return RevisionRefusedError(
        f"what counts is what the branch {branch} says (repo_applier is daemon)",
        remedy=f"Wait for it: `codehub wait --revision {revision.commit}`.",
    )


def overtaken(commit: str, by: str) -> RevisionRefusedError:
    """Give the refusal where another commit was asked for before this one's turn."""
    told = f"{commit[:12]} was not applied: {by[:12] or 'no commit'} was asked for meanwhile"
    return RevisionRefusedError(told, remedy="Wait for that one: `codehub wait --revision`.")
