"""Logins: what is written down, what never is, and equal work for equal answers."""

import io
import sqlite3
from pathlib import Path

import pytest

from gateway.errors import LoginFailedError, ThrottledError
from gateway.live import LiveSessions
from gateway.login import Caller, Logins
from gateway.passwords import Verifier, dummy_hash, verify
from gateway.sessions import Sessions
from gateway.store import Store
from gateway.throttle import LoginThrottle
from gateway.trail import Trail
from tests.gateway.harness import ALICE, Clock, login_of, serving

CALLER = Caller(address="192.0.2.1", user_agent="Browser/1", token=None, request_id="r1")


def everything_in(folder: Path) -> bytes:
    """The content of every file below a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


class Counting:
    """Checks passwords, and notes against which hash."""

    def __init__(self) -> None:
        self.hashes: list[str] = []

    def __call__(self, stored: str, password: str) -> bool:
        self.hashes.append(stored)
        return verify(stored, password)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def logins(store: Store, clock: Clock, counting: Counting) -> Logins:
    store.users.add(*ALICE)
    sessions = Sessions(store, LiveSessions(), idle=60, maximum=600, now=clock)
    return Logins(
        store,
        sessions,
        LoginThrottle(attempts=3, window=300, now=clock),
        Verifier(check=counting),
        Trail(store.audit),
    )


async def test_every_failed_login_costs_exactly_one_hash(
    logins: Logins, store: Store, counting: Counting
) -> None:
    stored = store.users.credentials("alice")
    assert stored is not None
    store.users.add("gone", "some password")
    store.users.disable("gone")
    disabled = store.users.credentials("gone")
    assert disabled is not None
    for name, password in (
        ("alice", "wrong password"),
        ("nobody", "wrong password"),
        ("gone", "some password"),
        ("alice", "x" * 5000),
        ("alice", ""),
    ):
        with pytest.raises(LoginFailedError):
            await logins.log_in(name, password, CALLER)
        if len(counting.hashes) % 3 == 0:
            logins._throttle = LoginThrottle(attempts=3, window=300, now=Clock())
    assert counting.hashes == [
        stored.password_hash,
        dummy_hash(),
        disabled.password_hash,
        stored.password_hash,
        stored.password_hash,
    ]


async def test_a_throttled_login_costs_no_hash(logins: Logins, counting: Counting) -> None:
    for _ in range(3):
        with pytest.raises(LoginFailedError):
            await logins.log_in("alice", "wrong password", CALLER)
    with pytest.raises(ThrottledError) as caught:
        await logins.log_in("alice", ALICE[1], CALLER)
    assert caught.value.headers == {"Retry-After": "100"}
    assert len(counting.hashes) == 3


async def test_a_login_overtaken_by_a_new_password_fails(logins: Logins, store: Store) -> None:
    class Overtaking:
        def __call__(self, stored: str, password: str) -> bool:
            store.users.passwd("alice", "a new password entirely")
            return verify(stored, password)

    logins._verifier = Verifier(check=Overtaking())
    with pytest.raises(LoginFailedError):
        await logins.log_in(*ALICE, CALLER)


async def test_the_audit_names_known_users_only(logins: Logins, store: Store) -> None:
    for name in ("alice", "hunter2-typed-into-the-name"):
        with pytest.raises(LoginFailedError):
            await logins.log_in(name, "wrong password", CALLER)
    token, _ = await logins.log_in(*ALICE, CALLER)
    holding = Caller(address="192.0.2.1", user_agent="", token=token, request_id="r2")
    await logins.log_out("alice", holding)
    await logins.log_out("alice", holding)
    await logins.log_out("alice", CALLER)
    rows = [(row.event, row.user, row.request_id) for row in store.audit.latest()]
    assert rows == [
        ("logout", "alice", "r2"),
        ("login", "alice", "r1"),
        ("login_refused", "", "r1"),
        ("login_refused", "alice", "r1"),
    ]


async def test_secrets_are_in_no_log_and_no_file(tmp_path: Path, logs: io.StringIO) -> None:
    canaries = ["canary-wrong-pw", "canary-name-pw", "canary-query", ALICE[1]]
    async with serving(tmp_path) as hub, hub.client() as client:
        await client.post("/api/v1/session", json=login_of(("alice", canaries[0])))
        await client.post("/api/v1/session", json=login_of((canaries[1], "x")))
        await client.post("/login", data=login_of(("alice", canaries[0])))
        await client.get(f"/login?next=/{canaries[2]}")
        await client.post("/api/v1/session", content=f'{{"password": "{canaries[0]}"')
        await client.post("/api/v1/session", json=login_of(ALICE))
        token = client.cookies["codehub"]
        await client.get("/api/v1/workspaces", headers={"Authorization": f"Bearer {canaries[0]}"})
        await client.get("/no-such-page")
        await client.delete("/api/v1/session")
    written = logs.getvalue()
    assert '"event": "login"' in written
    files = everything_in(tmp_path)
    for canary in [*canaries, token]:
        assert canary not in written
        assert canary.encode() not in files


async def test_a_full_audit_log_stops_no_login(
    logins: Logins, store: Store, tmp_path: Path, logs: io.StringIO
) -> None:
    raw = sqlite3.connect(tmp_path / "gateway.db")
    raw.execute("DROP TABLE audit")
    raw.close()
    token, _ = await logins.log_in(*ALICE, CALLER)
    assert token
    assert "audit_not_written" in logs.getvalue()


async def test_refusals_are_remembered_within_bounds(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.trail._REMEMBERED_MAX", 2)
    clock = Clock(0)
    trail = Trail(store.audit, monotonic=clock)

    async def refuse(workspace: str) -> None:
        await trail.refused(
            user="bob", workspace=workspace, code="FORBIDDEN", address="", request_id=""
        )

    for workspace in ("a", "a", "b", "c"):
        await refuse(workspace)
    assert len(store.audit.latest()) == 3
    assert len(trail._refused) <= 2
    clock.advance(60)
    await refuse("c")
    assert len(store.audit.latest()) == 4
