"""Opens the gateway's database, brings its tables up to date, and translates its errors.

SQLite's writers begin with BEGIN IMMEDIATE: a transaction that reads before it writes would
otherwise fail with "locked" at once, whatever the timeout; so they are alone. PostgreSQL's are not:
who decides by what it reads says how it is guarded. This is the one place that sees driver errors.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Select, create_engine, delete, event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute, Session

from gateway.errors import StoreUnavailableError

HEAD: Final = "0002"
"""The newest migration; a test compares it with the files."""

_OWNER_ONLY: Final = 0o600
_BUSY_SECONDS: Final = 5
_BUSY_STEP: Final = 0.01
_WRITES: Final = "codehub_writes"
_MIGRATION_LOCK: Final = 0x67617465776179  # "gateway"


class Database:
    """Transactions on one database, for reading or for writing."""

    def __init__(self, url: str) -> None:
        """Open the database, and make or migrate its tables.

        Raises:
            StoreUnavailableError: It can't be opened or migrated.
        """
        with _translated():
            self._reads = _engine(url)
            self._writes = self._reads.execution_options(**{_WRITES: True})
            try:
                self._migrate()
            except BaseException:
                self.close()
                raise

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Run a block in a transaction that reads."""
        with _translated(), Session(self._reads, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Run a block in a transaction that may write; committed when the block ends well."""
        with (
            _translated(),
            Session(self._writes, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def remove(self, key: InstrumentedAttribute[Any], chosen: Select[Any]) -> int:
        """Remove rows; how many went.

        Args:
            key: The primary key's column.
            chosen: Keys of the rows.
        """
        with self.write() as session:
            gone = session.execute(
                delete(key.class_).where(key.in_(chosen.scalar_subquery())).returning(key)
            )
            return len(gone.all())

    def close(self) -> None:
        """Close every connection."""
        self._reads.dispose()

    def _migrate(self) -> None:
        with self._reads.connect() as connection:
            if _version(connection) == HEAD:
                return
        # Alembic takes long to import and is needed once in a database's life.
        from gateway.store.migrations.run import upgrade  # noqa: PLC0415

        with self._writes.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            upgrade(connection)


def is_made(url: str) -> bool:
    """Whether a database is there with its newest tables, so that opening it changes nothing.

    Raises:
        StoreUnavailableError: It can't be opened.
    """
    with _translated():
        parsed = make_url(url)
        is_file = parsed.get_backend_name() == "sqlite"
        if is_file and not (parsed.database and Path(parsed.database).exists()):
            return False
        engine = _engine(url)
        try:
            with engine.connect() as connection:
                return _version(connection) == HEAD
        finally:
            engine.dispose()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend == "postgresql":
            # What it brings, SQLite does without.
            from state_index.postgres import make_engine  # noqa: PLC0415

            return make_engine(parsed, _BUSY_SECONDS)
    except (ImportError, ValueError) as error:  # no driver for it here; a port that is no number
        raise ArgumentError from error
    if backend != "sqlite":
        raise ArgumentError
    if parsed.database:
        _make_private(Path(parsed.database))
    # isolation_level None: the driver begins nothing by itself, our event does.
    arguments = {"timeout": _BUSY_SECONDS, "isolation_level": None}
    engine = create_engine(parsed, connect_args=arguments)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _make_private(path: Path) -> None:
    """Make the file readable by its owner only before SQLite makes it by the umask.

    One that is there is not even opened: closing it would drop the locks of all connections that
    this process has to it.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ONLY))
    except FileExistsError:
        _close_to_others(path)
    except OSError as error:
        raise StoreUnavailableError(f"The store can't be opened: {error.strerror}.") from error


def _close_to_others(path: Path) -> None:
    """Close a file that others may read, a restored copy say, to them; so for those beside it."""
    with suppress(OSError):  # what is wrong with the file, SQLite says better
        for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            if each.exists():
                each.chmod(_OWNER_ONLY)


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    _use_wal(connection)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL; when two do so at once, SQLite fails without its busy timeout."""
    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(_BUSY_STEP)
        else:
            return


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _version(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ArgumentError as error:
        raise StoreUnavailableError("The store's URL is not a database URL.") from error
    except SQLAlchemyError as error:
        raise StoreUnavailableError(f"The store can't be used: {_words(error)}.") from error


def _words(error: SQLAlchemyError) -> str:
    """Return the driver's own words: statement and parameters stay out of messages and logs.

    A URL with an odd password is taken apart wrongly; then drivers quote a half of it as the host.
    """
    original = getattr(error, "orig", None)
    # PostgreSQL's further lines quote values.
    words = str(original or type(error).__name__).partition("\n")[0]
    return type(original).__name__ if "@" in words else words
