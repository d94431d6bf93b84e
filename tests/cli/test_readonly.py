"""Commands that only show, where the data folder can't be written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from state_index.index import Index
from state_index.phases import Event
from tests.cli import processes
from tests.cli.conftest import Cli
from tests.state_index.apart import PUBLISH, command
from tests.tools.unprivileged import unprivileged

SHOWN = [
    (("status", "-o", "json"), "workspaces", "id"),
    (("list", "-o", "json"), "workspaces", "id"),
    (("history", "aa", "-o", "json"), "history", "workspace_id"),
]


def publish(place: Path, name: str, *, crash: bool = False) -> None:
    """By a process of its own, which ends or is killed."""
    (place / "data").mkdir(mode=0o700, exist_ok=True)
    url = f"sqlite:///{place}/data/index.db"
    env = processes.environment({"CRASH": "1"} if crash else None)
    subprocess.run([sys.executable, "-c", PUBLISH, url, name], check=True, env=env)


def run(place: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """A command that sees the data folder read-only."""
    return subprocess.run(
        command(place / "data", *processes.COMMAND, *args),
        env=processes.environment(),
        capture_output=True,
        text=True,
        timeout=processes.DEADLINE,
        check=False,
    )


def shown(place: Path, args: tuple[str, ...], key: str, name: str) -> set[str]:
    done = run(place, *args)
    assert (done.returncode, done.stderr) == (0, "")
    return {row[name] for row in json.loads(done.stdout)[key]}


@pytest.mark.parametrize(("args", "key", "name"), SHOWN)
def test_it_is_shown(place: Path, args: tuple[str, ...], key: str, name: str) -> None:
    publish(place, "aa")
    before = sorted(found.name for found in (place / "data").iterdir())
    assert shown(place, args, key, name) == {"aa"}
    assert sorted(found.name for found in (place / "data").iterdir()) == before


def test_the_newest_is_shown_while_a_runner_writes_elsewhere(place: Path) -> None:
    (place / "data").mkdir(mode=0o700)
    with Index.open(f"sqlite:///{place}/data/index.db") as index:
        for name in ("aa", "bb"):
            index.publish(name, cause="test", owner="alice")
            assert name in shown(place, *SHOWN[0])
        # Another process that closes it here must not take the log away.
        publish(place, "cc")
        assert shown(place, *SHOWN[0]) == {row.id for row in index.workspaces()}


def test_what_a_killed_runner_left_is_shown(place: Path) -> None:
    publish(place, "aa")
    publish(place, "bb", crash=True)
    assert shown(place, *SHOWN[0]) == {"aa", "bb"}


def test_what_can_not_be_read_is_told_with_the_way_out(place: Path) -> None:
    publish(place, "aa", crash=True)
    (place / "data/index.db-shm").unlink()
    done = run(place, "status")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: the state index {place}/data/index.db can't be read: ")
    assert f"hint: copy {place}/data/index.db with its -wal" in done.stderr


def test_a_wait_and_a_watch_see_changes_that_are_made_elsewhere(place: Path) -> None:
    publish(place, "aa")
    args = ("status", "--watch", "-o", "json")
    with subprocess.Popen(
        command(place / "data", *processes.COMMAND, *args),
        env=processes.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as watch:
        try:
            assert watch.stdout is not None
            assert json.loads(watch.stdout.readline())["phase"] == "PENDING"
            with Index.open(f"sqlite:///{place}/data/index.db") as index:
                index.publish("aa", cause="test", event=Event.BOOTING)
                assert json.loads(watch.stdout.readline())["phase"] == "STARTING"
            publish(place, "bb")
            assert json.loads(watch.stdout.readline())["id"] == "bb"
        finally:
            watch.kill()
    done = run(place, "wait", "aa", "--for", "phase=STARTING")
    assert (done.returncode, done.stdout) == (0, "aa: phase=STARTING\n")


@pytest.mark.parametrize(
    "args", [("status",), ("list",), ("wait", "aa", "--for", "gone", "--timeout", "0s")]
)
def test_another_user_s_folder_is_told_with_the_way_out(
    cli: Cli, place: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    publish(place, "aa")
    cli(*args)  # imports what another user may not be able to
    if os.geteuid() != 0:
        (place / "data").chmod(0)
    monkeypatch.chdir("/")
    try:
        with unprivileged():
            done = cli(*args, env={"CODEHUB_WORKSPACES": str(place / "workspaces.d")})
    finally:
        (place / "data").chmod(0o700)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: this user may not look into {place}/data\n"
        "  hint: run the command as the user that the folder belongs to\n"
    )
