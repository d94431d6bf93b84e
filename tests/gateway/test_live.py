"""The registry of open connections."""

import asyncio
from contextlib import suppress

import pytest

from gateway.live import Ended, LiveSessions


def test_ending_a_session_closes_its_connections_once_and_no_others() -> None:
    live = LiveSessions()
    closed: list[str] = []
    live.add("a", lambda reason: closed.append(f"a1 {reason}"))
    live.add("a", lambda reason: closed.append(f"a2 {reason}"))
    live.add("b", lambda reason: closed.append(f"b {reason}"))
    assert live.keys() == {"a", "b"}
    assert live.end("a", Ended.LOGOUT) == 2
    assert sorted(closed) == ["a1 logout", "a2 logout"]
    assert live.end("a", Ended.LOGOUT) == 0
    assert live.keys() == {"b"}
    assert live.end_all(Ended.SHUTDOWN) == 1
    assert closed[-1] == "b shutdown"
    assert live.keys() == frozenset()


def test_one_that_fails_to_close_does_not_keep_the_others_open() -> None:
    live = LiveSessions()
    closed: list[Ended] = []

    def broken(reason: Ended) -> None:
        raise OSError(str(reason))

    for close in (broken, closed.append):
        live.add("a", close)
    assert live.end("a", Ended.EXPIRED) == 2
    assert closed == [Ended.EXPIRED]


def test_a_connection_is_held_for_the_time_of_a_block() -> None:
    live = LiveSessions()
    closed: list[Ended] = []
    with suppress(KeyError), live.held("a", closed.append):
        assert live.count("a") == 1
        raise KeyError
    assert live.count("a") == 0
    assert live.keys() == frozenset()
    live.discard("a", closed.append)
    live.end("a", Ended.LOGOUT)
    assert closed == []


def test_a_connection_that_was_closed_may_unregister_afterwards() -> None:
    live = LiveSessions()
    closed: list[Ended] = []
    with live.held("a", closed.append):
        live.end("a", Ended.REVOKED)
    assert closed == [Ended.REVOKED]
    assert live.keys() == frozenset()


async def test_what_registers_after_the_end_is_closed_as_well() -> None:
    """A request that was let in just before the logout, and opens its tunnel just after."""
    live = LiveSessions()
    live.end("a", Ended.LOGOUT)
    assert live.is_over("a")
    ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
    with live.held("a", ended.set_result):
        assert not ended.done()  # not before its opener is ready for it
        async with asyncio.timeout(5):
            assert await ended is Ended.LOGOUT
    assert live.keys() == frozenset()


def test_ended_sessions_are_known_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveSessions()
    monkeypatch.setattr("gateway.live.time.monotonic", lambda: 100.0)
    live.end("a", Ended.LOGOUT)
    live.end("b", Ended.LOGOUT)
    monkeypatch.setattr("gateway.live.time.monotonic", lambda: 159.0)
    live.end("b", Ended.REVOKED)
    assert (live.is_over("a"), live.is_over("b")) == (True, True)
    monkeypatch.setattr("gateway.live.time.monotonic", lambda: 161.0)
    assert (live.is_over("a"), live.is_over("b")) == (False, True)
    live.end("c", Ended.LOGOUT)
    assert set(live._over) == {"b", "c"}
