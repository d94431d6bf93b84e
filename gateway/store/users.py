"""Accounts: who may log in. Passwords come in plain and are kept as argon2id hashes only."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gateway.errors import InvalidUserNameError, UnknownUserError, UserExistsError
from gateway.passwords import check_policy, hash_password
from gateway.store.database import Database
from gateway.store.tables import SessionRow, UserRow
from spec.rules import OWNER_PATTERN

_NAME: Final = re.compile(OWNER_PATTERN.removeprefix("^").removesuffix("$"))
"""A user is named as `owner` names one in workspace files."""

_UNIQUE_VIOLATION: Final = "23505"  # PostgreSQL's


@dataclass(frozen=True, slots=True)
class User:
    """An account, without its password."""

    id: int
    name: str
    admin: bool
    disabled: bool
    created: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account with the hash of its password, which no repr shows."""

    user: User
    password_hash: str = field(repr=False)


class Users:
    """The table of accounts."""

    def __init__(self, database: Database, *, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def add(self, name: str, password: str, *, admin: bool = False) -> User:
        """Make an account.

        Args:
            name: As `owner` in workspace files.
            password: The password in plain.
            admin: Whether the account sees everybody's workspaces.

        Raises:
            InvalidUserNameError: The name is not allowed.
            WeakPasswordError: The password breaks the policy.
            UserExistsError: The name is taken.
        """
        _check_name(name)
        check_policy(password, name=name)
        # Hashed before the transaction begins: it takes long, and writers wait for each other.
        row = UserRow(
            name=name,
            password_hash=hash_password(password),
            admin=admin,
            disabled=False,
            created=self._now(),
        )
        with self._database.write() as session:
            if _find(session, name) is not None:
                raise UserExistsError(f"There is a user {name!r} already.")
            session.add(row)
            with _taken(name):
                session.flush()
            return _user(row)

    def passwd(self, name: str, password: str) -> None:
        """Change the password and end the user's sessions.

        Raises:
            WeakPasswordError: The password breaks the policy.
            UnknownUserError: There is no such account.
        """
        check_policy(password, name=name)
        hashed = hash_password(password)
        with self._database.write() as session:
            row = _require(session, name)
            row.password_hash = hashed
            _end_sessions(session, row.id)

    def list(self) -> "list[User]":
        """Return every account by name."""
        with self._database.read() as session:
            return [_user(row) for row in session.scalars(select(UserRow).order_by(UserRow.name))]

    def disable(self, name: str) -> None:
        """Keep the account from logging in, and end its sessions. Again does nothing.

        Raises:
            UnknownUserError: There is no such account.
        """
        with self._database.write() as session:
            row = _require(session, name)
            row.disabled = True
            _end_sessions(session, row.id)

    def enable(self, name: str) -> None:
        """Let a disabled account log in again.

        Raises:
            UnknownUserError: There is no such account.
        """
        with self._database.write() as session:
            _require(session, name).disabled = False

    def credentials(self, name: str) -> Credentials | None:
        """Return what a login is checked against, also for a disabled account."""
        if not _NAME.fullmatch(name):  # what no account has, a database need not even take
            return None
        with self._database.read() as session:
            row = _find(session, name)
            return None if row is None else Credentials(_user(row), row.password_hash)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidUserNameError(
            f"{name[:64]!r} can't be a user's name: take 1 to 63 of a-z, 0-9, '.', '_' and '-',"
            " from a letter or digit to another."
        )


@contextmanager
def _taken(name: str) -> Iterator[None]:
    """Say so when another process took the name a moment ago; SQLite's writers are alone."""
    try:
        yield
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != _UNIQUE_VIOLATION:
            raise
        raise UserExistsError(f"There is a user {name!r} already.") from None


def _find(session: Session, name: str) -> UserRow | None:
    return session.scalar(select(UserRow).where(UserRow.name == name))


def _require(session: Session, name: str) -> UserRow:
    # Locked, so that no session begins for it meanwhile; see `SessionTable.create`.
    row = session.scalar(select(UserRow).where(UserRow.name == name).with_for_update())
    if row is None:
        raise UnknownUserError(f"There is no user {name!r}.")
    return row


def _end_sessions(session: Session, user_id: int) -> None:
    session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))


def _user(row: UserRow) -> User:
    created = datetime.fromtimestamp(row.created, tz=UTC)
    return User(row.id, row.name, row.admin, row.disabled, created)
