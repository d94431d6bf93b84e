"""What was said of pull requests, what waits for an approval, and what was approved.

The runner writes the first two; approvals are added by whoever may write the index, and mean nothing
before the runner has found that this one may approve (`stacks.pulls`). Nothing is decided here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from state_index.schema import (
    edits,
    review_approvals,
    review_base,
    review_holds,
    review_told,
    reviews,
)
from state_index.transactions import Shared

KEPT = timedelta(days=90)
"""How long is kept what was said of a pull request that is open no more, and what was approved."""
MOST_APPROVALS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What was said of one pull request.

    Attributes:
        number: the pull request.
        head: its commit that it was said of; empty where nothing was said yet and only the trailer is known.
        base: the branch's commit that it was compared with.
        change_set: what it said, as `stacks.review.changeset.ChangeSet.to_json` gives it.
        posted: hash of the words that the forge has.
        trailer: whether its title or description ever held words that would be a trailer of its merge.
        at: when they were written, or when it was seen open since.
    """

    number: int
    head: str
    base: str
    change_set: Mapping[str, Any]
    posted: str
    trailer: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A workspace that stays as it is, for a commit does more to it than was reviewed.

    Attributes:
        workspace_id: which.
        base: the last commit that counted for it.
        commit: the one that does more.
        hash: of what would happen to it: what an approval is of.
        message: who, what and why, for a person.
        passing: whether it is not known yet what was reviewed; then nobody has to approve.
        since: since when.
    """

    workspace_id: str
    base: str
    commit: str
    hash: str
    message: str
    passing: bool = False
    since: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One change of one workspace that somebody wants all the same.

    Attributes:
        commit: the commit that brings it.
        workspace_id: which workspace.
        hash: of what happens to it.
        who: by whose word, as base's file of owners or the system names them.
        why: in their words.
        at: when.
    """

    commit: str
    workspace_id: str
    hash: str
    who: str
    why: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the forge was told of one commit of which something is held back.

    Attributes:
        commit: which.
        words: hash of what it was told.
        workspaces: ids of what was held then.
    """

    commit: str
    words: str
    workspaces: frozenset[str]


class Reviews(Shared):
    """The rows of one index; make it with `Index.reviews`."""

    def said(self, number: int) -> Reviewed | None:
        """What was said of a pull request."""
        with self._read() as connection:
            query = sa.select(reviews).where(reviews.c.number == number)
            row = connection.execute(query).mappings().one_or_none()
        return Reviewed(**_plain(row)) if row else None

    def say(self, told: Reviewed) -> None:
        """Keep what is said of a pull request now; what was said of old ones goes."""
        values = {**asdict(told), "change_set": dict(told.change_set), "at": self._now()}
        with self._write() as connection:
            connection.execute(sa.delete(reviews).where(reviews.c.number == told.number))
            connection.execute(sa.delete(reviews).where(reviews.c.at < self._now() - KEPT))
            connection.execute(sa.insert(reviews).values(values))

    def mark_trailer(self, number: int) -> None:
        """Note that a pull request's title or description holds words that would be a trailer of its merge.

        One of which nothing was said yet is no more reviewed by this than before.

        Args:
            number: the pull request.
        """
        unsaid = Reviewed(number=number, head="", base="", change_set={}, posted="", trailer=True)
        with self._write() as connection:
            mine = sa.update(reviews).where(reviews.c.number == number)
            if not connection.execute(mine.values(trailer=True)).rowcount:
                values = {**asdict(unsaid), "at": self._now()}
                connection.execute(sa.insert(reviews).values(values))

    def keep(self, numbers: Iterable[int]) -> None:
        """Have what was said of pull requests be kept from now on as long as what is said now.

        Args:
            numbers: those that are open.
        """
        mine = sa.update(reviews).where(reviews.c.number.in_(list(numbers)))
        with self._write() as connection:
            connection.execute(mine.values(at=self._now()))

    def holds(self) -> list[Held]:
        """What is held back, by id."""
        with self._read() as connection:
            query = sa.select(review_holds).order_by(review_holds.c.workspace_id)
            return [Held(**_plain(row)) for row in connection.execute(query).mappings()]

    def base(self) -> tuple[str, str]:
        """Up to which commit, of which branch, it was judged what is held back; empty at first."""
        query = sa.select(review_base.c.place, review_base.c.commit)
        with self._read() as connection:
            row = connection.execute(query).one_or_none()
        return (row.place, row.commit) if row else ("", "")

    def hold(self, found: Iterable[Held], *, place: str = "", commit: str = "") -> None:
        """Say what is held back from now on, at once with what that was judged of.

        Of what was held before, the time stays.

        Args:
            found: all that is held.
            place: which branch, in the caller's own words.
            commit: the commit of it.
        """
        with self._write() as connection:
            connection.execute(sa.delete(review_base))
            values = {"id": 1, "place": place, "commit": commit}
            connection.execute(sa.insert(review_base).values(values))
            query = sa.select(review_holds.c.workspace_id, review_holds.c.since)
            since = {row.workspace_id: row.since for row in connection.execute(query)}
            connection.execute(sa.delete(review_holds))
            for each in found:
                began = since.get(each.workspace_id, self._now())
                connection.execute(sa.insert(review_holds).values({**asdict(each), "since": began}))

    def told(self) -> dict[str, Told]:
        """What the forge was told of commits, and not yet that nothing of it is held any more."""
        query = sa.select(review_told.c.commit, review_told.c.words, review_told.c.workspaces)
        with self._read() as connection:
            return {
                row.commit: Told(
                    commit=row.commit, words=row.words, workspaces=frozenset(row.workspaces)
                )
                for row in connection.execute(query)
            }

    def tell(self, told: Told) -> None:
        """Keep what the forge was told of a commit; of one of which nothing is held, nothing is kept."""
        values = {
            "commit": told.commit,
            "words": told.words,
            "workspaces": sorted(told.workspaces),
            "at": self._now(),
        }
        with self._write() as connection:
            over = review_told.c.at < self._now() - KEPT
            mine = review_told.c.commit == told.commit
            connection.execute(sa.delete(review_told).where(mine | over))
            if told.workspaces:
                connection.execute(sa.insert(review_told).values(values))

    def approve(self, approval: Approval) -> None:
        """Add an approval; the oldest go where there are very many."""
        with self._ask() as connection:
            values = {**asdict(approval), "at": self._now()}
            connection.execute(sa.insert(review_approvals).values(values))
            newest = sa.select(review_approvals.c.number).order_by(review_approvals.c.number.desc())
            last = newest.offset(MOST_APPROVALS).limit(1).scalar_subquery()
            old = review_approvals.c.at < self._now() - KEPT
            gone = sa.or_(review_approvals.c.number <= last, old)
            connection.execute(sa.delete(review_approvals).where(gone))

    def approvals(self) -> list[Approval]:
        """All that is kept, the newest first."""
        query = sa.select(review_approvals).order_by(review_approvals.c.number.desc())
        with self._read() as connection:
            found = connection.execute(query).mappings()
            return [Approval(**_plain(row, without="number")) for row in found]

    def edited(self, commits: Iterable[str]) -> dict[str, frozenset[str]]:
        """Which workspaces' files the runner itself changed by commits, for who may edit them.

        Of an edit that became a pull request, its merge says so, and its review; not its commit.
        """
        done = sa.and_(edits.c.status == "done", edits.c.url == "")
        query = sa.select(edits.c.commit, edits.c.workspace_id).where(
            done, edits.c.commit.in_(list(commits)), edits.c.commit != ""
        )
        found: dict[str, frozenset[str]] = {}
        with self._read() as connection:
            for row in connection.execute(query):
                found[row.commit] = found.get(row.commit, frozenset()) | {row.workspace_id}
        return found


def _plain(row: sa.RowMapping, *, without: str = "") -> dict[str, Any]:
    return {str(key): value for key, value in row.items() if key != without}
