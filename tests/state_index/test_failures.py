"""What a broken, full or busy database looks like to a caller: our errors only.

Here on SQLite; PostgreSQL's own failures are in test_postgres.
"""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from state_index.database import Database
from state_index.errors import (
    IndexBusyError,
    IndexCorruptError,
    IndexFullError,
    IndexSchemaError,
    IndexUnavailableError,
)
from state_index.failures import QUOTED, translate, translated
from state_index.index import Index
from state_index.watch import Watcher


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Hold SQLite's write lock on another connection."""
    raw = sqlite3.connect(path, isolation_level=None)
    try:
        raw.execute("BEGIN IMMEDIATE")
        yield
    finally:
        raw.close()


@pytest.fixture
def url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "index.db"


def test_a_writer_that_waits_too_long_is_told_to_try_again(url: str, path: Path) -> None:
    Index.migrate(url)
    index = Index(Database(url, busy_timeout=0.1))
    with writing(path):
        with pytest.raises(IndexBusyError, match="locked") as caught:
            index.publish("a", cause="new")
        assert caught.value.retryable
        assert index.workspaces() == [], "readers do not wait"
        assert index.generation() == 0
    assert index.publish("a", cause="new").generation == 1
    index.close()


def test_a_writer_waits_for_a_short_one(url: str, path: Path) -> None:
    with Index.open(url) as index:
        with writing(path):
            waiting = threading.Thread(target=index.publish, args=("a",), kwargs={"cause": "new"})
            waiting.start()
            waiting.join(0.2)
            assert waiting.is_alive()
        waiting.join(10)
        assert index.generation() == 1


@pytest.mark.parametrize("rubbish", [b"no database at all, " * 500, b"SQLite format 3\x00" * 300])
def test_a_file_that_is_no_database_is_corrupt(url: str, path: Path, rubbish: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(rubbish)
    with pytest.raises(IndexCorruptError) as caught:
        Index.open(url)
    assert not caught.value.retryable
    assert path.read_bytes() == rubbish, "it is left for whoever looks into it"


def test_pages_overwritten_within_are_corrupt(url: str, path: Path) -> None:
    with Index.open(url) as index:
        for number in range(200):
            index.publish(f"w{number}", cause="new", spec_json="x" * 2000)
    size = path.stat().st_size
    with path.open("r+b") as file:
        for offset in range(8192, size - 4096, 4096):
            file.seek(offset)
            file.write(os.urandom(4096))
    with pytest.raises(IndexCorruptError), Index.open(url) as index:
        index.workspaces()


def test_a_full_disk_is_told_apart_and_harms_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/index.db"
    with Index.open(url) as index:
        index.publish("a", cause="new", owner="alice")
    full = Database(url)
    sa.event.listen(full._read, "connect", _limit_pages)
    index = Index(full)
    with pytest.raises(IndexFullError, match="full") as caught:
        index.publish("a", cause="big", spec_json="x" * 1_000_000)
    assert not caught.value.retryable
    row = index.workspace("a")
    assert row is not None
    assert (row.owner, row.spec_json, row.generation) == ("alice", "", 1)
    index.close()


def _limit_pages(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA max_page_count = 1").close()  # no further than it is


def test_a_read_only_database_is_unavailable(url: str) -> None:
    Index.migrate(url)
    database = Database(url)
    sa.event.listen(database._read, "connect", _forbid_writes)
    index = Index(database)
    assert index.workspaces() == []
    with pytest.raises(IndexUnavailableError, match="readonly") as caught:
        index.publish("a", cause="new")
    assert type(caught.value) is IndexUnavailableError
    assert not caught.value.retryable
    index.close()


def _forbid_writes(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only = 1").close()


def test_missing_tables_are_a_wrong_schema(url: str) -> None:
    database = Database(url)
    index = Index(database)
    with pytest.raises(IndexSchemaError, match="no such table"):
        index.workspaces()
    with pytest.raises(IndexSchemaError, match="no such table"):
        index.generation()
    with pytest.raises(IndexSchemaError, match="no such table"):
        Watcher(url)
    index.close()


def test_two_that_make_one_row_at_once_may_try_again(url: str) -> None:
    Index.migrate(url)
    database = Database(url)
    insert = "INSERT INTO index_clock (id, generation) VALUES (1, 0)"
    with pytest.raises(IndexBusyError) as caught, database.write() as connection:
        connection.exec_driver_sql(insert)
    assert caught.value.retryable
    database.close()


def test_a_pool_that_runs_dry_may_be_tried_again() -> None:
    with pytest.raises(IndexBusyError, match="no connection became free"), translated():
        raise sa.exc.TimeoutError


class PostgresError(Exception):
    """As psycopg's: a text and a SQLSTATE."""

    def __init__(self, state: str | None) -> None:
        super().__init__("first line\nCONTEXT: second line")
        self.sqlstate = state


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("08006", IndexBusyError),
        ("23505", IndexBusyError),
        ("23514", IndexUnavailableError),
        ("40001", IndexBusyError),
        ("40P01", IndexBusyError),
        ("42P01", IndexSchemaError),
        ("53100", IndexFullError),
        ("55P03", IndexBusyError),
        ("57P01", IndexBusyError),
        ("XX000", IndexUnavailableError),
        (None, IndexUnavailableError),
    ],
)
def test_postgresql_s_states_are_told_apart(
    state: str | None, expected: type[IndexUnavailableError]
) -> None:
    translated_error = translate(PostgresError(state))
    assert type(translated_error) is expected
    assert str(translated_error).endswith(": first line")


def test_a_driver_s_text_is_quoted_in_part() -> None:
    assert len(str(translate(RuntimeError("x" * 5000)))) < QUOTED + 60


def test_every_error_of_ours_keeps_its_cause(url: str) -> None:
    index = Index(Database(url))
    with pytest.raises(IndexSchemaError) as caught:
        index.workspaces()
    assert isinstance(caught.value.__cause__, sa.exc.OperationalError)
    index.close()


FILL = """
import sys
from state_index.errors import StateIndexError
from state_index.index import Index

with Index.open(f"sqlite:///{sys.argv[1]}/index.db") as index:
    try:
        for number in range(1000):
            index.publish(f"w{number}", cause="new", spec_json="x" * 4000)
    except StateIndexError as error:
        print(type(error).__name__, index.generation() == len(index.workspaces()) > 0)
"""


def test_a_full_filesystem_is_told_apart_and_harms_nothing(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    (tmp_path / "fill.py").write_text(FILL)
    # In a mount namespace of its own, so nothing is left mounted; a user namespace when not root.
    apart = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "-r"]
    script = 'mount -t tmpfs -o size=256k tmpfs "$1" && exec "$2" "$3" "$1"'
    done = subprocess.run(
        [*apart, "sh", "-ec", script, "sh", str(small), sys.executable, str(tmp_path / "fill.py")],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert done.stdout == "IndexFullError True\n", done.stderr
