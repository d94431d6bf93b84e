"""Which rows of history and of operations are beyond their bounds, and their removal in small steps.

Runners keep the number of rows in bounds as they write (`pruning`); this does what grows old, and what
a bound that was lowered leaves. The newest of each workspace stay, however old they are: the way to a
phase is read from them. So does the row that tells that there was a home (`pruning.telling`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from state_index.pruning import INTENT_BOUND, telling
from state_index.publishing import HISTORY_BOUND
from state_index.schema import edits, history, intents
from state_index.transactions import Transaction

ALWAYS = 20
"""Rows of history that each workspace keeps, however old they are."""


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What is kept.

    Attributes:
        history_rows: Changes of phase for each workspace.
        history_age: How old they may be.
        operation_rows: Ended operations for each workspace.
        operation_age: How old they may be.
    """

    history_rows: int = HISTORY_BOUND
    history_age: timedelta = timedelta(days=365)
    operation_rows: int = INTENT_BOUND
    operation_age: timedelta = timedelta(days=90)


class Records:
    """The rows of one index; make it with `Index.records`."""

    def __init__(
        self, *, read: Transaction, write: Transaction, now: Callable[[], datetime]
    ) -> None:
        self._read = read
        self._write = write
        self._now = now

    def beyond(self, kept: Retention) -> int:
        """How many rows are beyond their bounds."""
        with self._read() as connection:
            counts = (
                connection.scalar(sa.select(sa.func.count()).select_from(query.subquery()))
                for _, query in self._queries(kept)
            )
            return sum(count or 0 for count in counts)

    def prune(self, kept: Retention, *, limit: int) -> int:
        """Remove the oldest of these rows; how many went.

        What goes is looked for before anything is locked: rows that came meanwhile are newer.

        Args:
            kept: the bounds.
            limit: rows that go at most.
        """
        gone = 0
        for table, query in self._queries(kept):
            with self._read() as connection:
                numbers = list(connection.scalars(query.order_by("number").limit(limit - gone)))
            if numbers:
                with self._write() as connection:
                    connection.execute(sa.delete(table).where(table.c.number.in_(numbers)))
            gone += len(numbers)
        return gone

    def _queries(self, kept: Retention) -> list[tuple[sa.Table, sa.Select[tuple[int]]]]:
        now = self._now()
        aged = now - kept.history_age
        past = now - kept.operation_age
        always = min(ALWAYS, kept.history_rows)
        phases = _beyond(history, history.c.at, kept.history_rows, aged, always=always)
        return [
            (history, phases),
            *((table, _ended(table, kept.operation_rows, past)) for table in (intents, edits)),
        ]


def _ended(table: sa.Table, rows: int, before: datetime) -> sa.Select[tuple[int]]:
    """Select the numbers of the ended operations that are one too many, or too old."""
    ended = table.c.status.in_(("done", "failed"))
    return _beyond(table, table.c.created_at, rows, before, only=ended)


def _beyond(
    table: sa.Table,
    at: sa.Column[datetime],
    rows: int,
    before: datetime,
    *,
    always: int = 0,
    only: sa.ColumnElement[bool] | None = None,
) -> sa.Select[tuple[int]]:
    """Select the numbers of the rows that are one too many, or too old."""
    rank = sa.func.row_number().over(
        partition_by=table.c.workspace_id, order_by=table.c.number.desc()
    )
    ranked = sa.select(table.c.number, at.label("at"), rank.label("rank"))
    if only is not None:
        ranked = ranked.where(only)
    each = ranked.subquery()
    old = sa.and_(each.c.rank > always, each.c.at < before)
    beyond = sa.select(each.c.number).where(sa.or_(each.c.rank > rows, old))
    return beyond.where(each.c.number.not_in(telling())) if table is history else beyond
