"""The commands that work on workspaces: real engine, real Pulumi, real daemon, light image."""

import getpass
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.hub import CODEHUB, Hub, hub, wait_for

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

LIGHT = "owner: alice\nimage: codehub/light\nresources: {cpu: 0.5, memory: 64Mi, pids: 64}\n"


WHO = f"cli:{getpass.getuser()}"


def who_asked(place: Hub) -> list[str]:
    """The causes of all that we asked for, by aa's history, each once."""
    rows = json.loads(place.run("history", "aa", "-o", "json").stdout)["history"]
    return list(dict.fromkeys(row["cause"] for row in rows if row["actor"] == WHO))


@pytest.fixture
def story() -> Iterator[Hub]:
    with hub() as made:
        made.write("aa", LIGHT)
        made.write("bb", LIGHT + "state: warm\n")
        yield made


def test_from_files_to_nothing_and_back(story: Hub) -> None:
    """One story, in the order in which a person would do it."""
    _previews(story)
    _brings_up(story)
    _starts_and_stops(story)
    _changes(story)
    _destroys(story)


def _previews(place: Hub) -> None:
    shown = place.run("preview")
    assert shown.stdout.splitlines()[0] == "+ create   aa  it is new"
    assert shown.stderr == "2 create, 0 unchanged\n"
    changes = json.loads(place.run("preview", "bb", "-o", "json").stdout)["changes"]
    assert [(one["id"], one["action"], one["destructive"]) for one in changes] == [
        ("bb", "create", False)
    ]


def _brings_up(place: Hub) -> None:
    done = place.run("up")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["ID", "ACTION", "PHASE", "SYNC"],
        ["aa", "create", "RUNNING", "Synced"],
        ["bb", "create", "WARM", "Synced"],
    ]
    assert "aa: PROVISIONING" in done.stderr
    assert done.stderr.endswith("2 changed, 0 unchanged\n")
    again = place.run("up")
    assert (again.stdout, again.stderr) == ("", "0 changed, 2 unchanged\n")
    assert json.loads(place.run("up", "aa", "-o", "json").stdout)["results"][0]["changed"] is False


def _starts_and_stops(place: Hub) -> None:
    assert "stop" in place.run("stop", "aa").stdout.split()
    assert place.run("list", "-q").stdout == "aa\nbb\n"
    assert "serving" in place.run("logs", "aa").stdout
    assert len(place.run("logs", "aa", "-n", "1").stdout.splitlines()) == 1
    both = place.run("start", "aa", "bb", check=False)
    assert both.returncode == 1
    assert "error: bb: PINNED_IN_GIT: " in both.stderr
    assert [line.split()[:3] for line in both.stdout.splitlines()[1:]] == [
        ["aa", "start", "RUNNING"]
    ]
    assert who_asked(place) == [
        f"{WHO} asked for `up`; it is new",
        f"{WHO} asked to stop it",
        f"{WHO} asked to start it",
    ]
    blob = subprocess.run(
        ["git", "hash-object", place.workspaces / "aa.yaml"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = json.loads(place.run("history", "aa", "-o", "json").stdout)["history"]
    assert {row["revision"] for row in rows} == {blob.stdout.strip()}, "git finds it by this"


def _changes(place: Hub) -> None:
    place.write("aa", LIGHT.replace("pids: 64", "pids: 65") + "env: {A: b}\n")
    place.write("cc", "owner: 5\n")
    shown = place.run("preview", check=False)
    assert shown.returncode == 2
    assert shown.stdout.startswith("± replace  aa  its file changed\n")
    assert '    + env.A: "b"' in shown.stdout
    assert "    workspaces.d/cc.yaml:1:8: must be text" in shown.stdout
    done = place.run("up", check=False)
    assert done.returncode == 2
    assert "error: cc: INVALID_FILE: " in done.stderr
    assert "\n  workspaces.d/cc.yaml:1:8: owner: must be text" in done.stderr
    assert ["aa", "replace", "RUNNING", "Synced"] in [
        line.split() for line in done.stdout.splitlines()
    ]


def _destroys(place: Hub) -> None:
    refused = place.run("destroy", "aa", check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "error: aa: FILE_STANDS: " in refused.stderr
    (place.workspaces / "aa.yaml").unlink()
    (place.workspaces / "cc.yaml").unlink()
    assert ["aa", "nothing", "RUNNING", "OutOfSync"] in [
        line.split() for line in place.run("up").stdout.splitlines()
    ]
    assert "TOMBSTONED" in place.run("destroy", "aa").stdout
    assert place.home("aa").is_dir()
    (place.workspaces / "bb.yaml").rename(place.workspaces / ".bb")
    kept = place.run("up", "--prune")
    assert ["bb", "nothing", "WARM", "OutOfSync"] in [
        line.split() for line in kept.stdout.splitlines()
    ]
    assert "bb: its file is gone, but it is kept: the folder holds no" in kept.stderr
    (place.workspaces / ".bb").rename(place.workspaces / "aa.yaml")
    assert "TOMBSTONED" in place.run("up", "--prune").stdout


@pytest.fixture
def fresh() -> Iterator[Hub]:
    with hub() as made:
        made.write("aa", LIGHT)
        yield made


def test_a_daemon_does_the_work_and_the_steps_are_shown_here(fresh: Hub) -> None:
    fresh.start("run")
    fresh.run("wait", "aa", "--for", "phase=RUNNING")
    assert "pid" in fresh.run("doctor", check=False).stdout.splitlines()[-1]
    stopped = fresh.run("stop", "aa")
    assert "aa: STOPPING" in stopped.stderr
    assert "WARM" in stopped.stdout
    assert who_asked(fresh) == [f"{WHO} asked to stop it"]
    assert "serving" in fresh.run("logs", "aa").stdout
    first = fresh.processes.pop("run")
    fresh.start("run")
    leader = f"pid {first.pid} "
    wait_for(lambda: leader in fresh.log("run").read_text(), "the second to say who leads")
    assert "Traceback" not in fresh.log("run").read_text()
    first.terminate()
    assert first.wait(20) == 0
    assert "RUNNING" in fresh.run("start", "aa").stdout, "by whoever leads now"
    assert fresh.stop("run") == 0
    assert "RUNNING" in fresh.run("status").stdout


def test_control_c_ends_an_up_and_the_next_one_finishes_it(fresh: Hub) -> None:
    process = subprocess.Popen(
        [CODEHUB, "up"],
        env=fresh.env,
        cwd=fresh.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("aa: PROVISIONING")
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
        assert process.returncode == 130
    assert "Traceback" not in rest
    assert "RUNNING" in fresh.run("up").stdout


@pytest.mark.parametrize("command", ["up", "preview", "start", "stop", "destroy", "logs"])
def test_names_that_can_not_be_ids_reach_nothing(cli: Cli, command: str) -> None:
    done = cli(command, "../etc")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "error: `../etc` can't be a workspace's id\n"
        "  hint: codehub list shows the workspaces there are\n"
    )


@pytest.mark.parametrize("command", ["up", "preview", "start", "stop", "destroy", "logs"])
def test_unknown_workspaces_are_told_without_a_traceback(
    cli: Cli, place: Path, command: str
) -> None:
    (place / "workspaces.d/aa.yaml").write_text(LIGHT)
    done = cli(command, "nobody", env={"CODEHUB_NAME_PREFIX": "codehub-test-none-"})
    assert (done.exit_code, done.stdout) == (1, "")
    assert "there is no workspace nobody" in done.stderr or "no container" in done.stderr


def test_unknown_workspaces_are_changes_for_programs_too(cli: Cli, place: Path) -> None:
    (place / "workspaces.d/aa.yaml").write_text(LIGHT)
    env = {"CODEHUB_NAME_PREFIX": "codehub-test-none-"}
    done = cli("preview", "nobody", "-o", "json", env=env)
    (told,) = json.loads(done.stdout)["changes"]
    assert done.exit_code == 1
    assert (told["id"], told["action"], told["destructive"]) == ("nobody", "blocked", False)
    assert told["error"]["reason"] == "UNKNOWN_WORKSPACE"
    assert "error: nobody: UNKNOWN_WORKSPACE: there is no workspace nobody" in done.stderr


@pytest.mark.parametrize("command", ["up", "start", "stop", "destroy"])
def test_unknown_workspaces_are_results_for_programs_too(
    cli: Cli, place: Path, command: str
) -> None:
    (place / "workspaces.d/aa.yaml").write_text(LIGHT)
    done = cli(command, "nobody", "-o", "json", env={"CODEHUB_NAME_PREFIX": "codehub-test-none-"})
    (told,) = json.loads(done.stdout)["results"]
    assert done.exit_code == 1
    assert (told["id"], told["action"], told["reason"]) == (
        "nobody",
        "blocked",
        "UNKNOWN_WORKSPACE",
    )


@pytest.mark.parametrize(
    "command",
    [("up",), ("preview",), ("start", "aa"), ("logs", "aa"), ("run",), ("status", "--watch")],
)
def test_a_missing_folder_is_bad_input_and_leaves_nothing_behind(
    cli: Cli, place: Path, command: tuple[str, ...]
) -> None:
    done = cli(*command, env={"CODEHUB_WORKSPACES": "nowhere", "CODEHUB_DATA": ""})
    assert done.exit_code == 2
    assert "nowhere: no such file or directory" in done.stderr
    assert [found.name for found in place.iterdir()] == ["workspaces.d"]


def test_an_engine_that_does_not_answer_is_told_with_the_remedy(cli: Cli, place: Path) -> None:
    (place / "workspaces.d/aa.yaml").write_text(LIGHT)
    done = cli("up", env={"CODEHUB_DOCKER_HOST": "unix:///nowhere.sock"})
    assert done.exit_code == 1
    assert "hint: Start the Docker engine" in done.stderr


def test_verbose_shows_log_lines(cli: Cli, place: Path) -> None:
    (place / "workspaces.d/aa.yaml").write_text("owner: 5\n")
    prefix = {"CODEHUB_NAME_PREFIX": "codehub-test-none-"}
    assert "stacks.reconciler" in cli("--verbose", "up", env=prefix).stderr
    assert "stacks.reconciler" not in cli("up", env=prefix).stderr


def test_doctor_on_this_machine_and_on_a_bare_one(fresh: Hub) -> None:
    found = json.loads(fresh.run("doctor", "-o", "json", check=False).stdout)
    names = {one["name"] for one in found["checks"]}
    assert {"engine", "pulumi", "runner", "workspace files"} <= names
    elsewhere = {"CODEHUB_CACHE": str(fresh.root / "none"), "CODEHUB_BASE_URL": "https://hub.test"}
    bare = fresh.run("doctor", check=False, **elsewhere)
    assert bare.returncode == 1
    assert ["pulumi", "missing"] in [line.split()[:2] for line in bare.stdout.splitlines()]
    assert "pulumi: " in bare.stderr
    assert "TLS edge: set CODEHUB_TRUSTED_PROXIES" in bare.stderr
