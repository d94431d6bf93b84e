"""The one seam to SQLAlchemy's engines and to the dialects.

It makes engines and gives read and write transactions; `failures` turns foreign errors into ours.
What only SQLite or only PostgreSQL knows is here, in `postgres`, `failures`, `quick` and the lock
of `migrate`, and nowhere else. It knows no table of ours.

SQLite: WAL, so readers never wait for a writer; writers begin with BEGIN IMMEDIATE, because a
transaction that reads first and writes later fails at once when another wrote between, whatever
the busy timeout says. `synchronous=NORMAL`: a power cut may lose the last commits, never the file,
and the runner publishes again what it finds.

PostgreSQL: writers lock the rows that they read in order to change them, and commit with a notice.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, NoReturn
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from state_index.errors import IndexReplacedError, IndexUnavailableError, IndexUrlError
from state_index.failures import translated
from state_index.probe import Probe
from state_index.quick import Quick
from state_index.signs import Signs

BUSY_TIMEOUT = 5.0
"""Seconds that a writer waits for another one."""

OWNER_ONLY = 0o600
"""Mode of the file and of those beside it."""

_WRITE = "codehub_write"


class Database:
    """Engines and transactions of one index.

    Args:
        url: `sqlite:///<file>` or `postgresql+psycopg://...`.
        busy_timeout: seconds that a writer waits for another one; on PostgreSQL also those after
            which the server ends a transaction that stands still.
        make: whether a file is made where there is none (SQLite).

    Attributes:
        files: how many files under this name were found gone so far.

    Raises:
        IndexUrlError: the URL names nothing that processes can share.
        IndexUnavailableError: its folder can't be made.
        IndexReplacedError: there is no file, and none shall be made.
    """

    def __init__(self, url: str, *, busy_timeout: float = BUSY_TIMEOUT, make: bool = True) -> None:
        self.url = parse_url(url)
        self._read = self._engine(busy_timeout, make=make)
        self._write = self._read.execution_options(**{_WRITE: True})
        if not self.is_sqlite:  # whose transactions see one state by themselves
            self._read = self._read.execution_options(isolation_level="REPEATABLE READ")
        self._quick: Quick | None = None
        self._file: tuple[int, int] | None = None
        self.files = 0
        self._opening = Lock()

    def _engine(self, busy_timeout: float, *, make: bool) -> sa.Engine:
        return _engine(self.url, busy_timeout, make=make)

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
            if self.is_sqlite:
                yield connection
                return
            postgres = _postgres()
            postgres.begin(connection)
            yield connection
            postgres.notify(connection)

    def number(self, query: sa.Select[Any]) -> int:
        """The single number that a query without parameters gives, as fast as can be; 0 for none.

        Raises:
            IndexUnavailableError: it could not be read.
            IndexReplacedError: the file is not the one that was open (SQLite).
        """
        statement = _text(query, self._read.dialect)
        quick = self._reader()
        try:
            return quick.number(statement)
        except IndexUnavailableError:
            if not quick.lost:
                raise
        return self._reader().number(statement)

    def _reader(self) -> Quick:
        with self._opening:
            if self.is_sqlite:
                self._check_file()
            if self._quick is None or self._quick.lost:
                self._quick = Quick(self._write)
            if self.is_sqlite:
                self._file = self._file or _identity(self.url)
            return self._quick

    def _check_file(self) -> None:
        """Let go of a file that is not there any more: its connections would read it for ever."""
        if self._file is None or self._file == _identity(self.url):
            return
        self.close()
        self._quick = self._file = None
        self.files += 1
        raise IndexReplacedError

    def probe(self) -> Probe:
        """A cheap way to see that another connection committed.

        Raises:
            IndexUnavailableError: the database can't be read; the probe raises it too, and
                `IndexReplacedError` once the file is not the one that it looks at (SQLite).
        """
        if not self.is_sqlite:
            notices = _postgres().Notices(self._read)
            return Probe(look=notices.count, fileno=notices.fileno, close=notices.close)
        file = _identity(self.url)
        # Read outside transactions: within one, the number never changes.
        quick = Quick(self._read)

        def look() -> int:
            if _identity(self.url) != file:
                raise IndexReplacedError
            return quick.number("PRAGMA data_version")

        signs = Signs(Path(str(self.url.database)))
        return Probe(look=look, fileno=lambda: None, close=quick.close, signs=signs)

    def close(self) -> None:
        """Close every connection."""
        if self._quick is not None:
            self._quick.close()
        self._read.dispose()


def hold(connection: sa.Connection, workspace_id: str) -> None:
    """Have others who ask for this workspace wait until the transaction ends.

    SQLite's writers are alone anyway.
    """
    if connection.dialect.name == "postgresql":
        _postgres().hold(connection, workspace_id)


def _identity(url: sa.URL) -> tuple[int, int] | None:
    """Which file there is under an index's name; None when there is none."""
    try:
        found = Path(str(url.database)).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@lru_cache(maxsize=8)
def _text(query: sa.Select[Any], dialect: sa.Dialect) -> str:
    # 0.1 ms: more than the reading.
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def parse_url(url: str) -> sa.URL:
    """Check a database URL.

    Raises:
        IndexUrlError: it is no URL, or names a database that processes can't share.
    """
    try:
        parsed = sa.make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        _refuse("not the URL of a database that is supported here")
    backend = parsed.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        _refuse(f"{backend} is not supported")
    if backend == "sqlite" and (parsed.database or ":memory:").startswith((":memory:", "file:")):
        _refuse("a plain file is wanted, which gateway and runner can share")
    return parsed


def sqlite_file(url: str) -> Path | None:
    """Which file a URL names; None when it names a server's database.

    Raises:
        IndexUrlError: as `parse_url`.
    """
    parsed = parse_url(url)
    return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def _refuse(problem: str) -> NoReturn:
    # The URL may hold a password: it is not quoted.
    message = f"index URL: {problem}; use sqlite:///<file> or postgresql+psycopg://..."
    raise IndexUrlError(message) from None


def _postgres() -> ModuleType:
    from state_index import postgres  # noqa: PLC0415 - brings a driver that SQLite does without

    return postgres


def _engine(url: sa.URL, busy_timeout: float, *, make: bool) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        served: sa.Engine = _postgres().make_engine(url, busy_timeout)
        return served
    path = Path(str(url.database))
    if make:
        _make_private(path)
    elif not path.exists():
        raise IndexReplacedError
    else:
        url = url.set(database=f"file:{quote(str(path))}", query={"mode": "rw", "uri": "true"})
    engine = sa.create_engine(url, connect_args={"timeout": busy_timeout})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(path: Path) -> None:
    """Make the folder, and the file for its owner alone: SQLite would go by the umask.

    The files that SQLite puts beside it get the file's own mode. Those of an earlier version are
    closed to others, too.
    """
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        message = f"the folder {folder} of the state index can't be made: {error.strerror}"
        raise IndexUnavailableError(message) from error
    with suppress(OSError):  # what is wrong with the file, SQLite says better
        _touch(path)
        for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            if each.exists():
                each.chmod(OWNER_ONLY)


def _touch(path: Path) -> None:
    """Make the file where there is none.

    One that is there is not even opened: closing it would drop the locks of all connections that
    this process has to it, and the next process to close would take the log away from them.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY))


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
