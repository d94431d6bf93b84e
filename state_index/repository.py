"""What the index says of the git repository that is followed, and what is asked about it.

Two rows, one of the runner's and one of whoever asks, so that a gateway needs no right to write the
first. Nothing is decided here: `stacks.git` does.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, TypedDict, Unpack

import sqlalchemy as sa

from state_index.schema import clock, repository, repository_wishes
from state_index.transactions import Shared

LISTENER = "repository"
"""Name under which whoever asks nudges the runner's follower of the repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What the runner says about its repository.

    Attributes:
        url: where it is; never with a password.
        branch: which branch.
        path: which folder.
        head: the newest commit that was fetched, or empty.
        head_at: when the repository last answered.
        attempted: the commit whose files count, or empty.
        attempted_at: since when.
        applied: the last commit of which every workspace came to be as its file says, or empty.
        applied_at: when it had.
        base: the last commit by which files might be removed; one that does not come after it
            removes nothing.
        waiting: workspaces that `attempted` is not applied to yet.
        failures: why not, by workspace, for those that wait for a person or a new commit.
        error: why the repository could not be read, or why nothing is removed; empty when all is well.
        error_since: since when.
    """

    url: str = ""
    branch: str = ""
    path: str = ""
    head: str = ""
    head_at: datetime | None = None
    attempted: str = ""
    attempted_at: datetime | None = None
    applied: str = ""
    applied_at: datetime | None = None
    base: str = ""
    waiting: tuple[str, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    error_since: datetime | None = None


class FollowedChanges(TypedDict, total=False):
    """What `Repository.tell` may change."""

    url: str
    branch: str
    path: str
    head: str
    attempted: str
    applied: str
    base: str
    waiting: tuple[str, ...]
    failures: Mapping[str, str]
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is asked about the repository.

    Attributes:
        asked: how often a look was asked for.
        paused_at: since when new commits are left alone; None: they are not.
        paused_by: who wants that.
        reason: why, in their words.
    """

    asked: int = 0
    paused_at: datetime | None = None
    paused_by: str = ""
    reason: str = ""

    @property
    def paused(self) -> bool:
        """Whether new commits are left alone."""
        return self.paused_at is not None


class Repository(Shared):
    """The rows of one index; make it with `Index.repository`."""

    def followed(self) -> Followed:
        """What the runner says; all empty when it follows none."""
        with self._read() as connection:
            return _followed(connection)

    def wishes(self) -> Wishes:
        """What is asked."""
        with self._read() as connection:
            return _wishes(connection)

    def tell(self, **changes: Unpack[FollowedChanges]) -> Followed:
        """Say what is so, as of now; `head` says that the repository answered, also with the same."""
        with self._write() as connection:
            _in_turn(connection)
            before = _followed(connection)
            values: dict[str, Any] = {**asdict(before), **changes}
            if "head" in changes:
                values["head_at"] = self._now()
            for name in ("attempted", "applied", "error"):
                if values[name] != getattr(before, name):
                    values[_TIMES[name]] = self._now() if values[name] else None
            after = Followed(**values)
            if after != before:
                _replace(connection, _plain(after))
            return after

    def forget(self) -> None:
        """Say that no repository is followed."""
        with self._write() as connection:
            connection.execute(sa.delete(repository))

    def ask(self) -> int:
        """Ask that the repository be looked at soon; how often that was asked so far."""
        with self._ask() as connection:
            more = repository_wishes.c.asked + 1
            done = connection.execute(sa.update(repository_wishes).values(asked=more))
            if not done.rowcount:
                connection.execute(sa.insert(repository_wishes).values(_wish(asked=1)))
            return _wishes(connection).asked

    def pause(self, *, actor: str, reason: str = "") -> Wishes:
        """Have new commits left alone; who paused it first stays named."""
        return self._set_pause(self._now(), actor=actor, reason=reason)

    def resume(self) -> Wishes:
        """Have new commits count again; what the pause was, all empty when there was none."""
        return self._set_pause(None, actor="", reason="")

    def _set_pause(self, at: datetime | None, *, actor: str, reason: str) -> Wishes:
        with self._ask() as connection:
            before = _wishes(connection, locked=True)
            if before.paused == (at is not None):
                return before
            # How often a look was asked for is left alone: others count it.
            told = {"paused_at": at, "paused_by": actor, "reason": reason}
            done = connection.execute(sa.update(repository_wishes).values(told))
            if not done.rowcount:
                connection.execute(sa.insert(repository_wishes).values(_wish(**told)))
            return before if at is None else _wishes(connection)


_TIMES = {"attempted": "attempted_at", "applied": "applied_at", "error": "error_since"}


def _in_turn(connection: sa.Connection) -> None:
    """Wait for others that write what is said: each writes what it read, with its own changes."""
    # Not the row itself, which may be missing; publishing takes its turn by the same lock.
    connection.execute(sa.select(clock.c.id).with_for_update())


def _followed(connection: sa.Connection) -> Followed:
    row = connection.execute(sa.select(repository)).mappings().one_or_none()
    if row is None:
        return Followed()
    values: dict[str, Any] = {str(key): value for key, value in row.items() if key != "id"}
    values["waiting"] = tuple(values["waiting"])
    return Followed(**values)


def _plain(told: Followed) -> dict[str, Any]:
    return {**asdict(told), "waiting": list(told.waiting), "failures": dict(told.failures)}


def _wishes(connection: sa.Connection, *, locked: bool = False) -> Wishes:
    query = sa.select(repository_wishes)
    if locked:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return Wishes()
    return Wishes(**{str(key): value for key, value in row.items() if key != "id"})


def _wish(**values: Any) -> dict[str, Any]:
    return {**asdict(Wishes()), **values, "id": 1}


def _replace(connection: sa.Connection, values: dict[str, Any]) -> None:
    done = connection.execute(sa.update(repository).values({**values, "id": 1}))
    if not done.rowcount:
        connection.execute(sa.insert(repository).values({**values, "id": 1}))
