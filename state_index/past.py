"""Reads the phases that workspaces went through; `publishing` writes them."""

from collections.abc import Collection

import sqlalchemy as sa

from state_index import rows
from state_index.models import HistoryRow
from state_index.schema import history

MOST_NAMED = 500
"""Workspaces that one query names: databases bound how many values one may have."""


def of(connection: sa.Connection, workspace_id: str, limit: int) -> list[HistoryRow]:
    """Read one workspace's, newest first."""
    query = sa.select(history).where(history.c.workspace_id == workspace_id)
    found = connection.execute(query.order_by(history.c.number.desc()).limit(limit))
    return [rows.history_row(row) for row in found.mappings()]


def of_all(connection: sa.Connection, ids: Collection[str]) -> dict[str, list[HistoryRow]]:
    """Read those of several, newest first: all that is kept of each."""
    wanted = sorted(ids)
    found: dict[str, list[HistoryRow]] = {id_: [] for id_ in wanted}
    for begin in range(0, len(wanted), MOST_NAMED):
        some = wanted[begin : begin + MOST_NAMED]
        query = sa.select(history).where(history.c.workspace_id.in_(some))
        for row in connection.execute(query.order_by(history.c.number.desc())).mappings():
            found[row["workspace_id"]].append(rows.history_row(row))
    return found
