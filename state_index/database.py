"""The one seam to SQLAlchemy's engines and to the dialects.

It makes engines, gives read and write transactions, and turns foreign errors into ours. What only
SQLite or only PostgreSQL knows is in this file and nowhere else. It knows no table of ours.

SQLite: WAL, so readers never wait for a writer; writers begin with BEGIN IMMEDIATE, because a
transaction that reads first and writes later fails at once when another wrote between, whatever
the busy timeout says. `synchronous=NORMAL`: a power cut may lose the last commits, never the file,
and the runner publishes again what it finds.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from state_index.errors import (
    IndexBusyError,
    IndexCorruptError,
    IndexFullError,
    IndexSchemaError,
    IndexUnavailableError,
    IndexUrlError,
)

BUSY_TIMEOUT = 5.0
"""Seconds that a writer waits for another one."""

_WRITE = "codehub_write"

_SQLITE_ERRORS: dict[int, type[IndexUnavailableError]] = {
    sqlite3.SQLITE_BUSY: IndexBusyError,
    sqlite3.SQLITE_LOCKED: IndexBusyError,
    sqlite3.SQLITE_FULL: IndexFullError,
    sqlite3.SQLITE_CORRUPT: IndexCorruptError,
    sqlite3.SQLITE_NOTADB: IndexCorruptError,
    sqlite3.SQLITE_ERROR: IndexSchemaError,  # "no such table": not the schema that we migrated to
}

_POSTGRES_ERRORS: dict[str, type[IndexUnavailableError]] = {
    "08": IndexBusyError,  # connection lost: the next call takes a fresh one
    "40": IndexBusyError,  # serialization failure, deadlock
    "55": IndexBusyError,  # lock not available
    "57": IndexBusyError,  # shutting down, cancelled
    "53": IndexFullError,  # out of disk, memory or connections
    "42": IndexSchemaError,  # undefined table or column, missing privilege
}


def translate(error: DBAPIError) -> IndexUnavailableError:
    """Our error for what a driver raised; only the driver's own short text is quoted."""
    origin = error.orig
    code = getattr(origin, "sqlite_errorcode", None)
    state = getattr(origin, "sqlstate", None) or ""
    kind = IndexUnavailableError
    if code is not None:
        kind = _SQLITE_ERRORS.get(code & 0xFF, kind)  # the low byte is the primary code
    elif state:
        kind = _POSTGRES_ERRORS.get(state[:2], kind)
    return kind(f"the state index is not available: {str(origin).strip()[:200]}")


@contextmanager
def translated() -> Iterator[None]:
    """Translate the driver's errors; a violated constraint is the caller's to understand."""
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except DBAPIError as error:
        raise translate(error) from error


def parse_url(url: str) -> sa.URL:
    """Check a database URL.

    Raises:
        IndexUrlError: it is no URL, or names a database that several processes can't share.
    """
    try:
        parsed = sa.make_url(url)
        dialect = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        _refuse_url("not a database URL")
    if dialect == "sqlite" and parsed.database in {None, "", ":memory:"}:
        _refuse_url("a database in memory can't be shared between gateway and runner")
    if dialect not in {"sqlite", "postgresql"}:
        _refuse_url(f"{dialect} is not supported")
    return parsed


def _refuse_url(problem: str) -> NoReturn:
    # The URL may hold a password: it is not quoted.
    message = f"index URL: {problem}; use sqlite:///<file> or postgresql+psycopg://..."
    raise IndexUrlError(message) from None


class Database:
    """Engines and transactions of one index."""

    def __init__(self, url: str) -> None:
        self.url = parse_url(url)
        self._read = _engine(self.url)
        self._write = self._read.execution_options(**{_WRITE: True})

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self._read.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state throughout.

        Raises:
            IndexUnavailableError: it could not be read.
        """
        with translated(), self._read.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that writes; it is rolled back when the block raises.

        Raises:
            IndexUnavailableError: it could not be begun or committed.
        """
        with translated(), self._write.begin() as connection:
            yield connection

    def probe(self, newest: sa.Select[Any]) -> "Probe":
        """A cheap way to see that something was committed.

        Args:
            newest: a query whose answer changes then, for where the database has nothing cheaper.
        """
        with translated():
            return Probe(self._read.connect(), None if self.is_sqlite else newest)

    def close(self) -> None:
        """Close every connection."""
        self._read.dispose()


class Probe:
    """Call it twice: other answers mean that another connection committed between."""

    def __init__(self, connection: sa.Connection, newest: sa.Select[Any] | None) -> None:
        self._connection = connection
        self._newest = newest

    def __call__(self) -> object:
        """Look now.

        Raises:
            IndexUnavailableError: the database can't be read.
        """
        with translated():
            if self._newest is None:
                return _data_version(self._connection)
            with self._connection.begin():
                return tuple(self._connection.execute(self._newest).one())

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def _data_version(connection: sa.Connection) -> object:
    # Below SQLAlchemy's transactions: inside one, the number never changes.
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    try:
        return driver.execute("PRAGMA data_version").fetchone()[0]
    except sqlite3.Error as error:
        raise translate(DBAPIError("PRAGMA data_version", None, error)) from error


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True)
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
