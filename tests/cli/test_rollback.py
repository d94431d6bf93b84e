"""`codehub rollback` on a real repository, with no daemon and no engine; and over a daemon's socket."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from settings.paths import DataPaths
from stacks import api
from stacks.edits.model import Outcome
from stacks.lock import RunnerLock
from state_index.index import Index
from tests.cli.conftest import Cli
from tests.cli.processes import environment
from tests.stacks.edits.office import ONE, TWO, writable
from tests.stacks.git.repository import WORKSPACE, Repository
from tests.stacks.test_api import Told

LATER = b"# later\n" + WORKSPACE


@pytest.fixture
def team(place: Path) -> Repository:
    made = writable(place / "team")
    made.commit({ONE: WORKSPACE, TWO: WORKSPACE})
    return made


@pytest.fixture
def env(place: Path) -> dict[str, str]:
    return {
        "CODEHUB_REPO": f"file://{place}/team",
        "CODEHUB_REPO_PATH": "ws",
        "CODEHUB_DOCKER_HOST": "unix:///nonexistent.sock",
        "USER": "alice",
        "LOGNAME": "alice",
    }


def test_back_to_an_earlier_commit(cli: Cli, team: Repository, env: dict[str, str]) -> None:
    team.commit({ONE: LATER})
    done = cli("rollback", "one", "--to", "HEAD~1", "--message", "no git", env=env)
    head = team.call("rev-parse", "main")
    assert (done.exit_code, done.stdout) == (0, f"one: {head}\n")
    assert f"codehub wait --revision {head[:12]}" in done.stderr
    assert team.git.run("cat-file", "blob", f"main:{ONE}") == WORKSPACE
    told = team.call("log", "-1", "--format=%an|%s|%b", "main")
    assert told.startswith("cli:alice|rollback workspace one|no git\n\nCodehub-Operation: ")
    again = cli("rollback", "one", "--to", "HEAD~2", "--message", "", env=env)
    assert again.stdout == "one: its file is as at HEAD~2 already\n"
    assert team.call("rev-parse", "main") == head


def test_a_file_that_is_gone_comes_back(cli: Cli, team: Repository, env: dict[str, str]) -> None:
    team.commit({TWO: None})
    done = cli("rollback", "two", "--to", "HEAD~1", "-o", "json", env=env)
    head = team.call("rev-parse", "main")
    assert json.loads(done.stdout) == {"id": "two", "commit": head, "url": ""}
    assert team.git.run("cat-file", "blob", f"main:{TWO}") == WORKSPACE


def test_what_was_not_there_then_is_refused_with_a_remedy(
    cli: Cli, team: Repository, env: dict[str, str]
) -> None:
    team.commit({"ws/three.yaml": WORKSPACE})
    done = cli("rollback", "three", "--to", "HEAD~1", env=env)
    assert done.exit_code == 1
    assert "three had no file at HEAD~1" in done.stderr
    assert "hint: " in done.stderr
    for wrong in ("nonsense", "--all", "0" * 40):
        assert cli("rollback", "one", f"--to={wrong}", env=env).exit_code == 1


def test_a_version_that_is_not_valid_any_more_is_refused(
    cli: Cli, team: Repository, env: dict[str, str]
) -> None:
    bad = team.commit({ONE: b"owner: alice\n"})
    head = team.commit({ONE: WORKSPACE})
    done = cli("rollback", "one", "--to", bad, env=env)
    assert done.exit_code == 1
    assert "ws/one.yaml:1:1: " in done.stderr
    assert team.call("rev-parse", "main") == head


def test_a_version_that_was_no_text_is_none(
    cli: Cli, team: Repository, env: dict[str, str]
) -> None:
    bad = team.commit({ONE: b"owner: \xff\n"})
    team.commit({ONE: WORKSPACE})
    done = cli("rollback", "one", "--to", bad, env=env)
    assert done.exit_code == 1
    assert "was no text then" in done.stderr


def test_another_edit_that_waits_is_told(
    cli: Cli, team: Repository, env: dict[str, str], place: Path
) -> None:
    team.commit({ONE: LATER})
    assert cli("rollback", "two", "--to", "HEAD", env=env).exit_code == 0  # the index is there
    with Index.open(f"sqlite:///{place}/data/index.db") as index:
        index.edits.ask("one", "change", actor="mallory", base="", text="x")
    done = cli("rollback", "one", "--to", "HEAD~1", env=env)
    assert done.exit_code == 1
    assert "another change of its file is under way" in done.stderr


def test_a_folder_has_no_history(cli: Cli, place: Path, env: dict[str, str]) -> None:
    (place / "workspaces.d").mkdir(exist_ok=True)
    (place / "workspaces.d" / "one.yaml").write_bytes(WORKSPACE)
    done = cli("rollback", "one", "--to", "HEAD", env={**env, "CODEHUB_REPO": ""})
    assert done.exit_code == 1
    assert "a folder has no history" in done.stderr


async def test_a_daemon_does_it(place: Path) -> None:
    told = Told()
    told.made = Outcome(commit="c" * 40, url="https://forge.example.org/pulls/1")
    paths = DataPaths(place / "data")
    paths.make()
    with RunnerLock(paths.runner_lock, daemon=True):
        async with api.serving(paths.runner_sock, told, {}):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cli", "rollback", "one", "--to", "HEAD~1"),
                env=environment({"CODEHUB_DATA": str(place / "data"), "LOGNAME": "alice"}),
                cwd=place,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, said = await process.communicate()
    assert (process.returncode, out.decode()) == (0, "one: https://forge.example.org/pulls/1\n")
    assert "it counts when it is merged" in said.decode()
    assert told.files_asked[0][:5] == ("rollback", "one", "HEAD~1", "", "cli:alice")
