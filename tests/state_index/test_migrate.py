"""Making and upgrading the database, also by many at once, and what is refused."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import state_index.migrate
from state_index.database import Database, parse_url, sqlite_file
from state_index.errors import IndexSchemaError, IndexUnavailableError, IndexUrlError
from state_index.index import Index
from state_index.schema import FIRST_ROWS, HEAD, VERSION_TABLE, grace_clock, metadata


@pytest.fixture(params=["made", "migrated"])
def database(url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """One as it comes, and one that came step by step."""
    if request.param == "made":
        Index.migrate(url)
    else:
        step_to(url, HEAD)
    opened = Database(url)
    yield opened
    opened.close()


def step_to(url: str, version: str) -> None:
    """Migrate an empty database."""
    config = Config()
    folder = Path(state_index.migrate.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    database = Database(url)
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    database.close()


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


def contents(url: str) -> dict[str, list[object]]:
    """What a SQLite index defines, table by table, in any order of its columns; and its rows."""
    database = Database(url)
    with database.read() as connection:
        found = {
            table: defined(connection, table) for table in sa.inspect(connection).get_table_names()
        }
    database.close()
    return found


def defined(connection: sa.Connection, table: str) -> list[object]:
    """A table's columns, checks, indexes (whose columns have an order), and rows."""

    def ask(sql: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]

    columns = sorted(row[1:] for row in ask(f"PRAGMA table_xinfo({table})"))
    names = ", ".join(f'"{row[0]}"' for row in columns)
    checks = sa.inspect(connection).get_check_constraints(table)
    indexes = sorted(row[1:] for row in ask(f"PRAGMA index_list({table})"))
    return [
        columns,
        sorted((str(check["name"]), check["sqltext"]) for check in checks),
        indexes,
        {row[0]: [one[2:] for one in ask(f"PRAGMA index_xinfo({row[0]})")] for row in indexes},
        ask(
            f"SELECT sql FROM sqlite_master WHERE tbl_name = '{table}' AND type = 'index' ORDER BY name"
        ),
        ask(f"SELECT {names} FROM {table}"),
    ]


def test_a_new_file_is_what_the_migrations_make(sqlite_url: str, tmp_path: Path) -> None:
    Index.migrate(sqlite_url)
    stepwise = f"sqlite:///{tmp_path}/stepwise.db"
    step_to(stepwise, HEAD)
    made = contents(sqlite_url)
    assert set(made) == {VERSION_TABLE, *metadata.tables}
    assert sum(bool(table[-1]) for table in made.values()) == 1 + len(FIRST_ROWS)
    unlike = {name for name, table in contents(stepwise).items() if made[name] != table}
    assert unlike == set()


def test_an_older_index_is_upgraded_and_keeps_what_it_holds(url: str) -> None:
    step_to(url, "0007")
    database = Database(url)
    with database.write() as connection:
        connection.execute(sa.update(grace_clock).values(watched=77))
    database.close()
    with Index.open(url) as index:
        assert index.workspaces() == []
    database = Database(url)
    with database.read() as connection:
        assert state_index.migrate.current(connection) == HEAD
        assert connection.scalar(sa.select(grace_clock.c.watched)) == 77
    database.close()


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


@pytest.mark.parametrize("before", ["", "0007"])
def test_a_process_that_dies_while_migrating_leaves_nothing_half_made(
    url: str, before: str
) -> None:
    if before:
        step_to(url, before)
    database = Database(url)
    with database.read() as connection:
        tables = sa.inspect(connection).get_table_names()
    database.close()
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
        assert sa.inspect(connection).get_table_names() == tables
        assert state_index.migrate.current(connection) == (before or None)
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
    "foreign",
    [
        "CREATE TABLE history (url TEXT, visited INTEGER)",
        "CREATE TABLE review_told (x INTEGER)",
        "CREATE TABLE lease (id INTEGER PRIMARY KEY, holder TEXT, token BIGINT, heartbeat FLOAT)",
    ],
)
def test_a_table_of_another_program_is_left_alone(url: str, foreign: str) -> None:
    database = Database(url)
    with database.write() as connection:
        connection.exec_driver_sql(foreign)
    with pytest.raises(IndexSchemaError, match="already exists") as caught:
        Index.open(url)
    assert not caught.value.retryable
    with database.read() as connection:
        assert len(sa.inspect(connection).get_table_names()) == 1
    database.close()


def test_an_index_whose_version_is_lost_is_left_alone(url: str, database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM {VERSION_TABLE}")
    with pytest.raises(IndexSchemaError, match="already exists") as caught:
        Index.open(url)
    assert not caught.value.retryable


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
