"""What only PostgreSQL knows: how its connections are prepared, and notices of commits.

Imported where an index is on PostgreSQL only, as it brings the driver. A writer that stands still
within its transaction (a stopped process, a machine that is gone) would hold its locks for ever:
the server ends such a session after the busy timeout.
"""

import zlib
from collections.abc import Callable
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import event

from state_index.failures import translated

CHANNEL = "codehub_index"
"""Where writers tell listeners that they committed; a channel belongs to one database."""

NOTIFY = f"NOTIFY {CHANNEL}"

_WORKSPACE_LOCKS = 0x687562  # "hub"

_WROTE = "codehub_wrote"

KEEPALIVES = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""How soon a server that is gone without a word is noticed: seconds, and milliseconds the last."""


def make_engine(url: sa.URL, busy_timeout: float) -> sa.Engine:
    """An engine whose connections wait for locks, and stand still, for the busy timeout at most.

    Args:
        url: the database; what its query says of the connection counts.
        busy_timeout: seconds.
    """
    ours = {name: value for name, value in KEEPALIVES.items() if name not in url.query}
    engine = sa.create_engine(url, pool_pre_ping=True, connect_args=ours, use_native_hstore=False)
    event.listen(engine, "connect", _preparing(busy_timeout))
    event.listen(engine, "after_cursor_execute", _note_write)
    return engine


def _preparing(busy_timeout: float) -> Callable[..., None]:
    limit = str(int(busy_timeout * 1000))

    def prepare(connection: "psycopg.Connection[Any]", _record: Any) -> None:
        connection.autocommit = True
        connection.execute(
            "SELECT set_config('lock_timeout', %s, false),"
            " set_config('idle_in_transaction_session_timeout', %s, false)",
            (limit, limit),
        )
        connection.autocommit = False

    return prepare


def _note_write(
    connection: sa.Connection, cursor: Any, _text: str, _values: Any, context: Any, _many: bool
) -> None:
    if (context.isinsert or context.isupdate or context.isdelete) and cursor.rowcount:
        connection.info[_WROTE] = True


def notify(connection: sa.Connection) -> None:
    """At the end of a write transaction: tell listeners, if it changed anything."""
    if connection.info.pop(_WROTE, False):
        connection.exec_driver_sql(NOTIFY)


def begin(connection: sa.Connection) -> None:
    """At the beginning of a write transaction: what one before changed and rolled back is no news."""
    connection.info.pop(_WROTE, None)


def hold(connection: sa.Connection, workspace_id: str) -> None:
    """Have others who ask for this workspace wait until the transaction ends.

    Not by a lock on its row, which takes the right to change it: gateways have none. Workspaces
    whose ids give one number wait for each other, too.
    """
    number = sa.bindparam("number", zlib.crc32(workspace_id.encode()) - 2**31, sa.Integer)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WORKSPACE_LOCKS, number)))


class Notices:
    """Counts commits on a connection of its own, by LISTEN. One thread at a time.

    Args:
        engine: an engine of `make_engine`.

    Raises:
        IndexUnavailableError: the server can't be reached.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._count = 0
        self._connection = self._connect()

    def _connect(self) -> "psycopg.Connection[Any]":
        with translated(psycopg.Error):
            held = self._engine.raw_connection()
            driver: Any = held.driver_connection
            held.detach()
            driver.autocommit = True
            driver.execute(f"LISTEN {CHANNEL}")
        assert isinstance(driver, psycopg.Connection)
        return driver

    def count(self) -> int:
        """How many notices came so far; a lost connection counts as one, when there is a new one.

        Raises:
            IndexUnavailableError: the connection is lost; the next call makes another.
        """
        if self._connection.closed:
            self._connection = self._connect()
            self._count += 1
        with translated(psycopg.Error):
            self._count += sum(1 for _ in self._connection.notifies(timeout=0))
        return self._count

    def fileno(self) -> int | None:
        """What becomes readable when a notice comes or the connection is lost; None without one."""
        return None if self._connection.closed else self._connection.fileno()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
