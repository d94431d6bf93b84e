"""`codehub history` over a real index."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from state_index.index import Index
from state_index.phases import Event
from tests.cli.conftest import Cli
from tests.stacks.git.repository import WORKSPACE, Repository

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


FILE = "workspaces.d/aa.yaml"


@pytest.fixture
def followed(place: Path, index: Index) -> dict[str, str]:
    """Follow a repository of two commits of the file, by the copy that a runner has."""
    team = Repository(place / "team")
    team.commit({FILE: WORKSPACE}, message="Make it")
    team.commit({"README": b"x"}, message="Not of it")
    head = team.commit({FILE: WORKSPACE + b"env: {API_KEY: hunter2}\n"}, message="Change <it>")
    team.call("clone", "-q", "--bare", str(team.folder), str(place / "data" / "mirror.git"))
    publish(index)
    index.repository.tell(url="u", branch="main", path="workspaces.d", attempted=head)
    return {"CODEHUB_REPO": "https://git.example.org/team.git"}


def test_of_a_repository_the_commits_of_the_file_follow(cli: Cli, followed: dict[str, str]) -> None:
    shown = cli("history", "aa", env=followed).stdout.split("\n\n")
    head, *rows = (line.split() for line in shown[1].splitlines())
    assert head == ["COMMIT", "WHEN", "AUTHOR", "SUBJECT"]
    assert [" ".join(row[2:]) for row in rows] == ["Alice Make it", "Alice Change <it>"]
    told = json.loads(cli("history", "aa", "-o", "json", "-n", "1", env=followed).stdout)
    assert [each["subject"] for each in told["commits"]] == ["Change <it>"]
    assert "commits" not in json.loads(cli("history", "aa", "-o", "json").stdout)
    assert "COMMIT" not in cli("history", "bb", env=followed).stdout


def test_diffs_of_the_file_hide_secrets(cli: Cli, followed: dict[str, str]) -> None:
    shown = cli("history", "aa", "--diff", env=followed).stdout
    assert "+owner: alice" in shown
    assert "\n+(hidden: it may be a secret)\n" in shown
    assert "hunter2" not in shown


def test_a_copy_that_can_t_be_read_is_told_and_the_rest_shown(
    place: Path, cli: Cli, followed: dict[str, str]
) -> None:
    (place / "data" / "mirror.git" / "HEAD").unlink()
    shown = cli("history", "aa", env=followed)
    assert shown.exit_code == 0
    assert "PENDING" in shown.stdout
    assert "the commits of its file can't be told" in shown.stderr


def test_a_long_diff_says_that_it_was_cut(
    place: Path, cli: Cli, followed: dict[str, str], index: Index
) -> None:
    team = place / "team"
    long = Repository.__new__(Repository)
    long.folder = team
    long.commit({FILE: b"# long\n" * 9_000})
    head = long.commit({FILE: b"# wide\n" * 9_000})
    long.call("push", "-q", str(place / "data" / "mirror.git"), "main")
    index.repository.tell(attempted=head)
    assert "is longer than is shown" in cli("history", "aa", "--diff", env=followed).stderr
