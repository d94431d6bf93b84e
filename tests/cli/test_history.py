"""`codehub history` over a real index."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from state_index.index import Index
from state_index.phases import Event
from tests.cli.conftest import Cli

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def index(place: Path) -> Iterator[Index]:
    """An index whose clock goes on a minute with each look at it."""
    (place / "data").mkdir(mode=0o700)
    times = (BEGIN + timedelta(minutes=n) for n in range(1000))
    with Index.open(f"sqlite:///{place}/data/index.db", now=lambda: next(times)) as opened:
        yield opened


def publish(index: Index) -> None:
    index.publish("aa", cause="its file came", owner="alice", revision="c0ffee")
    index.publish("aa", cause="bob\nasked", event=Event.BOOTING, actor="bob", request_id="req-1")
    index.publish("bb", cause="another's", owner="bob")
    index.publish("aa", cause="it is no news", step="waiting")


def test_as_a_table(cli: Cli, index: Index) -> None:
    publish(index)
    head, *rows = (line.split() for line in cli("history", "aa").stdout.splitlines())
    assert head == ["WHEN", "FROM", "TO", "BY", "REQUEST", "REVISION", "CAUSE"]
    assert rows == [
        ["2026-01-02T03:04:05Z", "-", "PENDING", "-", "-", "c0ffee", "its", "file", "came"],
        ["2026-01-02T03:05:05Z", "PENDING", "STARTING", "bob", "req-1", "-", "bob", "asked"],
    ]


def test_as_json(cli: Cli, index: Index) -> None:
    publish(index)
    _, row = json.loads(cli("history", "aa", "-o", "json").stdout)["history"]
    assert row == {
        "workspace_id": "aa",
        "from_phase": "PENDING",
        "to_phase": "STARTING",
        "event": "booting",
        "cause": "bob\nasked",
        "actor": "bob",
        "request_id": "req-1",
        "revision": "",
        "at": "2026-01-02T03:05:05+00:00",
    }


def test_only_the_newest(cli: Cli, index: Index) -> None:
    publish(index)
    for _ in range(15):
        index.publish("aa", cause="on", event=Event.READY)
        index.publish("aa", cause="off", event=Event.STOPPED)
        index.publish("aa", cause="wake", event=Event.START)
    assert len(cli("history", "aa").stdout.splitlines()) == 1 + 20
    assert len(cli("history", "aa", "-n", "200").stdout.splitlines()) == 1 + 2 + 45
    (newest,) = json.loads(cli("history", "aa", "-n", "1", "-o", "json").stdout)["history"]
    assert newest["cause"] == "wake"
    assert cli("history", "aa", "-n", "0").exit_code == 2


def test_what_was_removed_keeps_its_history(cli: Cli, index: Index) -> None:
    publish(index)
    index.forget("aa", "its file is gone")
    last = cli("history", "aa").stdout.splitlines()[-1].split()
    assert last[1:6] == ["STARTING", "-", "-", "-", "-"]
    assert last[6:] == ["its", "file", "is", "gone"]


def test_an_unknown_one(cli: Cli, index: Index) -> None:
    index.publish("alice-demo", cause="test", owner="alice")
    done = cli("history", "alice-dmo")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "error: no workspace alice-dmo\n  hint: did you mean alice-demo?\n"


def test_where_nothing_was_published_yet_no_index_is_made(cli: Cli, place: Path) -> None:
    done = cli("history", "aa")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no workspace aa\n")
    assert not (place / "data").exists()
    assert cli("history", "../etc").exit_code == 2
