"""Users, sessions and audit on both real databases."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from gateway.errors import (
    InvalidUserNameError,
    StoreUnavailableError,
    UnknownUserError,
    UserExistsError,
    WeakPasswordError,
)
from gateway.passwords import verify
from gateway.store import AuditEvent, Credentials, Store
from gateway.store.database import HEAD
from gateway.store.migrations.run import config
from gateway.store.tables import Base
from tests.gateway.harness import Clock
from tests.postgres import Server

GOOD = "correct horse battery"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gateway.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.new_url()


def credentials(store: Store, name: str = "alice") -> Credentials:
    found = store.users.credentials(name)
    assert found is not None
    return found


def begin(store: Store, key: str, clock: Clock, *, lasts: float = 10_000) -> bool:
    return store.sessions.create(
        key, credentials(store), now=clock(), expires=clock() + lasts, user_agent="test"
    )


def test_a_user_can_be_added_and_found(store: Store) -> None:
    added = store.users.add("alice", GOOD, admin=True)
    assert (added.name, added.admin, added.disabled) == ("alice", True, False)
    assert store.users.list() == [added]
    found = credentials(store)
    assert found.user == added
    assert found.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert verify(found.password_hash, GOOD)
    assert "argon2" not in repr(found)


def test_users_are_listed_by_name(store: Store) -> None:
    for name in ("carol", "alice", "bob"):
        store.users.add(name, GOOD)
    assert [user.name for user in store.users.list()] == ["alice", "bob", "carol"]


def test_a_name_is_taken_once(store: Store) -> None:
    store.users.add("alice", GOOD)
    with pytest.raises(UserExistsError, match="'alice'"):
        store.users.add("alice", GOOD + "!")
    assert verify(credentials(store).password_hash, GOOD)


@pytest.mark.parametrize(
    "name", ["", "Alice", "a b", "-a", "a-", "a" * 64, "al\nice", "älice", "a\n"]
)
def test_names_that_no_workspace_can_name_are_refused(store: Store, name: str) -> None:
    with pytest.raises(InvalidUserNameError):
        store.users.add(name, GOOD)
    assert store.users.list() == []


@pytest.mark.parametrize("name", ["a", "alice", "a.b_c-d", "0x", "a" * 63])
def test_names_that_owners_may_have_are_taken(store: Store, name: str) -> None:
    assert store.users.add(name, GOOD).name == name


def test_a_weak_password_adds_and_changes_nothing(store: Store) -> None:
    with pytest.raises(WeakPasswordError):
        store.users.add("alice", "short")
    assert store.users.list() == []
    store.users.add("alice", GOOD)
    with pytest.raises(WeakPasswordError):
        store.users.passwd("alice", "password1")
    assert verify(credentials(store).password_hash, GOOD)


def test_a_new_password_replaces_the_old_and_ends_sessions(store: Store, clock: Clock) -> None:
    store.users.add("alice", GOOD)
    assert begin(store, "k1", clock)
    store.users.passwd("alice", "another horse entirely")
    assert not verify(credentials(store).password_hash, GOOD)
    assert verify(credentials(store).password_hash, "another horse entirely")
    assert store.sessions.load("k1", now=clock()) is None


def test_disabling_ends_sessions_and_enabling_does_not_bring_them_back(
    store: Store, clock: Clock
) -> None:
    store.users.add("alice", GOOD)
    assert begin(store, "k1", clock)
    store.users.disable("alice")
    store.users.disable("alice")
    assert store.users.list()[0].disabled
    assert store.sessions.load("k1", now=clock()) is None
    store.users.enable("alice")
    assert not store.users.list()[0].disabled
    assert store.sessions.load("k1", now=clock()) is None


@pytest.mark.parametrize("call", ["passwd", "disable", "enable"])
def test_unknown_users_are_named(store: Store, call: str) -> None:
    arguments = ("ghost", GOOD) if call == "passwd" else ("ghost",)
    with pytest.raises(UnknownUserError, match="'ghost'"):
        getattr(store.users, call)(*arguments)
    assert store.users.credentials("ghost") is None


def test_a_login_that_was_overtaken_by_a_new_password_begins_no_session(
    store: Store, clock: Clock
) -> None:
    store.users.add("alice", GOOD)
    before = credentials(store)
    store.users.passwd("alice", "another horse entirely")
    made = store.sessions.create("k1", before, now=clock(), expires=clock() + 9, user_agent="")
    assert made is False
    assert store.sessions.load("k1", now=clock()) is None


def test_a_login_that_was_overtaken_by_disabling_begins_no_session(
    store: Store, clock: Clock
) -> None:
    store.users.add("alice", GOOD)
    before = credentials(store)
    store.users.disable("alice")
    assert not store.sessions.create("k1", before, now=clock(), expires=clock() + 9, user_agent="")


def test_sessions_are_found_with_their_user_until_they_end(store: Store, clock: Clock) -> None:
    store.users.add("alice", GOOD, admin=True)
    assert begin(store, "k1", clock, lasts=10_000)
    found = store.sessions.load("k1", now=clock())
    assert found is not None
    assert (found.user, found.admin, found.expires) == ("alice", True, clock() + 10_000)
    assert store.sessions.alive(["k1", "k2"], now=clock()) == {"k1"}
    assert store.sessions.delete("k1") is True
    assert store.sessions.delete("k1") is False
    assert store.sessions.load("k1", now=clock()) is None
    assert store.sessions.alive(["k1"], now=clock()) == set()


def test_touching_moves_the_idle_limit_but_not_the_absolute_one(store: Store, clock: Clock) -> None:
    store.users.add("alice", GOOD)
    assert begin(store, "k1", clock, lasts=5000)
    clock.advance(3599)
    store.sessions.touch("k1", now=clock())
    clock.advance(1400)
    assert store.sessions.load("k1", now=clock()) is not None
    clock.advance(1)
    assert store.sessions.load("k1", now=clock()) is None


def test_audit_rows_come_newest_first_and_are_cut(store: Store, clock: Clock) -> None:
    store.audit.add(AuditEvent.LOGIN, user="alice", address="192.0.2.1", request_id="r1")
    clock.advance(1)
    store.audit.add(AuditEvent.START, user="alice", workspace="w" * 99, detail="d" * 999)
    newest, oldest = store.audit.latest()
    assert (newest.event, oldest.event) == ("start", "login")
    assert (len(newest.workspace), len(newest.detail)) == (64, 200)
    assert (oldest.user, oldest.address, oldest.request_id) == ("alice", "192.0.2.1", "r1")
    assert newest.at > oldest.at
    assert store.audit.latest(1) == [newest]


def test_migrations_make_what_the_tables_say(store: Store, store_url: str) -> None:
    engine = create_engine(store_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == HEAD
    engine.dispose()
    assert ScriptDirectory.from_config(config()).get_heads() == [HEAD]


def test_a_store_of_a_newer_program_is_left_alone(store: Store, store_url: str) -> None:
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreUnavailableError, match="newer CodeHub"):
        Store(store_url, idle=60)


def test_what_no_database_need_take_is_nobody_and_nothing(store: Store) -> None:
    """PostgreSQL's text holds no NUL; a login with one is refused as any other."""
    assert store.users.credentials("ali\0ce") is None
    store.audit.add(AuditEvent.REFUSED, workspace="a\0b")
    assert store.audit.latest()[0].workspace == "ab"


def test_two_processes_may_open_a_new_store_at_once(store_url: str) -> None:
    barrier = threading.Barrier(4)

    def open_one(number: int) -> None:
        barrier.wait()
        with Store(store_url, idle=60) as store:
            store.users.add(f"user{number}", GOOD)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(open_one, range(4)))
    with Store(store_url, idle=60) as store:
        assert len(store.users.list()) == 4


def test_writers_wait_for_each_other_instead_of_failing(store: Store, clock: Clock) -> None:
    store.users.add("alice", GOOD)

    def write(number: int) -> bool:
        return begin(store, f"k{number}", clock)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, range(40)))
    assert len(store.sessions.alive([f"k{n}" for n in range(40)], now=clock())) == 40


@pytest.mark.parametrize(
    "url",
    [
        "not a url",
        "sqlite:////nonexistent/folder/x.db",
        "nosuchdb://x/y",
        "mysql://u:hunter2@h/db",  # its driver is not among our dependencies
        "postgresql+psycopg://u:hunter2@h:port/db",
    ],
)
def test_a_store_that_cannot_be_opened_says_so(url: str) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        Store(url, idle=60)
    assert "hunter2" not in str(caught.value)
