"""The lease between real processes and real clocks: a leader that is stopped, goes on, or is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from state_index.database import Database
from state_index.errors import IndexBusyError
from state_index.index import Index
from state_index.lease import TIMEOUT, Grant, Lease
from tests.state_index.lease_runner import BUSY

SHORT = 1.0
"""Seconds of the lease's timeout in most of these tests."""

LOOK = 0.1
TAKEOVER = 15.0
"""Seconds within which a successor must lead."""


class Leader:
    """A process that holds the lease."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert self.answer() == "leads 1"

    def say(self, what: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def wait_until_stopped(self) -> None:
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        if number is signal.SIGSTOP:
            self.wait_until_stopped()


@pytest.fixture
def timeout() -> float:
    return SHORT


@pytest.fixture
def leader(url: str, timeout: float) -> Iterator[Leader]:
    command = [sys.executable, "-m", "tests.state_index.lease_runner", url, str(timeout)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield Leader(process)
        finally:
            process.kill()


@pytest.fixture
def index(leader: Leader, url: str) -> Iterator[Index]:
    opened = Index(Database(url, busy_timeout=BUSY))
    opened.publish("a", cause="found", owner="alice")
    yield opened
    opened.close()


@pytest.fixture
def follower(index: Index, timeout: float) -> Lease:
    return index.lease("follower", timeout=timeout)


def take_over(follower: Lease, within: float = TAKEOVER) -> Grant:
    deadline = time.monotonic() + within
    while (grant := follower.acquire()) is None:
        assert time.monotonic() < deadline, "no takeover"
        time.sleep(LOOK)  # as a follower does
    return grant


def test_a_leader_that_beats_is_left_alone(leader: Leader, follower: Lease) -> None:
    until = time.monotonic() + 2.5 * SHORT
    while time.monotonic() < until:
        leader.say("renew")
        assert leader.answer() == "renewed"
        assert follower.acquire() is None
        time.sleep(LOOK)


def test_a_stopped_leader_that_goes_on_writes_nothing(
    leader: Leader, index: Index, follower: Lease
) -> None:
    leader.say("publish")
    assert leader.answer() == "2"
    leader.signal(signal.SIGSTOP)
    leader.say("publish")  # it finds this when it goes on
    grant = take_over(follower)
    assert grant.token == 2
    before = index.under(grant).publish("a", cause="step", step="the successor's")
    leader.signal(signal.SIGCONT)
    assert leader.answer() == "LeaseLostError"
    assert index.workspace("a") == before
    leader.say("renew")
    assert leader.answer() == "LeaseLostError"
    follower.renew()


@pytest.mark.parametrize("timeout", [SHORT, pytest.param(TIMEOUT, marks=pytest.mark.long)])
def test_a_killed_leader_is_succeeded_in_time(
    leader: Leader, follower: Lease, timeout: float
) -> None:
    assert follower.acquire() is None
    leader.say("renew")
    assert leader.answer() == "renewed"
    leader.signal(signal.SIGKILL)
    began = time.monotonic()
    take_over(follower)
    took = time.monotonic() - began
    assert timeout - LOOK < took < min(timeout + 5.0, TAKEOVER)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_postgresql_ends_the_transaction_of_a_leader_that_stopped_within(
    leader: Leader, index: Index, follower: Lease
) -> None:
    assert follower.acquire() is None
    leader.say("pause")
    leader.wait_until_stopped()
    grant = take_over(follower)
    before = index.under(grant).publish("a", cause="step", step="the successor's")
    leader.signal(signal.SIGCONT)
    assert leader.answer() == "IndexBusyError"
    assert index.workspace("a") == before
    leader.say("publish")
    assert leader.answer() == "LeaseLostError"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_on_sqlite_such_a_leader_has_to_go_on_or_be_killed_first(
    leader: Leader, index: Index, follower: Lease
) -> None:
    """The lock is the kernel's: a successor, on the same machine as it must be, kills it."""
    assert follower.acquire() is None
    leader.say("pause")
    leader.wait_until_stopped()
    with pytest.raises(IndexBusyError):
        take_over(follower)
    leader.signal(signal.SIGKILL)
    take_over(follower)
    row = index.workspace("a")
    assert row is not None
    assert row.step == "", "half a write is none"
