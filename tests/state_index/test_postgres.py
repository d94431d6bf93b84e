"""What only PostgreSQL does: notices, lost connections, locks that somebody keeps."""

import asyncio
import time
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from state_index.database import Database
from state_index.errors import IndexBusyError, IndexSchemaError, IndexUnavailableError
from state_index.index import Index
from state_index.migrate import _ADVISORY_LOCK, migrate
from state_index.models import RunnerInfo
from state_index.phases import Event
from state_index.schema import workspaces
from state_index.watch import Watcher
from tests.postgres import Server, serving

DEADLINE = 10.0


@pytest.fixture
def url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server that tests may stop."""
    with serving() as server:
        yield server


def test_connections_are_set_up(index: Index) -> None:
    with index._database.write() as connection:
        found = [
            connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("lock_timeout", "idle_in_transaction_session_timeout")
        ]
        level = connection.exec_driver_sql("SHOW transaction_isolation").scalar()
    assert (found, level) == (["5s", "5s"], "read committed")


def test_a_reading_sees_one_state_throughout(index: Index) -> None:
    count = sa.select(sa.func.count()).select_from(workspaces)
    with index._database.read() as connection:
        before = connection.scalar(count)
        index.publish("a", cause="new")
        assert connection.scalar(count) == before == 0


def test_a_writer_that_waits_too_long_is_told_to_try_again(url: str) -> None:
    Index.migrate(url)
    index = Index(Database(url, busy_timeout=1.0))
    index.publish("a", cause="new")
    other = Database(url)
    with other.write() as connection:
        connection.execute(sa.select(workspaces.c.id).with_for_update())
        with pytest.raises(IndexBusyError, match="lock timeout") as caught:
            index.publish("a", cause="step", step="1")
        assert caught.value.retryable
        assert len(index.workspaces()) == 1, "readers do not wait"
    assert index.publish("a", cause="step", step="1").generation == 2
    other.close()
    index.close()


def test_a_migration_waits_for_another_process(url: str) -> None:
    database, holder = Database(url), Database(url)
    with holder.write() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        with pytest.raises(IndexUnavailableError) as caught:
            migrate(database, lock_timeout=0.2)
        assert caught.value.retryable
    migrate(database, lock_timeout=0.2)
    database.close()
    holder.close()


def test_missing_tables_are_a_wrong_schema(url: str) -> None:
    index = Index(Database(url))
    for read in (index.workspaces, index.generation, lambda: Watcher(url)):
        with pytest.raises(IndexSchemaError, match=r'"[a-z_]+" does not exist'):
            read()
    index.close()


def write_and_fail(index: Index) -> None:
    with index._database.write() as connection:
        connection.execute(sa.update(workspaces).values(owner="eve"))
        raise RuntimeError


async def test_what_changes_nothing_wakes_nobody(index: Index, url: str) -> None:
    index.publish("a", cause="new", owner="alice")
    async with Watcher(url) as watcher:
        index.publish("a", cause="same", owner="alice")
        index.beat()
        for _ in range(5):  # each of the pool's connections
            with pytest.raises(RuntimeError):
                write_and_fail(index)
        for _ in range(5):
            index.publish("a", cause="same", owner="alice")
        assert not await watcher.wait(0.3)
        index.announce(RunnerInfo(address="unix:x", pid=1, version="0"))
        assert await watcher.wait(DEADLINE)


@pytest.mark.alone
async def test_a_notice_wakes_at_once_without_polling(index: Index, url: str) -> None:
    async with Watcher(url, interval=3600.0) as watcher, asyncio.TaskGroup() as group:
        waiting = group.create_task(watcher.wait(DEADLINE))
        await asyncio.sleep(0)
        began = time.monotonic()
        await asyncio.to_thread(index.publish, "a", cause="new")
        assert await waiting
        assert time.monotonic() - began < 1.0


async def test_a_server_that_starts_again_is_found_again(own: Server) -> None:
    url = own.new_url()
    with Index.open(url) as index:
        index.publish("a", event=Event.STOPPED, cause="found")
        assert index.generation() == 1
        async with Watcher(url, interval=3600.0) as watcher:
            waiting = asyncio.ensure_future(watcher.wait(DEADLINE))
            own.stop()
            with pytest.raises(IndexBusyError):
                await waiting
            for call in (index.generation, index.workspaces, lambda: Watcher(url)):
                with pytest.raises(IndexBusyError) as caught:
                    call()
                assert caught.value.retryable
            with pytest.raises(IndexBusyError):
                await watcher.wait(DEADLINE)
            own.start()
            assert await watcher.wait(DEADLINE), "something may have been missed"
            assert not await watcher.wait(0.1)
            assert index.generation() == 1
            index.publish("b", cause="new")
            assert await watcher.wait(DEADLINE)


async def test_a_short_restart_is_not_noticed_by_readers(own: Server) -> None:
    with Index.open(own.new_url()) as index:
        index.publish("a", cause="new")
        assert index.generation() == 1
        own.stop()
        own.start()
        assert index.generation() == 1
        assert len(index.workspaces()) == 1


def test_a_url_may_say_more_of_the_connection(url: str) -> None:
    with Index.open(f"{url}&keepalives_idle=77&application_name=codehub") as index:
        index.publish("a", cause="new")
        with index._database.read() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, psycopg.Connection)
            said = raw.info.get_parameters()
        assert (said["keepalives_idle"], said["keepalives_count"]) == ("77", "3")
        assert said["application_name"] == "codehub"
