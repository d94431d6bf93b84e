"""Turns what drivers raise into our errors; the one place that knows their codes."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from state_index.errors import (
    IndexBusyError,
    IndexCorruptError,
    IndexFullError,
    IndexSchemaError,
    IndexUnavailableError,
)

QUOTED = 200
"""Characters of a driver's text that an error quotes."""

_SQLITE = {
    sqlite3.SQLITE_BUSY: IndexBusyError,
    sqlite3.SQLITE_LOCKED: IndexBusyError,
    sqlite3.SQLITE_FULL: IndexFullError,
    sqlite3.SQLITE_CORRUPT: IndexCorruptError,
    sqlite3.SQLITE_NOTADB: IndexCorruptError,
    sqlite3.SQLITE_ERROR: IndexSchemaError,  # "no such table": not the schema we migrated to
    # Two made the same row at once; trying again finds it.
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: IndexBusyError,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: IndexBusyError,
}

_POSTGRES = {
    "08": IndexBusyError,  # connection lost: the next call takes a fresh one
    "23505": IndexBusyError,  # two made the same row at once
    "25P03": IndexBusyError,  # we stood still within a transaction, and the server ended it
    "40": IndexBusyError,  # serialization failure, deadlock
    "42": IndexSchemaError,  # no such table or column, missing privilege
    "53": IndexFullError,  # out of disk, memory or connections
    "55": IndexBusyError,  # lock not available
    "57": IndexBusyError,  # shutting down, cancelled
}


@contextmanager
def translated(driver: type[Exception] = sqlite3.Error) -> Iterator[None]:
    """Raise our errors in place of SQLAlchemy's and the driver's.

    Args:
        driver: the base of the driver's own errors, where it is used without SQLAlchemy.
    """
    try:
        yield
    except DBAPIError as error:
        raise translate(error.orig or error) from error
    except driver as error:
        raise translate(error) from error
    except PoolTimeoutError as error:
        message = "the state index is not available: no connection became free in time"
        raise IndexBusyError(message) from error


def translate(error: BaseException) -> IndexUnavailableError:
    """Our error for a driver's; quotes only the driver's own short text."""
    text = str(error).strip().partition("\n")[0][:QUOTED]
    return _kind(error)(f"the state index is not available: {text}")


def _kind(error: BaseException) -> type[IndexUnavailableError]:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        primary = code & 0xFF  # SQLite refines a primary code in the higher bits
        return _SQLITE.get(code) or _SQLITE.get(primary) or IndexUnavailableError
    state = getattr(error, "sqlstate", None) or ""
    if not state and type(error).__module__ == "psycopg" and "Operational" in type(error).__name__:
        return IndexBusyError  # no server, or the connection to it is lost
    return _POSTGRES.get(state) or _POSTGRES.get(state[:2]) or IndexUnavailableError
