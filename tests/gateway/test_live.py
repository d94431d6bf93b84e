"""The registry of open connections."""

from contextlib import suppress

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
