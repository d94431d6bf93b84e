"""The table of sessions. It knows keys (hashes) only, never the ids that browsers hold."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from gateway.store.database import Database
from gateway.store.tables import SessionRow, UserRow
from gateway.store.users import Credentials


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session with its user, as it was when it was read. Times are seconds since 1970."""

    key: str
    user: str
    admin: bool
    created: float
    last_seen: float
    expires: float


class SessionTable:
    """Reads and writes sessions; rows of disabled users and ended ones are never given out."""

    def __init__(self, database: Database, *, idle: float) -> None:
        """Make the table's access.

        Args:
            database: Where it is.
            idle: Seconds without a request after which a session is over.
        """
        self._database = database
        self._idle = idle

    def create(
        self, key: str, by: Credentials, *, now: float, expires: float, user_agent: str
    ) -> bool:
        """Add a session.

        Returns:
            False, and nothing is added, when the account was disabled or got another password
            while the one given was being checked.
        """
        row = SessionRow(
            key=key,
            user_id=by.user.id,
            created=now,
            last_seen=now,
            expires=expires,
            user_agent=user_agent,
        )
        with self._database.write() as session:
            if not _valid(session, by):
                return False
            session.add(row)
            # The reference to the account waits for who is changing it, and makes others wait:
            # what is read now stays true until this is committed.
            session.flush()
            if _valid(session, by):
                return True
            session.delete(row)
            return False

    def load(self, key: str, *, now: float) -> SessionRecord | None:
        """Return the session if it is alive and its user may log in."""
        query = (
            select(SessionRow, UserRow.name, UserRow.admin)
            .join(UserRow, UserRow.id == SessionRow.user_id)
            .where(SessionRow.key == key, *self._alive(now))
        )
        with self._database.read() as session:
            found = session.execute(query).one_or_none()
            if found is None:
                return None
            row, user, admin = found
            return SessionRecord(key, user, admin, row.created, row.last_seen, row.expires)

    def alive(self, keys: Collection[str], *, now: float) -> set[str]:
        """Return those of the keys whose session is alive."""
        query = (
            select(SessionRow.key)
            .join(UserRow, UserRow.id == SessionRow.user_id)
            .where(SessionRow.key.in_(keys), *self._alive(now))
        )
        with self._database.read() as session:
            return set(session.scalars(query))

    def touch(self, key: str, *, now: float) -> None:
        """Note that the session made a request now; a session that is gone stays gone."""
        change = update(SessionRow).where(SessionRow.key == key).values(last_seen=now)
        with self._database.write() as session:
            session.execute(change)

    def delete(self, key: str) -> bool:
        """End a session; returns whether there was one."""
        with self._database.write() as session:
            gone = session.execute(
                delete(SessionRow).where(SessionRow.key == key).returning(SessionRow.key)
            )
            return gone.scalar() is not None

    def prune(self, *, now: float, limit: int) -> int:
        """Remove sessions that are over.

        Args:
            now: Seconds since 1970.
            limit: How many go at most, so that writers need not wait long.

        Returns:
            How many went.
        """
        over = select(SessionRow.key).where(self._over(now)).limit(limit)
        return self._database.remove(SessionRow.key, over)

    def _alive(self, now: float) -> tuple[ColumnElement[bool], ...]:
        return (
            UserRow.disabled.is_(False),
            SessionRow.expires > now,
            SessionRow.last_seen > now - self._idle,
        )

    def _over(self, now: float) -> ColumnElement[bool]:
        return or_(SessionRow.expires <= now, SessionRow.last_seen <= now - self._idle)


def _valid(session: Session, by: Credentials) -> bool:
    query = select(UserRow.id).where(
        UserRow.id == by.user.id,
        UserRow.disabled.is_(False),
        UserRow.password_hash == by.password_hash,
    )
    return session.scalar(query) is not None
