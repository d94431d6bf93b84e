"""An index that can't be written: read all the same, and only what is whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from state_index.database import sqlite_file
from state_index.errors import (
    IndexBusyError,
    IndexClosedError,
    IndexReplacedError,
    IndexSchemaError,
    IndexUnavailableError,
)
from state_index.index import Index
from state_index.readonly import ReadOnlyDatabase, is_closed, looking, stamp
from state_index.schema import GENERATION, VERSION_TABLE
from state_index.watch import Watcher
from tests.state_index.apart import PUBLISH, apart

LONG = 30.0


@pytest.fixture(params=["index.db", "50% of it, what? a#b.db"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    name = str(request.param).replace("%", "%25").replace("?", "%3F")
    return f"sqlite:///{tmp_path}/data/{name}"


def file_of(url: str) -> Path:
    found = sqlite_file(url)
    assert found is not None
    return found


def publish(url: str, name: str, *, crash: bool = False) -> None:
    """By a process of its own, so that nothing of it is open here."""
    env = {"CRASH": "1"} if crash else {}
    subprocess.run(
        [sys.executable, "-c", PUBLISH, url, name], check=True, env={**os.environ, **env}
    )


def names(url: str) -> list[str]:
    return [row.id for row in Index(ReadOnlyDatabase(url)).workspaces()]


def test_a_look_makes_nothing_and_upgrades_what_is_older(url: str) -> None:
    file_of(url).parent.mkdir()
    with pytest.raises(IndexReplacedError):
        Index.look(url)
    assert list(file_of(url).parent.iterdir()) == []
    file_of(url).touch()
    with Index.look(url) as index:
        assert index.workspaces() == []


def test_what_may_be_written_is_opened_as_always(url: str, postgres_url: str) -> None:
    assert not is_closed(url)
    assert not is_closed(postgres_url)
    publish(url, "aa")
    assert not is_closed(url)
    database = looking(url)
    assert not isinstance(database, ReadOnlyDatabase)
    database.close()
    with Index.look(url) as index:
        assert [row.id for row in index.workspaces()] == ["aa"]


def test_a_file_that_everyone_closed_is_read_without_making_anything(url: str) -> None:
    publish(url, "aa")
    before = {found.name: found.stat() for found in file_of(url).parent.iterdir()}
    assert f"{file_of(url).name}-wal" not in before
    assert names(url) == ["aa"]
    assert ReadOnlyDatabase(url).number(GENERATION) == 1
    after = {found.name: found.stat() for found in file_of(url).parent.iterdir()}
    assert before.keys() == after.keys()
    assert [it.st_mtime_ns for it in before.values()] == [it.st_mtime_ns for it in after.values()]


def test_what_a_writer_has_only_in_its_log_is_read(url: str) -> None:
    with Index.open(url) as index:
        index.publish("aa", cause="test", owner="alice")
        program = (
            "import sys; from state_index.index import Index\n"
            "from state_index.readonly import ReadOnlyDatabase\n"
            "print([row.id for row in Index(ReadOnlyDatabase(sys.argv[1])).workspaces()])"
        )
        for expected in ("['aa']\n", "['aa', 'bb']\n"):
            done = subprocess.run(
                [sys.executable, "-c", program, url], check=True, capture_output=True, text=True
            )
            assert done.stdout == expected
            index.publish("bb", cause="test", owner="bob")
        assert Path(f"{file_of(url)}-wal").exists(), "the reader took it for nobody's"


def test_what_a_killed_writer_left_in_its_log_is_read(url: str) -> None:
    publish(url, "aa")
    publish(url, "bb", crash=True)
    assert Path(f"{file_of(url)}-wal").stat().st_size > 0
    assert names(url) == ["aa", "bb"]


def test_what_is_written_meanwhile_is_not_believed(url: str) -> None:
    publish(url, "aa")
    database = ReadOnlyDatabase(url)
    with pytest.raises(IndexBusyError, match="while it was read") as caught, database.read():
        publish(url, "bb")
    assert caught.value.retryable
    with database.read():
        pass
    assert names(url) == ["aa", "bb"]


def fail_while_it_is_written(database: ReadOnlyDatabase, url: str) -> None:
    with database.read() as connection:
        publish(url, "bb")
        connection.exec_driver_sql("SELECT 1 FROM nowhere")


def test_an_error_from_a_file_that_is_written_meanwhile_is_not_believed_either(url: str) -> None:
    publish(url, "aa")
    database = ReadOnlyDatabase(url)
    with pytest.raises(IndexBusyError):
        fail_while_it_is_written(database, url)


def test_any_other_error_is_what_it_is(url: str) -> None:
    publish(url, "aa")
    database = ReadOnlyDatabase(url)
    with pytest.raises(IndexSchemaError, match="nowhere"), database.read() as connection:
        connection.exec_driver_sql("SELECT 1 FROM nowhere")
    with pytest.raises(IndexUnavailableError, match="readonly"), database.write() as connection:
        connection.exec_driver_sql("DELETE FROM workspaces")


def test_one_that_is_gone_is_told(url: str) -> None:
    assert stamp(file_of(url)) == ()
    with pytest.raises(IndexReplacedError):
        names(url)


def test_another_version_s_is_refused(url: str) -> None:
    publish(url, "aa")
    with Index.open(url) as index, index._database.write() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '0001'")
    said = apart(file_of(url).parent, sys.executable, "-c", ASK, url, expected=1).stderr
    assert "was written by another version of CodeHub" in said


ASK = """
import sys
from state_index.errors import IndexClosedError
from state_index.index import Index
try:
    with Index.look(sys.argv[1]) as index:
        print([row.id for row in index.workspaces()])
except IndexClosedError as error:
    print(error, error.hint, sep="\\n")
"""


def test_on_a_read_only_mount(url: str) -> None:
    publish(url, "aa")
    folder = file_of(url).parent
    assert apart(folder, sys.executable, "-c", ASK, url).stdout == "['aa']\n"
    publish(url, "bb", crash=True)
    assert apart(folder, sys.executable, "-c", ASK, url).stdout == "['aa', 'bb']\n"


def test_a_log_without_what_reading_it_takes_is_told_with_the_way_out(url: str) -> None:
    publish(url, "aa", crash=True)
    Path(f"{file_of(url)}-shm").unlink()
    told, hint = apart(file_of(url).parent, sys.executable, "-c", ASK, url).stdout.splitlines()
    assert told.startswith(f"the state index {file_of(url)} can't be read: ")
    assert "-shm is missing" in told
    assert hint.startswith(f"copy {file_of(url)} with its -wal")


def test_who_may_not_read_it_is_told_so(tmp_path: Path) -> None:
    error = IndexClosedError(tmp_path / "none")
    assert str(error) == f"the state index {tmp_path}/none can't be read: this user may not read it"
    assert "as the user" in error.hint


async def test_changes_are_seen_without_anything_held_open(url: str) -> None:
    publish(url, "aa")
    async with Watcher(url, database=ReadOnlyDatabase) as watcher:
        assert not await watcher.wait(0.1)
        for crash in (False, True):
            publish(url, "bb", crash=crash)
            assert await watcher.wait(LONG)
        file_of(url).unlink()
        with pytest.raises(IndexReplacedError):
            await watcher.wait(LONG)
