"""Keeps history and finished intents within bounds; functions on an open write transaction."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from state_index.schema import history, intents, workspaces

INTENT_BOUND = 100
"""Finished operations kept per workspace."""

FORGOTTEN = timedelta(days=90)
"""How long history and operations of a forgotten workspace stay."""


def keep_newest(
    connection: sa.Connection,
    table: sa.Table,
    workspace_id: str,
    bound: int,
    *,
    only: sa.ColumnElement[bool] | None = None,
) -> None:
    """Delete a workspace's rows beyond the newest `bound`.

    Args:
        connection: an open write transaction.
        table: one with `number` and `workspace_id`.
        workspace_id: whose rows.
        bound: how many stay.
        only: counts and deletes only rows of which this is true.
    """
    mine = sa.and_(table.c.workspace_id == workspace_id, sa.true() if only is None else only)
    oldest_kept = (
        sa.select(table.c.number)
        .where(mine)
        .order_by(table.c.number.desc())
        .offset(bound - 1)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(sa.delete(table).where(mine, table.c.number < oldest_kept))


def keep_newest_finished(connection: sa.Connection, workspace_id: str) -> None:
    """Delete a workspace's finished operations beyond the bound.

    Runners do, when a phase or an operation ends: gateways need no right to delete, so.
    """
    ended = intents.c.status.in_(("done", "failed"))
    keep_newest(connection, intents, workspace_id, INTENT_BOUND, only=ended)


def drop_forgotten(connection: sa.Connection, now: datetime) -> None:
    """Delete what has been said about workspaces that were forgotten long ago."""
    published = sa.select(workspaces.c.id)
    for table, at in ((history, history.c.at), (intents, intents.c.created_at)):
        gone = table.c.workspace_id.not_in(published)
        connection.execute(sa.delete(table).where(gone, at < now - FORGOTTEN))
