"""Reads of one number below SQLAlchemy: microseconds on SQLite where a pooled read takes 0.1 ms.

The gateway asks for the generation on its hot path, and watchers look 20 times a second. Each
object holds a connection of its own, for any thread, one at a time.
"""

from threading import Lock
from typing import Any

import sqlalchemy as sa

from state_index.failures import translated


class Quick:
    """A connection for single numbers.

    Args:
        engine: an engine whose connections are prepared.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._error: type[Exception] = engine.dialect.loaded_dbapi.Error
        with translated(self._error):
            held = engine.raw_connection()
        # Both drivers' connections have `execute`, which is not in the standard of drivers.
        driver: Any = held.driver_connection
        held.detach()  # the pool may forget it: it is closed here
        if engine.dialect.name == "postgresql":
            driver.autocommit = True  # else the first read's transaction would never end
        self._connection = driver
        self._lock = Lock()

    @property
    def lost(self) -> bool:
        """Whether the server ended the connection; never so on SQLite."""
        return bool(getattr(self._connection, "closed", False))

    def number(self, statement: str) -> int:
        """The single number that a statement gives; 0 when it gives none.

        Raises:
            IndexUnavailableError: it can't be read.
        """
        with self._lock, translated(self._error):
            row = self._connection.execute(statement).fetchone()
        return int(row[0] or 0) if row else 0

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()
