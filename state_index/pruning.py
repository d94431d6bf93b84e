"""Keeps history, finished intents and edits within bounds; functions on an open write transaction.

Of each workspace, the row stays that tells whether it had a home, however much failed since and
however long ago it was: without it, a home that is not there would be made anew, empty.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from state_index.phases import WITH_HOME, Phase
from state_index.schema import edits, history, intents, workspaces

INTENT_BOUND = 100
"""Finished operations kept per workspace."""

FORGOTTEN = timedelta(days=90)
"""How long history and operations of a forgotten workspace stay."""


def telling() -> sa.Select[tuple[int]]:
    """Select the numbers of the rows that tell of homes, one a workspace.

    It is the newest to a phase that has one, or to the end of all.
    """
    told = history.c.to_phase.in_([*sorted(WITH_HOME), Phase.DELETED])
    newest = sa.func.max(history.c.number)
    return sa.select(newest).where(told).group_by(history.c.workspace_id)


def keep_newest(
    connection: sa.Connection,
    table: sa.Table,
    workspace_id: str,
    bound: int,
    *,
    only: sa.ColumnElement[bool] | None = None,
    never: sa.Select[tuple[int]] | None = None,
) -> None:
    """Delete a workspace's rows beyond the newest `bound`.

    Args:
        connection: an open write transaction.
        table: one with `number` and `workspace_id`.
        workspace_id: whose rows.
        bound: how many stay.
        only: counts and deletes only rows of which this is true.
        never: numbers of rows that stay in any case.
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
    gone = sa.delete(table).where(mine, table.c.number < oldest_kept)
    connection.execute(gone if never is None else gone.where(table.c.number.not_in(never)))


def keep_newest_finished(connection: sa.Connection, workspace_id: str) -> None:
    """Delete a workspace's finished operations beyond the bound.

    Runners do, when a phase or an operation ends: gateways need no right to delete, so.
    """
    ended = intents.c.status.in_(("done", "failed"))
    keep_newest(connection, intents, workspace_id, INTENT_BOUND, only=ended)


def keep_newest_edits(connection: sa.Connection, workspace_id: str) -> None:
    """Delete a workspace's finished edits beyond the bound of operations."""
    ended = edits.c.status.in_(("done", "failed"))
    keep_newest(connection, edits, workspace_id, INTENT_BOUND, only=ended)


def drop_forgotten(connection: sa.Connection, now: datetime) -> None:
    """Delete what has been said about workspaces that were forgotten long ago."""
    published = sa.select(workspaces.c.id)
    dated = (
        (history, history.c.at),
        (intents, intents.c.created_at),
        (edits, edits.c.created_at),
    )
    for table, at in dated:
        gone = sa.delete(table).where(table.c.workspace_id.not_in(published), at < now - FORGOTTEN)
        if table is edits:  # of a file that is not a workspace yet, one may be asked for
            gone = gone.where(edits.c.status.in_(("done", "failed")))
        if table is history:
            # Forgotten is not purged: its home may be kept under another workspace's name.
            ended = history.c.to_phase == Phase.DELETED
            gone = gone.where(history.c.number.not_in(telling()) | ended)
        connection.execute(gone)
