"""Sessions: fixation, expiry, revocation from elsewhere, and what is remembered."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailableError
from gateway.follow import SWEEP
from gateway.live import Ended, LiveSessions
from gateway.sessions import _REMEMBER_SECONDS, Sessions, key_of
from gateway.store import Credentials, Store
from tests.gateway.harness import Clock
from tests.gateway.test_login import everything_in

GOOD = "correct horse battery"
IDLE = 3600
MAXIMUM = 10_000


@pytest.fixture
def live() -> LiveSessions:
    return LiveSessions()


@pytest.fixture
def monotonic() -> Clock:
    return Clock(0.0)


@pytest.fixture
def sessions(store: Store, live: LiveSessions, clock: Clock, monotonic: Clock) -> Sessions:
    store.users.add("alice", GOOD)
    return Sessions(store, live, idle=IDLE, maximum=MAXIMUM, now=clock, monotonic=monotonic)


def alice(store: Store) -> Credentials:
    found = store.users.credentials("alice")
    assert found is not None
    return found


async def begin(sessions: Sessions, store: Store, replaces: str | None = None) -> str:
    token = await sessions.begin(alice(store), user_agent="Browser/1", replaces=replaces)
    assert token is not None
    return token


async def test_a_session_is_found_by_its_id_only(sessions: Sessions, store: Store) -> None:
    token = await begin(sessions, store)
    found = await sessions.find(token)
    assert found is not None
    assert (found.user, found.admin, found.key) == ("alice", False, key_of(token))
    assert await sessions.find(key_of(token)) is None
    assert await sessions.find(token[:-1]) is None


async def test_ids_are_256_bits_and_kept_as_hashes(
    sessions: Sessions, store: Store, tmp_path: Path
) -> None:
    tokens = {await begin(sessions, store) for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token) == 43 for token in tokens)
    store.close()
    everything = everything_in(tmp_path)
    assert not any(token.encode() in everything for token in tokens)
    assert all(key_of(token).encode() in everything for token in tokens)


@pytest.mark.parametrize(
    "token", [None, "", "A" * 43, "A" * 42, "A" * 44, "ü" * 43, "A" * 42 + "\n", "../" * 14 + "A"]
)
async def test_unknown_ids_are_nobody_and_never_adopted(
    sessions: Sessions, store: Store, token: str | None
) -> None:
    assert await sessions.find(token) is None
    made = await begin(sessions, store, replaces=token)
    assert made != token
    assert await sessions.find(token) is None


async def test_logging_in_again_gives_a_new_id_and_ends_the_old(
    sessions: Sessions, store: Store
) -> None:
    first = await begin(sessions, store)
    second = await begin(sessions, store, replaces=first)
    assert first != second
    assert await sessions.find(first) is None
    assert await sessions.find(second) is not None


async def test_a_session_ends_when_idle(
    sessions: Sessions, store: Store, clock: Clock, monotonic: Clock
) -> None:
    token = await begin(sessions, store)
    clock.advance(IDLE - 1)
    assert await sessions.find(token) is not None  # and this request counts as a sign of life
    clock.advance(IDLE - 1)
    assert await sessions.find(token) is not None
    clock.advance(IDLE)
    assert await sessions.find(token) is None  # also while it is remembered
    monotonic.advance(60)
    assert await sessions.find(token) is None


async def test_a_session_ends_after_its_maximum_however_busy(
    sessions: Sessions, store: Store, clock: Clock
) -> None:
    token = await begin(sessions, store)
    for _ in range(9):
        clock.advance(1000)
        assert await sessions.find(token) is not None
    clock.advance(999)
    assert await sessions.find(token) is not None
    clock.advance(1)
    assert await sessions.find(token) is None


async def test_signs_of_life_are_written_once_a_minute(
    sessions: Sessions, store: Store, clock: Clock, monotonic: Clock, tmp_path: Path
) -> None:
    token = await begin(sessions, store)
    seen = []
    for _ in range(4):
        clock.advance(30)
        monotonic.advance(30)
        assert await sessions.find(token) is not None
        raw = sqlite3.connect(tmp_path / "gateway.db")
        seen.append(raw.execute("SELECT last_seen FROM sessions").fetchone()[0] - clock.at)
        raw.close()
    assert seen == [-30, 0, -30, 0]


async def test_logout_counts_at_once_although_sessions_are_remembered(
    sessions: Sessions, store: Store, live: LiveSessions
) -> None:
    token = await begin(sessions, store)
    assert await sessions.find(token) is not None
    closed: list[Ended] = []
    live.add(key_of(token), closed.append)
    assert await sessions.end(token) is True
    assert closed == [Ended.LOGOUT]
    assert await sessions.find(token) is None
    assert await sessions.end(token) is False
    assert await sessions.end("no id at all") is False


async def test_a_request_that_read_the_session_before_logout_does_not_bring_it_back(
    sessions: Sessions, store: Store, live: LiveSessions, clock: Clock
) -> None:
    token = await begin(sessions, store)
    before = store.sessions.load(key_of(token), now=clock())
    read = sessions.find(token)
    await sessions.end(token)
    # A slow reader: what it answers was so before the logout.
    store.sessions.load = lambda _key, **_: before  # type: ignore[method-assign]
    assert await read is None


async def test_a_request_whose_sign_of_life_is_written_during_logout_is_nobody_s(
    sessions: Sessions, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may hold the store for seconds."""
    token = await begin(sessions, store)
    assert await sessions.find(token) is not None
    clock.advance(IDLE / 2)
    held, writing = threading.Event(), threading.Event()
    touch = store.sessions.touch

    def slow(key: str, *, now: float) -> None:
        writing.set()
        assert held.wait(10)
        touch(key, now=now)

    monkeypatch.setattr(store.sessions, "touch", slow)
    async with asyncio.TaskGroup() as tasks:
        request = tasks.create_task(sessions.find(token))
        await asyncio.to_thread(writing.wait, 10)
        assert await sessions.end(token) is True
        held.set()
    assert request.result() is None
    assert await sessions.find(token) is None


def test_what_another_process_ends_is_cut_within_a_second() -> None:
    """It may be remembered first, and then wait for the next look."""
    assert _REMEMBER_SECONDS + SWEEP < 1


async def test_what_another_process_ends_is_over_here_within_a_second(
    sessions: Sessions, store: Store, live: LiveSessions, monotonic: Clock
) -> None:
    token = await begin(sessions, store)
    assert await sessions.find(token) is not None
    store.users.disable("alice")  # as `codehub user disable` does, in a process of its own
    monotonic.advance(_REMEMBER_SECONDS - 0.001)
    assert await sessions.find(token) is not None
    monotonic.advance(0.002)
    assert await sessions.find(token) is None


async def test_connections_of_ended_sessions_are_closed_and_others_are_not(
    sessions: Sessions, store: Store, live: LiveSessions, clock: Clock
) -> None:
    await sessions.close_ended()
    store.users.add("bob", GOOD)
    token = await begin(sessions, store)
    bob = store.users.credentials("bob")
    assert bob is not None
    other = await sessions.begin(bob, user_agent="", replaces=None)
    assert other is not None
    closed: list[str] = []
    live.add(key_of(token), lambda reason: closed.append(f"alice {reason}"))
    live.add(key_of(other), lambda reason: closed.append(f"bob {reason}"))
    await sessions.close_ended()
    assert closed == []
    store.users.passwd("alice", "another horse entirely")
    await sessions.close_ended()
    assert closed == ["alice revoked"]
    assert await sessions.find(token) is None
    clock.advance(IDLE)
    await sessions.close_ended()
    assert closed == ["alice revoked", "bob revoked"]


async def test_what_is_remembered_is_bounded(
    sessions: Sessions, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sessions._REMEMBER_MAX", 3)
    tokens = [await begin(sessions, store) for _ in range(5)]
    for token in tokens:
        assert await sessions.find(token) is not None
        assert len(sessions._remembered) <= 3


async def test_the_browser_s_name_is_cut_and_cleaned(
    sessions: Sessions, store: Store, tmp_path: Path
) -> None:
    await sessions.begin(alice(store), user_agent="B\x1b[31m\n" + "x" * 500, replaces=None)
    raw = sqlite3.connect(tmp_path / "gateway.db")
    (kept,) = raw.execute("SELECT user_agent FROM sessions").fetchone()
    raw.close()
    assert kept == "B[31m" + "x" * 115


async def test_a_logout_that_cannot_be_written_fails_and_the_session_goes_on(
    sessions: Sessions, store: Store, live: LiveSessions, tmp_path: Path
) -> None:
    token = await begin(sessions, store)
    assert await sessions.find(token) is not None
    raw = sqlite3.connect(tmp_path / "gateway.db")
    raw.execute("ALTER TABLE sessions RENAME TO gone")
    closed: list[Ended] = []
    live.add(key_of(token), closed.append)
    with pytest.raises(StoreUnavailableError):
        await sessions.end(token)
    raw.execute("ALTER TABLE gone RENAME TO sessions")
    raw.close()
    assert closed == []
    assert await sessions.find(token) is not None
