"""Brings a database to the newest schema; safe when several processes do it at once.

One lock per database stands around everything that may write the file's header or schema. All
steps run in one transaction, so a process that dies leaves the old schema. Opening an up-to-date index
costs one SELECT, and a new file is made from the schema at once: Alembic takes 0.25 s to import, and 12 MB
for as long as a daemon runs.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from state_index.database import Database
from state_index.errors import IndexBusyError, IndexSchemaError
from state_index.schema import FIRST_ROWS, HEAD, VERSION_TABLE, metadata

LOCK_TIMEOUT = 30.0
"""Seconds to wait for another process that migrates."""

_ADVISORY_LOCK = 0x636F6465687562  # "codehub"


def migrate(database: Database, *, lock_timeout: float = LOCK_TIMEOUT) -> None:
    """Create or upgrade the tables.

    Args:
        database: whose tables.
        lock_timeout: seconds to wait for another process that migrates.

    Raises:
        IndexSchemaError: the database is newer than this program, or not an index.
        IndexUnavailableError: it can't be read or written.
    """
    with _alone(database, lock_timeout):
        with database.read() as connection:
            version = current(connection)
        if version is None and database.is_sqlite:
            _create(database)
        elif version != HEAD:
            _upgrade(database)


def current(connection: sa.Connection) -> str | None:
    """The database's version; None when it is empty.

    Raises:
        IndexSchemaError: it holds tables, but not ours.
    """
    inspector = sa.inspect(connection)
    if not inspector.has_table(VERSION_TABLE):
        if inspector.has_table("workspaces"):
            message = "the database has a table named workspaces that is not CodeHub's"
            raise IndexSchemaError(message)
        return None
    version = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))
    return connection.scalar(sa.select(version.c.version_num))


def _create(database: Database) -> None:
    """Make what the migrations make of an empty file; a test compares both, table by table."""
    version = sa.Column("version_num", sa.String(32), nullable=False)
    key = sa.PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc")
    marked = sa.Table(VERSION_TABLE, sa.MetaData(), version, key)
    with database.write() as connection:
        # Unchecked: a table that is there is another program's, or ours and cut, and must fail.
        metadata.create_all(connection, checkfirst=False)
        for table, row in FIRST_ROWS.items():
            connection.execute(sa.insert(table).values(row))
        marked.create(connection)
        connection.execute(sa.insert(marked).values(version_num=HEAD))


def _upgrade(database: Database) -> None:
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with database.write() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            message = "the state index was written by a newer CodeHub: run that version, or move the file away"
            raise IndexSchemaError(message) from error


@contextmanager
def _alone(database: Database, timeout: float) -> Iterator[None]:
    if not database.is_sqlite:
        with database.write() as connection:
            # This transaction stands still while another one migrates.
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(timeout * 1000)}")
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            yield
        return
    # SQLite answers "locked" at once, whatever its timeout, when two switch a new file to WAL.
    lock = os.open(f"{database.url.database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(lock, timeout)
        yield
    finally:
        os.close(lock)


def _lock(descriptor: int, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                message = "another process is still migrating the state index"
                raise IndexBusyError(message) from None
            time.sleep(0.02)
        else:
            return
