"""`codehub list`, `status` and `open` over a real index."""

import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.phases import STYLES, age, expiry, plain, why
from settings.load import load
from settings.model import Settings
from state_index.index import Index
from state_index.models import Published
from state_index.phases import Event, Phase, Sync
from tests.cli import processes
from tests.cli.conftest import Cli


def empty(data: Path) -> str:
    return f"no workspaces yet in {data}: add a file to workspaces.d and run codehub up\n"


@pytest.fixture
def index(place: Path) -> Iterator[Index]:
    (place / "data").mkdir(mode=0o700)
    with Index.open(f"sqlite:///{place}/data/index.db") as opened:
        yield opened


def publish_two(index: Index) -> None:
    for name, owner in (("aa", "alice"), ("bb", "bob")):
        index.publish(name, cause="test", owner=owner, image="light", sync=Sync.SYNCED)
        index.publish(name, cause="test", event=Event.PROVISION)
    index.publish("aa", cause="test", event=Event.READY)
    index.publish(
        "bb",
        cause="test",
        event=Event.FAILED,
        reason="IMAGE_MISSING",
        message="no image light.\nBuild it",
        spec_json='{"owner": "bob"}',
    )


@pytest.mark.parametrize("args", [("list",), ("status",), ("list", "-q")])
def test_nothing_published_yet_makes_no_index(cli: Cli, place: Path, args: tuple[str, ...]) -> None:
    result = cli(*args)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == ("" if "-q" in args else empty(place / "data"))
    assert not (place / "data").exists()


@pytest.mark.parametrize("name", ["50% of it", "what?", "a#b", "one, two", "%2F"])
def test_an_index_is_found_whatever_its_folder_is_called(cli: Cli, place: Path, name: str) -> None:
    data = place / name
    env = {"CODEHUB_DATA": str(data)}
    settings = load(Settings, env, cwd=place)
    with Index.open(settings.index_url) as index:
        index.publish("aa", cause="test", owner="alice")
    assert (data / "index.db").is_file()
    assert cli("status", env=env).stdout.splitlines()[1].split()[0] == "aa"


def test_nothing_published_yet_as_json(cli: Cli) -> None:
    assert json.loads(cli("status", "-o", "json").stdout) == {"workspaces": []}
    assert json.loads(cli("list", "-o", "json").stdout) == {"workspaces": []}


def test_list(cli: Cli, index: Index) -> None:
    publish_two(index)
    assert [line.split() for line in cli("list").stdout.splitlines()] == [
        ["ID", "OWNER", "PHASE", "URL"],
        ["aa", "alice", "RUNNING", "http://127.0.0.1:8000/w/aa/"],
        ["bb", "bob", "ERROR", "http://127.0.0.1:8000/w/bb/"],
    ]
    assert cli("list", "-q", "--owner", "bob").stdout == "bb\n"
    found = json.loads(cli("list", "-o", "json", "--owner", "alice").stdout)
    assert found == {
        "workspaces": [
            {
                "id": "aa",
                "owner": "alice",
                "phase": "RUNNING",
                "url": "http://127.0.0.1:8000/w/aa/",
            }
        ]
    }


def test_status_as_a_table(cli: Cli, index: Index) -> None:
    publish_two(index)
    head, first, second = cli("status").stdout.splitlines()
    assert head.split() == ["ID", "OWNER", "PHASE", "SYNC", "AGE", "MESSAGE"]
    assert first.split()[:4] == ["aa", "alice", "RUNNING", "Synced"]
    assert second.endswith("IMAGE_MISSING: no image light. Build it")
    assert first == first.rstrip()


def test_status_of_some_and_wide(cli: Cli, index: Index) -> None:
    publish_two(index)
    head, only = cli("status", "bb", "-o", "wide").stdout.splitlines()
    assert "IMAGE" in head.split()
    assert "GENERATION" in head.split()
    assert "light" in only.split()


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        (None, ""),
        (timedelta(days=6, hours=23), "in 6d"),
        (timedelta(seconds=3), "in 3s"),
        (timedelta(0), "now"),
        (timedelta(days=-1), "now"),
    ],
)
def test_when_a_kept_home_goes(left: timedelta | None, shown: str) -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    expires = None if left is None else now + left
    row = Published(
        id="aa", owner="alice", phase=Phase.TOMBSTONED, sync=Sync.SYNCED, expires_at=expires
    )
    assert expiry(row, now) == shown


def test_status_of_an_unknown_one(cli: Cli, index: Index) -> None:
    publish_two(index)
    index.publish("alice-demo", cause="test", owner="alice")
    result = cli("status", "alice-dmo")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: no workspace alice-dmo\n  hint: did you mean alice-demo?\n"
    assert "codehub list" in cli("status", "zzzzzz").stderr


def test_status_as_json(cli: Cli, index: Index) -> None:
    publish_two(index)
    _, row = json.loads(cli("status", "-o", "json").stdout)["workspaces"]
    assert row["phase"] == "ERROR"
    assert row["sync"] == "Synced"
    assert row["spec"] == {"owner": "bob"}
    assert datetime.fromisoformat(row["since"]).tzinfo is not None
    assert set(row) == {
        "id", "owner", "phase", "sync", "reason", "message", "step", "since", "retry_at",
        "generation", "desired_hash", "applied_hash", "image", "upstream", "pinned", "problems",
        "spec", "request_id", "updated_at", "removed_at", "expires_at", "drift",
    }  # fmt: skip


def test_status_in_colour(cli: Cli, index: Index) -> None:
    publish_two(index)
    result = cli("--color", "always", "status")
    assert "\x1b[32mRUNNING\x1b[0m" in result.stdout
    assert "\x1b[1;31mERROR  \x1b[0m" in result.stdout


def test_a_broken_index_is_one_line(cli: Cli, place: Path) -> None:
    (place / "data").mkdir(mode=0o700)
    (place / "data/index.db").write_bytes(b"no database" * 1000)
    result = cli("status")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr


def test_open_prints_the_address(cli: Cli, index: Index) -> None:
    publish_two(index)
    result = cli("open", "aa")
    assert (result.stdout, result.stderr) == ("http://127.0.0.1:8000/w/aa/\n", "")
    result = cli("open", "bb", env={"CODEHUB_BASE_URL": "https://hub.example.org/"})
    assert result.stdout == "https://hub.example.org/w/bb/\n"
    assert result.stderr == "bb is ERROR: codehub start bb\n"
    assert cli("open", "zz").exit_code == 1


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000/w/aa/"),
        ("::", "http://[::1]:8000/w/aa/"),
        ("hub.example.org", "http://hub.example.org:8000/w/aa/"),
    ],
)
def test_open_with_other_hosts(cli: Cli, index: Index, host: str, url: str) -> None:
    publish_two(index)
    assert cli("open", "aa", env={"CODEHUB_HOST": host}).stdout == f"{url}\n"


@pytest.mark.parametrize(
    ("more", "env", "opened"),
    [
        ((), {"DISPLAY": ":9"}, True),
        (("--no-browser",), {"DISPLAY": ":9"}, False),
        ((), {}, False),
    ],
)
def test_a_browser_is_opened_at_a_graphical_terminal_only(
    place: Path, index: Index, more: tuple[str, ...], env: dict[str, str], opened: bool
) -> None:
    """`xdg-open` is what click starts; this one leaves a note."""
    publish_two(index)
    note, bin_ = place / "note", place / "bin"
    bin_.mkdir()
    (bin_ / "xdg-open").write_text(f'#!/bin/sh\necho "$1" > {note}\n')
    (bin_ / "xdg-open").chmod(0o755)
    path = {"PATH": f"{bin_}:/usr/bin:/bin"}
    with processes.terminal("open", "aa", *more, env={**env, **path}) as screen:
        screen.wait_for("/w/aa/")
        assert screen.end() == 0
    assert note.exists() is opened


def test_watch_shows_changes_until_control_c(place: Path, index: Index) -> None:
    publish_two(index)
    with processes.terminal("status", "--watch") as screen:
        screen.wait_for("RUNNING")
        index.publish("aa", cause="test", event=Event.STOP)
        screen.wait_for("STOPPING")
        screen.type("\x03")
        assert screen.end() == 130
    assert "Traceback" not in screen.shown


def test_watch_as_json_is_one_line_per_change(place: Path, index: Index) -> None:
    publish_two(index)
    lines = watched(index, "status", "-w", "-o", "json", "aa")
    assert [json.loads(line)["phase"] for line in lines] == ["RUNNING", "STOPPING"]


def test_watch_without_a_terminal_is_one_line_per_change(place: Path, index: Index) -> None:
    publish_two(index)
    lines = watched(index, "status", "-w", "aa")
    assert [line.split("\t")[2] for line in lines] == ["RUNNING", "STOPPING"]


def test_watch_goes_on_with_another_index_in_its_place(place: Path, index: Index) -> None:
    """One that was rebuilt may be at the same generation."""
    data = place / "data"
    index.publish("aa", cause="test", owner="alice")
    with Index.open(f"sqlite:///{place}/other.db") as other:
        other.publish("aa", cause="test", owner="bob")
    with subprocess.Popen(
        [*processes.COMMAND, "status", "-w", "-o", "json"],
        env=processes.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["owner"] == "alice"
            for found in data.glob("index.db*"):
                found.unlink()
            (place / "other.db").rename(data / "index.db")
            assert json.loads(process.stdout.readline())["owner"] == "bob"
            with Index.open(f"sqlite:///{data}/index.db") as rebuilt:
                rebuilt.publish("aa", cause="test", event=Event.BOOTING)
                assert json.loads(process.stdout.readline())["phase"] == "STARTING"
        finally:
            process.kill()


def watched(index: Index, *args: str) -> list[str]:
    """The first line, then another after a change; then Ctrl-C."""
    with subprocess.Popen(
        [*processes.COMMAND, *args],
        env=processes.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            first = process.stdout.readline()
            index.publish("aa", cause="test", event=Event.STOP)
            second = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(processes.DEADLINE) == 130
        finally:
            process.kill()
    return [first, second]


def test_watch_before_anything_is_published(place: Path) -> None:
    with processes.terminal("status", "--watch") as screen:
        screen.wait_for("ID")
        with Index.open(f"sqlite:///{place}/data/index.db") as index:
            index.publish("aa", cause="test", owner="alice")
        screen.wait_for("PENDING")
        screen.type("\x03")
        assert screen.end() == 130


NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59, "59s"), (61, "1m"), (3600, "1h"), (172_800, "2d"), (-5, "0s")],
)
def test_ages(seconds: int, text: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == text


def row(**changes: Any) -> Published:
    return Published(
        **{"id": "aa", "owner": "a", "phase": Phase.WARM, "sync": Sync.SYNCED} | changes
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, ""),
        ({"step": "pulling"}, "pulling"),
        ({"message": "told", "step": "pulling"}, "told"),
        ({"reason": "R", "message": "m"}, "R: m"),
        ({"problems": ({"file": "f", "line": 1, "column": 2, "message": "m"},)}, "f:1:2: m"),
        (
            {"problems": ({"file": "f", "line": 1, "column": 2, "message": "m"}, {}, {})},
            "f:1:2: m (and 2 more)",
        ),
        (
            {"step": "start", "drift": ({"field": "memory", "wanted": "4Gi", "found": "8Gi"},)},
            "start; differs: memory 4Gi → 8Gi",
        ),
        (
            {"drift": ({"field": "a", "wanted": "b", "found": "c"},) * 8},
            f"differs: {', '.join(['a b → c'] * 6)} and 2 more",
        ),
    ],
)
def test_why(changes: dict[str, Any], text: str) -> None:
    assert why(row(**changes)) == text


def test_every_phase_and_sync_has_a_colour_or_is_over() -> None:
    uncoloured = {word.value for word in (*Phase, *Sync)} - STYLES.keys()
    assert uncoloured == {"COLD", "TOMBSTONED", "DELETED", "Synced"}


def test_a_row_without_a_spec_as_json() -> None:
    assert plain(row())["spec"] is None


def test_the_words_of_others_steer_no_terminal_and_swallow_none_of_ours() -> None:
    said = "it said \x1b]0;"
    problem = {"file": "f.yaml", "line": 1, "column": 2, "message": said}
    told = why(
        row(
            message=said,
            problems=(problem, problem),
            drift=({"field": said, "wanted": said, "found": said},),
        )
    )
    assert told == (
        "it said ; f.yaml:1:2: it said (and 1 more); differs: it said it said → it said"
    )
