"""A workspace's history as the API gives it: its phases, and the commits that touched its file. Pure.

What people wrote is passed on as it is: who shows it escapes it. It is read by `controllers.history`.
"""

from datetime import datetime
from typing import Final, Self

import msgspec

from gateway.proxy.seams import Visitor
from gateway.runner import CommitTold
from state_index.models import HistoryRow

PHASES: Final = 20
PHASES_MAX: Final = 200
COMMITS_MAX: Final = 100
DIFFS_MAX: Final = 20


class PhaseBody(msgspec.Struct, frozen=True, kw_only=True):
    """One change of phase: `before` and `after` (null: there was, or is, no row), why and by whom.

    `revision` is the content of its file as git names it, `request_id` the request behind it.
    """

    at: datetime
    before: str | None
    after: str | None
    event: str
    cause: str
    actor: str
    request_id: str
    revision: str

    @classmethod
    def of(cls, row: HistoryRow) -> Self:
        """Make the body from a row of the index."""
        return cls(
            at=row.at,
            before=None if row.from_phase is None else str(row.from_phase),
            after=None if row.to_phase is None else str(row.to_phase),
            event=row.event,
            cause=row.cause,
            actor=row.actor,
            request_id=row.request_id,
            revision=row.revision,
        )


class CommitBody(msgspec.Struct, frozen=True, kw_only=True):
    """A commit that touched the file: `author` and `subject` are what its maker wrote.

    `diff` is the file's, where it was asked for, without what looks like a secret; `cut` tells that it is
    longer, `withheld` that it is for admins only, as the file was somebody else's before or after it.
    """

    commit: str
    author: str
    at: str
    subject: str
    diff: str
    cut: bool
    withheld: bool

    @classmethod
    def of(cls, told: CommitTold, *, visitor: Visitor, owner: str) -> Self:
        """Make the body for a visitor, of a workspace of that owner now."""
        withheld = bool(told.diff) and not visitor.admin and set(told.owners) != {owner}
        return cls(
            commit=told.commit,
            author=told.author,
            at=told.at,
            subject=told.subject,
            diff="" if withheld else told.diff,
            cut=told.cut and not withheld,
            withheld=withheld,
        )


class HistoryBody(msgspec.Struct, frozen=True, kw_only=True):
    """How a workspace came to be as it is, newest first.

    `commits` are those of the followed branch that touched its file; `commits_error` says why there are
    none, when they could not be had.
    """

    phases: list[PhaseBody]
    commits: list[CommitBody]
    commits_error: str
