"""What is told of the git repository that is followed: to everybody how far it is, the rest to admins.

Its address, its folder and git's own words may name hosts and other people's workspaces. Pure.
"""

from datetime import datetime
from typing import Final, Literal

import msgspec

from gateway.proxy.seams import Visitor
from state_index.repository import Followed, Wishes

State = Literal["none", "applying", "applied", "failed"]

SOME_ERROR: Final = "the repository, or its newest commit, can't be gone by at the moment"
"""What is told of an error to who is no admin."""


class PausedBody(msgspec.Struct, frozen=True, kw_only=True):
    """Since when new commits are left alone, who wants that, and why."""

    at: datetime
    by: str
    reason: str


class RepositoryBody(msgspec.Struct, frozen=True, kw_only=True):
    """The git repository that is followed, and how far its commit is applied.

    `state` is `none` (there is none, or no commit yet), `applying`, `applied` or `failed`. `attempted` is
    the commit whose files count, `applied` the last one of which every workspace came to be. `waiting`
    and `failures` are of the visitor's own workspaces, of everybody's for admins; `error` says why the
    repository can't be gone by, while nothing is removed by it. `url`, `path`, `head` and the words of
    an error are for admins.
    """

    followed: bool
    state: State
    branch: str
    attempted: str
    attempted_at: datetime | None
    applied: str
    applied_at: datetime | None
    waiting: list[str]
    failures: dict[str, str]
    paused: PausedBody | None
    error: str
    error_since: datetime | None
    url: str
    path: str
    head: str
    head_at: datetime | None


def body_of(
    followed: Followed, wishes: Wishes, *, visitor: Visitor, own: frozenset[str]
) -> RepositoryBody:
    """Give what a visitor is told.

    Args:
        followed: What the index says of the repository.
        wishes: What is asked about it.
        visitor: Who asks.
        own: Ids of the visitor's workspaces.
    """
    admin = visitor.admin
    pause = wishes.paused_at
    paused = PausedBody(at=pause, by=wishes.paused_by, reason=wishes.reason) if pause else None
    return RepositoryBody(
        followed=bool(followed.url),
        state=state_of(followed),
        branch=followed.branch,
        attempted=followed.attempted,
        attempted_at=followed.attempted_at,
        applied=followed.applied,
        applied_at=followed.applied_at,
        waiting=[id_ for id_ in followed.waiting if admin or id_ in own],
        failures={id_: told for id_, told in followed.failures.items() if admin or id_ in own},
        paused=paused if followed.url else None,
        error=followed.error if admin or not followed.error else SOME_ERROR,
        error_since=followed.error_since,
        url=followed.url if admin else "",
        path=followed.path if admin else "",
        head=followed.head if admin else "",
        head_at=followed.head_at if admin else None,
    )


def state_of(followed: Followed) -> State:
    """Tell how far the commit is, in one word."""
    if not followed.attempted:
        return "none"
    if followed.failures:
        return "failed"
    done = not followed.waiting and followed.applied == followed.attempted
    return "applied" if done else "applying"
