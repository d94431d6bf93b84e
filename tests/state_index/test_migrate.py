"""Making and upgrading the database, also by many at once, and what is refused."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import state_index.migrate
from state_index.database import Database, parse_url, sqlite_file
from state_index.errors import IndexSchemaError, IndexUnavailableError, IndexUrlError
from state_index.index import Index
from state_index.schema import HEAD, VERSION_TABLE, metadata


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    Index.migrate(url)
    opened = Database(url)
    yield opened
    opened.close()


def test_a_server_s_database_is_no_file() -> None:
    assert sqlite_file("postgresql+psycopg://u@h/db") is None


def modes(path: Path) -> dict[str, int]:
    return {found.name: stat.S_IMODE(found.stat().st_mode) for found in path.parent.iterdir()}


def test_the_file_and_those_beside_it_are_their_owners_alone(sqlite_url: str) -> None:
    path = sqlite_file(sqlite_url)
    assert path is not None
    names = {path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}.lock"}
    mask = os.umask(0o022)
    try:
        with Index.open(sqlite_url) as index:
            index.publish("aa", cause="test", owner="alice")
            assert modes(path) == dict.fromkeys(names, 0o600)
            for name in names:
                (path.parent / name).chmod(0o644)  # as an earlier version left them
            with Index.open(sqlite_url):
                assert modes(path) == dict.fromkeys(names, 0o600) | {f"{path.name}.lock": 0o644}
    finally:
        os.umask(mask)


PUBLISH = """
import sys
from state_index.index import Index
with Index.open(sys.argv[1]) as index:
    index.publish("aa", cause="test", owner="alice")
"""


def test_opening_it_twice_in_one_process_keeps_its_locks(sqlite_url: str) -> None:
    """Without them another process, closing, takes the log away, and nothing new is seen here."""
    with Index.open(sqlite_url) as index, Index.open(sqlite_url):
        assert index.workspaces() == []
        for _ in range(2):
            subprocess.run([sys.executable, "-c", PUBLISH, sqlite_url], check=True)
        assert [row.id for row in index.workspaces()] == ["aa"]
        log = Path(f"{sqlite_file(sqlite_url)}-wal")
        assert log.exists()


def test_head_is_the_newest_migration() -> None:
    config = Config()
    folder = Path(state_index.migrate.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_migrations_make_what_the_schema_says(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def contents(url: str) -> dict[str, tuple[list[str], list[tuple[object, ...]]]]:
    """What a SQLite index defines, name by name: the parts of its definition, and the rows of a table."""
    database = Database(url)
    with database.read() as connection:
        found = {}
        for kind, name, sql in connection.exec_driver_sql(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        ).all():
            # A column that was added later stands at the end: only its place differs.
            parts = sorted(re.split(r"[,()]", " ".join(sql.lower().split())))
            select = f"SELECT * FROM {name}" if kind == "table" else "SELECT 1 WHERE 0"
            rows = [tuple(row) for row in connection.exec_driver_sql(select)]
            found[name] = ([part.strip() for part in parts], rows)
    database.close()
    return found


def test_a_new_file_is_what_the_migrations_make(sqlite_url: str, tmp_path: Path) -> None:
    Index.migrate(sqlite_url)
    stepwise = f"sqlite:///{tmp_path}/stepwise.db"
    database = Database(stepwise)
    state_index.migrate._upgrade(database)
    database.close()
    made = contents(sqlite_url)
    assert made == contents(stepwise)
    assert sum(bool(rows) for _, rows in made.values()) == 5  # the version, and each first row


def test_a_new_file_needs_no_alembic(sqlite_url: str) -> None:
    program = (
        "import sys; from state_index.index import Index; Index.migrate(sys.argv[1]);"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, sqlite_url], check=True, timeout=60)


def test_constraints_have_the_names_of_the_schema(database: Database) -> None:
    with database.read() as connection:
        inspector = sa.inspect(connection)
        for table in metadata.sorted_tables:
            expected = {str(one.name) for one in table.constraints if one.name}
            found = {inspector.get_pk_constraint(table.name)["name"]}
            found |= {one["name"] for one in inspector.get_unique_constraints(table.name)}
            found |= {one["name"] for one in inspector.get_check_constraints(table.name)}
            assert {str(name) for name in found} == expected


def test_sqlite_is_set_up(sqlite_url: str) -> None:
    Index.migrate(sqlite_url)
    database = Database(sqlite_url)
    with database.read() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert values == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "synchronous": 1,
        "busy_timeout": 5000,
    }
    database.close()


def test_opening_again_keeps_what_is_there(url: str) -> None:
    with Index.open(url) as first:
        row = first.publish("a", cause="new")
    with Index.open(url) as second:
        assert second.workspace("a") == row
        assert second.generation() == 1


def test_an_up_to_date_index_is_opened_without_alembic(url: str) -> None:
    Index.migrate(url)
    program = (
        "import sys; from state_index.index import Index; Index.migrate(sys.argv[1]);"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, url], check=True, timeout=60)


def test_the_folder_is_made_for_the_owner_alone(sqlite_url: str, tmp_path: Path) -> None:
    Index.migrate(sqlite_url)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


RACER = """
import os, sys
from state_index.index import Index
print("ready", flush=True)
sys.stdin.readline()
with Index.open(sys.argv[1]) as index:
    index.publish(f"p{os.getpid()}", cause="race")
"""


def test_four_processes_make_it_at_once(url: str) -> None:
    pipe = subprocess.PIPE
    with ExitStack() as stack:
        racers = [
            stack.enter_context(
                subprocess.Popen([sys.executable, "-c", RACER, url], stdin=pipe, stdout=pipe)
            )
            for _ in range(4)
        ]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == b"ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write(b"go\n")
            racer.stdin.flush()
        assert [racer.wait(60) for racer in racers] == [0] * 4
    with Index.open(url) as index:
        assert (len(index.workspaces()), index.generation()) == (4, 4)


def test_a_process_that_dies_while_migrating_leaves_nothing_half_made(url: str) -> None:
    program = (
        "import os, sys; import sqlalchemy as sa\n"
        "def die(connection, cursor, statement, *rest):\n"
        "    if 'CREATE INDEX' in statement: os._exit(9)\n"
        "sa.event.listen(sa.Engine, 'before_cursor_execute', die)\n"
        "from state_index.index import Index; Index.migrate(sys.argv[1])"
    )
    died = subprocess.run([sys.executable, "-c", program, url], check=False, timeout=60)
    assert died.returncode == 9
    database = Database(url)
    with database.read() as connection:
        assert sa.inspect(connection).get_table_names() == []
    database.close()
    with Index.open(url) as index:
        assert index.workspaces() == []


def test_a_migration_waits_for_another_process(sqlite_url: str) -> None:
    Index.migrate(sqlite_url)
    program = (
        "import fcntl, os, sys; lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
        "fcntl.flock(lock, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    )
    lock = f"{parse_url(sqlite_url).database}.lock"
    with subprocess.Popen(
        [sys.executable, "-c", program, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        database = Database(sqlite_url)
        with pytest.raises(IndexUnavailableError, match="still migrating") as caught:
            state_index.migrate.migrate(database, lock_timeout=0.2)
        assert caught.value.retryable
        holder.communicate(timeout=30)
    state_index.migrate.migrate(database, lock_timeout=0.2)
    database.close()


def test_a_newer_schema_is_refused(url: str, database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(IndexSchemaError, match="written by a newer CodeHub") as caught:
        Index.open(url)
    assert not caught.value.retryable


def test_a_foreign_database_is_refused(url: str) -> None:
    database = Database(url)
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE workspaces (id INTEGER)")
    database.close()
    with pytest.raises(IndexSchemaError, match="not CodeHub's"):
        Index.open(url)


@pytest.mark.parametrize(
    "url",
    [
        "not a url",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:index.db?mode=ro&uri=true",
        "mysql://u:hunter2@h/db",
        "nonsense://u:hunter2@h/db",
        "postgresql+nodriver://u:hunter2@h/db",
        "postgresql+psycopg://u:hunter2@h:port/db",
    ],
)
def test_urls_that_can_not_be_shared_are_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(IndexUrlError, match="sqlite:///<file>") as caught:
        Index.open(url)
    assert "hunter2" not in str(caught.value)


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IndexUnavailableError, match=r"file/sub .* can't be made"):
        Index.open(f"sqlite:///{tmp_path}/file/sub/index.db")
