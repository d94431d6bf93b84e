"""The audit log: who did what, or was refused it. Rows are added, read, and removed by age.

Nothing typed into a password field gets here; a name that belongs to no account is not written
either, because people type passwords into name fields.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import select

from gateway.store.database import Database
from gateway.store.tables import AuditRow


class AuditEvent(StrEnum):
    """What happened."""

    LOGIN = "login"
    LOGIN_REFUSED = "login_refused"
    LOGOUT = "logout"
    REFUSED = "refused"
    START = "start"
    STOP = "stop"
    EXEC = "exec"
    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One row of the log."""

    at: datetime
    event: str
    user: str
    workspace: str
    address: str
    detail: str
    request_id: str


class Audit:
    """The log."""

    def __init__(self, database: Database, *, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def add(
        self,
        event: AuditEvent,
        *,
        user: str = "",
        workspace: str = "",
        address: str = "",
        detail: str = "",
        request_id: str = "",
    ) -> None:
        """Write one row. Callers pass names, ids and codes, never what a client sent freely."""
        row = AuditRow(
            at=self._now(),
            event=event,
            user=user,
            workspace=workspace.replace("\0", "")[:64],  # PostgreSQL takes none
            address=address[:64],
            detail=detail[:200],
            request_id=request_id,
        )
        with self._database.write() as session:
            session.add(row)

    def latest(self, limit: int = 100) -> list[AuditRecord]:
        """Return the newest rows, newest first."""
        with self._database.read() as session:
            rows = session.scalars(select(AuditRow).order_by(AuditRow.id.desc()).limit(limit))
            return [_record(row) for row in rows]

    def prune(self, *, keep: float, limit: int) -> int:
        """Remove the oldest of the rows that are too old.

        Args:
            keep: Seconds for which rows are kept.
            limit: How many rows go at most, so that writers need not wait long.

        Returns:
            How many went.
        """
        old = select(AuditRow.id).where(AuditRow.at < self._now() - keep)
        return self._database.remove(AuditRow.id, old.order_by(AuditRow.at).limit(limit))


def _record(row: AuditRow) -> AuditRecord:
    at = datetime.fromtimestamp(row.at, tz=UTC)
    return AuditRecord(
        at, row.event, row.user, row.workspace, row.address, row.detail, row.request_id
    )
