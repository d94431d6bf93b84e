"""What the runner writes about workspaces: rows, their phases, their history.

Functions on an open write transaction; `Index` opens it. The new row is computed by `advance`,
which is pure.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import cast

import sqlalchemy as sa

from state_index import pruning, rows
from state_index.database import hold
from state_index.errors import StaleRowError
from state_index.models import Changes, HistoryRow, Published
from state_index.phases import Event, Phase, Sync, transition
from state_index.schema import clock, history, workspaces
from state_index.words import storable

HISTORY_BOUND = 200
"""Rows of history kept per workspace."""

_UNMADE = frozenset({Phase.DELETING, Phase.TOMBSTONED, Phase.DELETED})
"""Phases in which there is nothing that could differ."""

_KEPT = frozenset({Phase.TOMBSTONED, Phase.DELETING, Phase.DELETED, Phase.ERROR, Phase.UNKNOWN})
"""Phases in which a tombstone's dates stand: the removal of its home may fail and go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a row changes; goes into its history."""

    cause: str
    event: Event | None = None
    actor: str = ""
    request_id: str = ""
    revision: str = ""


def advance(
    before: Published | None, workspace_id: str, cause: Cause, changes: Changes, now: datetime
) -> Published:
    """The row after an event and changes; equal to `before` when nothing changes.

    Raises:
        IllegalTransitionError: the phase table refuses the event.
    """
    row = before or Published(
        id=workspace_id, owner="", phase=Phase.PENDING, sync=Sync.OUT_OF_SYNC, since=now
    )
    phase = transition(row.phase, cause.event) if cause.event else row.phase
    if phase is not row.phase:
        # These four belong to the phase that ends.
        row = replace(row, phase=phase, since=now, reason="", message="", step="", retry_at=None)
        if phase not in _KEPT:
            row = replace(row, removed_at=None, expires_at=None, grace_end=None, removal="")
        if phase in _UNMADE:
            row = replace(row, drift=())
    return replace(row, **_storable(changes))


def _storable(changes: Changes) -> Changes:
    return cast("Changes", {key: _stored(it) for key, it in changes.items()})


def _stored(value: object) -> object:
    # Phases and the like are text, too, and must stay what they are.
    return storable(value) if isinstance(value, str) and not isinstance(value, Enum) else value


def publish(
    connection: sa.Connection,
    workspace_id: str,
    cause: Cause,
    changes: Changes,
    *,
    now: datetime,
    if_generation: int | None = None,
) -> Published:
    """Write what `advance` says: row, generation and history together."""
    _alone(connection)
    before = find(connection, workspace_id, lock=True)
    _check_generation(workspace_id, before, if_generation)
    after = advance(before, workspace_id, cause, changes, now)
    if before == after:
        return after
    after = replace(
        after,
        generation=tick(connection),
        updated_at=now,
        request_id=storable(cause.request_id),
    )
    _store(connection, before, after)
    if before is None or before.phase is not after.phase or before.drift != after.drift:
        moved = (before.phase if before else None, after.phase)
        record(connection, workspace_id, cause, moved=moved, now=now)
    return after


def _alone(connection: sa.Connection) -> None:
    # Who publishes holds the clock first, then the row: always in this order, so nobody waits
    # crosswise, and no two make the same row. SQLite's writers are alone anyway.
    connection.execute(sa.select(clock.c.id).with_for_update())


def _check_generation(workspace_id: str, before: Published | None, expected: int | None) -> None:
    found = before.generation if before else 0
    if expected is not None and expected != found:
        raise StaleRowError(workspace_id, expected=expected, found=found)


def _store(connection: sa.Connection, before: Published | None, after: Published) -> None:
    values = rows.workspace_values(after)
    if before is None:
        connection.execute(sa.insert(workspaces).values(values))
    else:
        connection.execute(sa.update(workspaces).where(workspaces.c.id == after.id).values(values))


def find(connection: sa.Connection, workspace_id: str, *, lock: bool = False) -> Published | None:
    """One row; with `lock`, others who ask so for it wait until the transaction ends."""
    if lock:
        hold(connection, workspace_id)
    query = sa.select(workspaces).where(workspaces.c.id == workspace_id)
    row = connection.execute(query).mappings().one_or_none()
    return rows.published(row) if row else None


def tick(connection: sa.Connection) -> int:
    """The next generation of the index."""
    connection.execute(sa.update(clock).values(generation=clock.c.generation + 1))
    return int(connection.scalar(sa.select(clock.c.generation)) or 0)


def record(
    connection: sa.Connection,
    workspace_id: str,
    cause: Cause,
    *,
    moved: tuple[Phase | None, Phase | None],
    now: datetime,
) -> None:
    """Append to the history, and drop what is beyond the bound."""
    row = HistoryRow(
        workspace_id=workspace_id,
        from_phase=moved[0],
        to_phase=moved[1],
        event=cause.event or "",
        cause=storable(cause.cause),
        actor=storable(cause.actor),
        request_id=storable(cause.request_id),
        revision=cause.revision,
        at=now,
    )
    connection.execute(sa.insert(history).values(rows.history_values(row)))
    told = pruning.telling().where(history.c.workspace_id == workspace_id)
    pruning.keep_newest(connection, history, workspace_id, HISTORY_BOUND, never=told)
    pruning.keep_newest_finished(connection, workspace_id)


def forget(connection: sa.Connection, workspace_id: str, cause: Cause, now: datetime) -> bool:
    """Remove a row; its history stays. False when there was none."""
    _alone(connection)
    before = find(connection, workspace_id, lock=True)
    if before is None:
        return False
    connection.execute(sa.delete(workspaces).where(workspaces.c.id == workspace_id))
    tick(connection)
    record(connection, workspace_id, cause, moved=(before.phase, None), now=now)
    pruning.drop_forgotten(connection, now)
    return True
