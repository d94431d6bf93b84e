"""What is so of a store on PostgreSQL only: writers are not alone, and the server may go away."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from gateway.errors import StoreUnavailableError, UserExistsError
from gateway.store import Store
from tests.gateway.harness import Clock
from tests.gateway.test_store import GOOD, credentials
from tests.hub import wait_for
from tests.postgres import Server, serving

CHANGES = {
    "a new password": "password_hash = 'another'",
    "a disabled account": "disabled = true",
}


@pytest.fixture
def store_url(postgres: Server) -> str:
    return postgres.new_url()


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_login_waits_for_a_change_of_its_account_and_is_refused(
    store: Store, store_url: str, postgres: Server, clock: Clock, change: str
) -> None:
    """The account looks valid until the change is committed."""
    store.users.add("alice", GOOD)
    before = credentials(store)
    schema = store_url.rpartition("%3D")[2]
    where = f"host={postgres.folder} user=postgres dbname=postgres options=-csearch_path={schema}"
    with psycopg.connect(where) as changer, ThreadPoolExecutor(1) as pool:
        changer.execute("SELECT FROM users FOR UPDATE")  # as `Users` does
        changer.execute(f"UPDATE users SET {change}".encode())
        login = pool.submit(
            store.sessions.create, "k", before, now=clock(), expires=clock() + 9, user_agent=""
        )
        wait_for(lambda: waiting(postgres), "the login to wait")
        changer.commit()
        assert login.result(10) is False
    assert store.sessions.alive(["k"], now=clock()) == set()


def test_a_change_waits_for_a_login_and_ends_its_session(
    store: Store, store_url: str, postgres: Server, clock: Clock
) -> None:
    store.users.add("alice", GOOD)
    schema = store_url.rpartition("%3D")[2]
    where = f"host={postgres.folder} user=postgres dbname=postgres options=-csearch_path={schema}"
    with psycopg.connect(where) as login, ThreadPoolExecutor(1) as pool:
        login.execute("INSERT INTO sessions SELECT 'k', id, 0, 9e9, 9e9, '' FROM users")
        change = pool.submit(store.users.disable, "alice")
        wait_for(lambda: waiting(postgres), "the change to wait")
        login.commit()
        change.result(10)
    store.users.enable("alice")
    assert store.sessions.alive(["k"], now=clock()) == set()


def waiting(postgres: Server) -> object:
    return postgres.run("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


def test_of_two_who_add_one_name_at_once_one_is_told_that_it_is_taken(store: Store) -> None:
    for number in range(5):
        barrier = Barrier(2)

        def add(_: int, name: str = f"user{number}", barrier: Barrier = barrier) -> bool:
            barrier.wait(10)
            try:
                store.users.add(name, GOOD)
            except UserExistsError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(add, range(2))) == [False, True]


def test_a_refusal_of_the_server_shows_no_values(store: Store, store_url: str) -> None:
    store.users.add("canary", GOOD)
    with (
        pytest.raises(StoreUnavailableError, match="not-null") as caught,
        store._database.write() as session,
    ):
        session.connection().exec_driver_sql("UPDATE users SET admin = NULL")
    assert "canary" not in str(caught.value)
    assert "argon2" not in str(caught.value)


def test_a_server_that_is_gone_is_told_and_used_again_when_it_is_back() -> None:
    with serving() as server, Store(server.new_url(), idle=60) as store:
        store.users.add("alice", GOOD)
        server.stop()
        with pytest.raises(StoreUnavailableError):
            store.check()
        server.start()
        store.check()
        assert [user.name for user in store.users.list()] == ["alice"]
