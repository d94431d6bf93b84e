"""Reads an SQLite index where this process can write neither the file nor beside it.

A read-only mount, say, or another user's folder. In WAL mode readers need `-wal` and `-shm` beside
the file. While somebody writes, or after a crash, both are there, and SQLite reads by them without
writing (`mode=ro`). The last one to close takes them away; then the file alone is the whole index,
and it is read as it is (`immutable=1`): without locks, so whatever is read counts only when the
file is the same afterwards. Nothing is ever made, locked or upgraded here.

An `immutable` connection's end would drop the locks that this process has on the file: so there is
one connection at a time, for one transaction, and nobody who writes an index reads it by this.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event

from state_index.database import BUSY_TIMEOUT, Database, sqlite_file
from state_index.errors import (
    IndexBusyError,
    IndexClosedError,
    IndexReplacedError,
    IndexSchemaError,
    IndexUnavailableError,
)
from state_index.failures import translated
from state_index.migrate import current
from state_index.probe import Probe
from state_index.schema import HEAD

SETTLE = 2.0
"""Seconds within which whoever begins or ends to write has made or removed both files, on a busy machine."""

LOOK = 0.01
"""Seconds between two tries until then."""

Stamp = tuple[int, ...]
"""What is another one once the file, or the log beside it, was written or replaced."""


def looking(url: str) -> Database:
    """An index that is there, to be read: as always where it may be written, else without writing.

    Raises:
        IndexUnavailableError: as `Database`.
    """
    return ReadOnlyDatabase(url) if is_closed(url) else Database(url, make=False)


def is_closed(url: str) -> bool:
    """Whether there is an index that this process can't write, or not beside it.

    Raises:
        IndexUrlError: the URL names nothing that processes can share.
    """
    path = sqlite_file(url)
    if path is None or not path.exists():
        return False
    return not all(os.access(it, os.W_OK, effective_ids=True) for it in (path, path.parent))


def is_current(database: Database) -> bool:
    """Whether a database needs no upgrade; False also while another process makes it.

    Raises:
        IndexSchemaError: it needs one, and can't be written here.
        IndexUnavailableError: it could not be read.
    """
    try:
        with database.read() as connection:
            version = current(connection)
    except IndexBusyError:
        if isinstance(database, ReadOnlyDatabase):
            raise
        return False
    if version != HEAD and isinstance(database, ReadOnlyDatabase):
        raise IndexSchemaError(
            f"the state index {database.file} was written by another version of CodeHub, and can't "
            "be brought up to date from here: use that version, or look where it can be written"
        )
    return version == HEAD


class ReadOnlyDatabase(Database):
    """An SQLite index that can't be written here; see the module."""

    def __init__(self, url: str, *, busy_timeout: float = BUSY_TIMEOUT) -> None:
        self._one = Lock()
        self._before: Stamp = ()
        super().__init__(url, busy_timeout=busy_timeout)

    def _engine(self, busy_timeout: float, *, make: bool) -> sa.Engine:  # noqa: ARG002 - never
        connect = partial(self._connect, busy_timeout)
        made = sa.create_engine(self.url, creator=connect, poolclass=sa.NullPool)
        event.listen(made, "begin", _begin)
        return made

    def _connect(self, timeout: float) -> sqlite3.Connection:
        mode = "immutable=1" if _is_alone(self._before) else "mode=ro"
        return sqlite3.connect(
            f"file:{quote(str(self.file))}?{mode}",
            uri=True,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,
        )

    @property
    def file(self) -> Path:
        """The index's file."""
        return Path(str(self.url.database))

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state throughout.

        Raises:
            IndexBusyError: somebody began to write meanwhile; what was read is not to be trusted.
            IndexClosedError: it can't be read without writing, or not by this user.
            IndexReplacedError: it is gone.
            IndexUnavailableError: it could not be read.
        """
        with self._one, ExitStack() as held:
            connection = self._begun(held)
            try:
                with translated():
                    yield connection
            except IndexUnavailableError:
                self._check()
                raise
            self._check()

    def _begun(self, held: ExitStack) -> sa.Connection:
        """Begin; a writer that comes or goes has its log alone for a moment, and is waited for."""
        end = time.monotonic() + SETTLE
        while True:
            self._before = stamp(self.file)
            if not self._before:
                raise IndexReplacedError
            try:
                return self._attempt(held)
            except IndexUnavailableError as error:
                if not _is_cant_open(error):
                    raise
                if time.monotonic() > end:
                    raise IndexClosedError(self.file) from error
            time.sleep(LOOK)

    def _attempt(self, held: ExitStack) -> sa.Connection:
        with ExitStack() as now:
            connection = now.enter_context(super().read())
            with translated():
                connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")  # opens the log
            held.enter_context(now.pop_all())
        return connection

    def _check(self) -> None:
        """Raise when the file was read without locks, and written or replaced meanwhile."""
        if _is_alone(self._before) and stamp(self.file) != self._before:
            message = "the state index is not available: it was written while it was read"
            raise IndexBusyError(message)

    def number(self, query: sa.Select[Any]) -> int:
        """The single number that a query gives; 0 for none. Not as fast as where locks are had."""
        with self.read() as connection:
            return int(connection.scalar(query) or 0)

    def probe(self) -> Probe:
        """Sees by times and sizes of the files that somebody wrote; holds nothing open."""
        opened = stamp(self.file)[:2]

        def look() -> int:
            now = stamp(self.file)
            if now[:2] != opened:
                raise IndexReplacedError
            return hash(now)

        return Probe(look=look, fileno=lambda: None, close=lambda: None)


def stamp(path: Path) -> Stamp:
    """Tell a state of the files from another one; () when there is no index."""
    try:
        found = path.stat()
    except OSError:
        return ()
    alone = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    try:
        log = Path(f"{path}-wal").stat()
    except FileNotFoundError:
        return alone
    return (*alone, log.st_ino, log.st_size, log.st_mtime_ns)


def _is_alone(found: Stamp) -> bool:
    """Whether a file had no log beside it: nobody has it open to write."""
    return len(found) == 4  # noqa: PLR2004 - the numbers of `alone`


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _is_cant_open(error: IndexUnavailableError) -> bool:
    told = getattr(error.__cause__, "orig", None)
    code = getattr(told, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}
