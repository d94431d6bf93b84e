"""Intents: what users ask for, and what the runner does with it.

`consider` decides without I/O; the functions below it run in an open write transaction. An
intent never moves a phase: the runner takes it, and publishes what it begins.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa

from state_index import pruning, publishing, rows
from state_index.errors import (
    InvalidStateError,
    PinnedInGitError,
    UnknownOperationError,
    UnknownWorkspaceError,
)
from state_index.models import Intent, IntentKind, Published
from state_index.phases import Event, Kind, decide
from state_index.schema import intents
from state_index.words import storable

_EVENTS: dict[IntentKind, Event] = {"start": Event.START, "stop": Event.STOP}
_PINS: dict[IntentKind, str] = {"start": "warm", "stop": "running"}
_SUPERSEDED = "superseded by a newer request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks for what."""

    kind: IntentKind
    actor: str
    request_id: str


def consider(row: Published, request: Request, pending: Intent | None) -> Kind:
    """Whether a request is new work (MOVE, QUEUE) or joins what is under way (JOIN).

    Args:
        row: the workspace.
        request: what is asked.
        pending: the workspace's intent that is open, or taken, of the same kind and its newest.

    Raises:
        PinnedInGitError: the file pins the opposite.
        InvalidStateError: the phase does not allow it, or the opposite was asked for just before.
    """
    if row.pinned == _PINS[request.kind]:
        message = (
            f"{row.id} has `state: {row.pinned}` in its file; change the file to {request.kind} it"
        )
        raise PinnedInGitError(row.pinned, message)
    verdict = decide(row.phase, _EVENTS[request.kind])
    if not verdict.accepted:
        message = f"{row.id} is {row.phase}: {request.kind} is not possible now"
        raise InvalidStateError(row.phase, message)
    if pending is None:
        return verdict.kind
    if pending.kind != request.kind:
        message = f"{row.id}: a {pending.kind} was asked for just before"
        raise InvalidStateError(row.phase, message)
    return Kind.JOIN


def request(connection: sa.Connection, workspace_id: str, asked: Request, now: datetime) -> Intent:
    """Insert an intent, or join."""
    row = publishing.find(connection, workspace_id, lock=True)
    if row is None:
        raise UnknownWorkspaceError(workspace_id)
    pending = _pending(connection, workspace_id, asked.kind)
    kind = consider(row, asked, pending)
    if pending is not None:
        return replace(pending, joined=True)
    intent = _new(row, asked, now, joined=kind is Kind.JOIN)
    connection.execute(sa.insert(intents).values(rows.intent_values(intent)))
    return intent


def _new(row: Published, asked: Request, now: datetime, *, joined: bool) -> Intent:
    return Intent(
        id=uuid4().hex,
        workspace_id=row.id,
        kind=asked.kind,
        actor=asked.actor,
        request_id=asked.request_id,
        created_at=now,
        # Work under way that no intent asked for: this operation has nothing left to do.
        status="done" if joined else "open",
        phase=row.phase,
        generation=row.generation,
        joined=joined,
    )


def _pending(connection: sa.Connection, workspace_id: str, kind: IntentKind) -> Intent | None:
    mine = intents.alias()
    newest = sa.select(sa.func.max(mine.c.number)).where(mine.c.workspace_id == workspace_id)
    # A taken one that something else was asked after would not bring what is asked now.
    live = sa.or_(
        intents.c.status == "open",
        sa.and_(
            intents.c.status == "taken",
            intents.c.kind == kind,
            intents.c.number == newest.scalar_subquery(),
        ),
    )
    query = (
        sa.select(intents)
        .where(intents.c.workspace_id == workspace_id, live)
        .order_by(intents.c.status, intents.c.number.desc())  # open before taken
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return rows.intent(row) if row else None


def take(connection: sa.Connection, limit: int) -> list[Intent]:
    """Mark the oldest open intents as taken."""
    query = sa.select(intents).where(intents.c.status == "open").order_by(intents.c.number)
    # Skipped: those that another taker is just taking.
    locked = query.limit(limit).with_for_update(skip_locked=True)
    found = connection.execute(locked).mappings().all()
    if found:
        numbers = [row["number"] for row in found]
        connection.execute(
            sa.update(intents).where(intents.c.number.in_(numbers)).values(status="taken")
        )
    return [replace(rows.intent(row), status="taken") for row in found]


def finish(connection: sa.Connection, operation_id: str, error: str) -> None:
    """Mark an intent as done, or as failed with its error."""
    found = find(connection, operation_id)
    if found is None:
        raise UnknownOperationError(operation_id)
    status = "failed" if error else "done"
    connection.execute(
        sa.update(intents)
        .where(intents.c.id == operation_id, intents.c.status.in_(("open", "taken")))
        .values(status=status, error=storable(error))
    )
    pruning.keep_newest_finished(connection, found.workspace_id)


def find(connection: sa.Connection, operation_id: str) -> Intent | None:
    """One intent."""
    query = sa.select(intents).where(intents.c.id == operation_id)
    row = connection.execute(query).mappings().one_or_none()
    return rows.intent(row) if row else None


def reopen(connection: sa.Connection, but: Collection[str] = ()) -> int:
    """Open again what a runner took and did not finish before it ended; how many.

    Whatever was asked for since takes its place, also when that is over by now: a stop that was done
    must not be followed by the start from before it.
    """
    newer = intents.alias()
    taken = sa.and_(intents.c.status == "taken", intents.c.id.not_in(but))
    has_newer = (
        sa.exists()
        .where(
            newer.c.workspace_id == intents.c.workspace_id,
            newer.c.number > intents.c.number,
        )
        .correlate(intents)
    )
    connection.execute(
        sa.update(intents).where(taken, has_newer).values(status="failed", error=_SUPERSEDED)
    )
    return connection.execute(sa.update(intents).where(taken).values(status="open")).rowcount


def supersede(connection: sa.Connection, workspace_id: str, kind: IntentKind) -> None:
    """Fail what was asked before and is the opposite of a kind that somebody typed just now."""
    connection.execute(
        sa.update(intents)
        .where(
            intents.c.workspace_id == workspace_id,
            intents.c.kind != kind,
            intents.c.status.in_(("open", "taken")),
        )
        .values(status="failed", error=_SUPERSEDED)
    )


def abandon(connection: sa.Connection, workspace_id: str) -> None:
    """Fail what was asked for a workspace that is forgotten."""
    connection.execute(
        sa.update(intents)
        .where(intents.c.workspace_id == workspace_id, intents.c.status.in_(("open", "taken")))
        .values(status="failed", error="the workspace was removed")
    )
