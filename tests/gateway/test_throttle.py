"""The login throttle: guessing is slowed, nobody is locked out, memory is bounded."""

import pytest

from gateway.throttle import LoginThrottle
from tests.gateway.harness import Clock

WINDOW = 300.0


def throttle(clock: Clock, *, attempts: int = 3, capacity: int = 100) -> LoginThrottle:
    return LoginThrottle(attempts=attempts, window=WINDOW, now=clock, capacity=capacity)


def test_after_so_many_failures_one_waits_for_one_share_of_the_window() -> None:
    clock = Clock()
    door = throttle(clock)
    assert [door.attempt("alice", "192.0.2.1") for _ in range(4)] == [0, 0, 0, 100]
    clock.advance(99)
    assert door.attempt("alice", "192.0.2.1") == 1
    clock.advance(1)
    assert door.attempt("alice", "192.0.2.1") == 0
    assert door.attempt("alice", "192.0.2.1") == 100


def test_everything_is_forgiven_after_the_window() -> None:
    clock = Clock()
    door = throttle(clock)
    for _ in range(3):
        door.attempt("alice", "192.0.2.1")
    clock.advance(WINDOW)
    assert [door.attempt("alice", "192.0.2.1") for _ in range(4)] == [0, 0, 0, 100]


def test_somebody_else_s_failures_do_not_lock_an_account() -> None:
    door = throttle(Clock())
    for _ in range(50):
        door.attempt("alice", "203.0.113.9")
    assert door.attempt("alice", "203.0.113.9") > 0
    assert door.attempt("alice", "192.0.2.1") == 0


def test_success_forgives_the_account_but_not_the_address() -> None:
    door = throttle(Clock())
    for _ in range(2):
        door.attempt("alice", "192.0.2.1")
    assert door.attempt("alice", "192.0.2.1") == 0
    door.succeeded("alice", "192.0.2.1")
    assert [door.attempt("alice", "192.0.2.1") for _ in range(3)] == [0, 0, 0]
    assert door.attempt("alice", "192.0.2.1") > 0


def test_trying_many_accounts_from_one_address_is_slowed_too() -> None:
    door = throttle(Clock())
    waits = [door.attempt(f"user{number}", "192.0.2.1") for number in range(31)]
    assert waits[:30] == [0] * 30
    assert waits[30] > 0
    assert door.attempt("user0", "192.0.2.2") == 0


def test_honest_logins_behind_one_address_are_not_slowed() -> None:
    door = throttle(Clock())
    for number in range(200):
        assert door.attempt(f"user{number}", "192.0.2.1") == 0
        door.succeeded(f"user{number}", "192.0.2.1")


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
        ("not an address", "another", False),
    ],
)
def test_an_ipv6_visitor_has_one_bucket_for_the_whole_network(
    one: str, two: str, same: bool
) -> None:
    door = throttle(Clock(), attempts=1)
    assert door.attempt("alice", one) == 0
    assert (door.attempt("alice", two) > 0) is same


def test_long_names_take_no_more_memory_than_short_ones() -> None:
    door = throttle(Clock(), attempts=1)
    door.attempt("a" * 60_000, "192.0.2.1")
    assert max(len(account) for account, _ in door._buckets) <= 64


def test_memory_is_bounded_and_the_newest_are_kept() -> None:
    door = throttle(Clock(), attempts=1, capacity=10)
    for number in range(100):
        door.attempt(f"user{number}", f"192.0.2.{number}")
    assert len(door._buckets) == 10
    assert door.attempt("user99", "192.0.2.99") > 0
    assert door.attempt("user1", "192.0.2.1") == 0
