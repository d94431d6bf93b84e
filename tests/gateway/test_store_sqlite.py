"""What is so of a store on SQLite only: its file."""

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailableError
from gateway.store import Store, open_store
from tests.gateway.harness import settings_for
from tests.gateway.test_store import GOOD


def test_the_file_is_private_and_in_wal_mode(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    raw.close()


def test_users_outlive_the_process_and_settings_say_where(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    settings.paths.make()
    with open_store(settings) as store:
        store.users.add("alice", GOOD)
        store.check()
    with open_store(settings) as store:
        assert [user.name for user in store.users.list()] == ["alice"]
    assert settings.paths.store_db.exists()


def test_a_file_that_is_no_database_is_refused_without_its_content(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    path.write_text("canary " * 1000)
    with pytest.raises(StoreUnavailableError) as caught:
        Store(f"sqlite:///{path}", idle=60)
    assert "canary" not in str(caught.value)


def test_errors_of_the_driver_do_not_show_values(store: Store, tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "gateway.db")
    raw.execute("DROP TABLE users")
    raw.commit()
    raw.close()
    with pytest.raises(StoreUnavailableError) as caught:
        store.users.add("canary-name", GOOD)
    assert "canary" not in str(caught.value)


def test_drivers_words_that_may_hold_credentials_are_not_quoted(
    store: Store, tmp_path: Path
) -> None:
    """As when a password with an `@` makes a driver take its second half for a part of the host."""
    raw = sqlite3.connect(tmp_path / "gateway.db")
    raw.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON users"
        " BEGIN SELECT RAISE(ABORT, 'no host hunter2@db'); END"
    )
    raw.close()
    with pytest.raises(StoreUnavailableError, match="IntegrityError") as caught:
        store.users.add("alice", GOOD)
    assert "hunter2" not in str(caught.value)


def test_a_database_that_needs_no_file_works_too() -> None:
    with Store("sqlite://", idle=60) as store:
        store.check()


def test_a_file_that_somebody_holds_is_waited_for_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.database._BUSY_SECONDS", 0.05)
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    holder = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
    holder.execute("CREATE TABLE held (x)")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailableError, match="locked"):
        Store(url, idle=60)
    holder.execute("COMMIT")
    holder.close()
    with Store(url, idle=60) as store:
        store.check()


def test_files_that_others_may_read_are_closed_to_them(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gateway.db"
    names = {"gateway.db", "gateway.db-wal", "gateway.db-shm"}
    with Store(url, idle=60) as store:
        store.users.add("alice", GOOD)
        for name in names:
            (tmp_path / name).chmod(0o644)
        with Store(url, idle=60):
            found = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert found == dict.fromkeys(names, 0o600)


ADD = """
import sys
from gateway.store import Store
with Store(sys.argv[1], idle=60) as store:
    store.users.add(sys.argv[2], "correct horse battery")
"""


def test_opening_it_twice_in_one_process_keeps_its_locks(tmp_path: Path) -> None:
    """Without them another process, closing, takes the log away, and nothing new is seen here."""
    url = f"sqlite:///{tmp_path}/gateway.db"
    with Store(url, idle=60) as store, Store(url, idle=60):
        assert store.users.list() == []
        for name in ("alice", "bob"):
            subprocess.run([sys.executable, "-c", ADD, url, name], check=True)
        assert [user.name for user in store.users.list()] == ["alice", "bob"]
        assert (tmp_path / "gateway.db-wal").exists()
