"""`pause`, `resume`, `status`, `wait --revision` and `validate` where a repository is followed."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from cli.frame import Frame
from cli.repository import lines, tell_of
from settings.load import load
from settings.model import RunnerSettings
from state_index.index import Index
from state_index.nudge import listen
from state_index.repository import Followed, Wishes
from tests.cli.conftest import Cli
from tests.stacks.git.repository import WORKSPACE, Repository
from tests.waiting import until

SHA, NEXT, OTHER = "a" * 40, "b" * 40, "c" * 40
URL = "https://git.example.org/team/workspaces.git"


@pytest.fixture
def index(place: Path) -> Iterator[Index]:
    (place / "data").mkdir(mode=0o700)
    with Index.open(f"sqlite:///{place}/data/index.db") as opened:
        yield opened


def followed(**changes: object) -> Followed:
    told = {"url": URL, "branch": "main", "attempted": SHA, "applied": SHA, **changes}
    return Followed(**told)  # type: ignore[arg-type]


def test_pausing_needs_a_repository(cli: Cli) -> None:
    for command in ("pause", "resume"):
        done = cli(command)
        assert done.exit_code == 1
        assert "no repository is followed here" in done.stderr


def test_a_pause_is_kept_told_and_ended(cli: Cli, index: Index) -> None:
    env = {"CODEHUB_REPO": URL, "USER": "alice"}
    assert "paused by" in cli("pause", "--reason", "moving", env=env).stderr
    assert index.repository.wishes().reason == "moving"
    index.repository.tell(url=URL, branch="main", attempted=SHA)
    done = cli("status")
    assert "repository: main at aaaaaaaaaaaa, being applied" in done.stderr
    assert ": moving; `codehub resume` ends it" in done.stderr
    told = json.loads(cli("status", "-o", "json").stdout)["repository"]
    assert (told["attempted"], told["paused"]["reason"]) == (SHA, "moving")
    assert "resumed" in cli("resume").stderr
    assert "it was not paused" in cli("resume").stderr
    assert json.loads(cli("status", "-o", "json").stdout)["repository"]["paused"] is None


def test_a_pause_can_come_before_anything_else(cli: Cli, place: Path) -> None:
    assert cli("pause", env={"CODEHUB_REPO": URL}).exit_code == 0
    with Index.open(f"sqlite:///{place}/data/index.db") as opened:
        assert opened.repository.wishes().paused


async def test_a_pause_nudges_the_runner(cli: Cli, index: Index, place: Path) -> None:
    async with listen(place / "data" / "nudge", "repository") as nudged:
        thread = Thread(target=cli, args=("pause",), kwargs={"env": {"CODEHUB_REPO": URL}})
        thread.start()
        await until(nudged.is_set)
        thread.join()


@pytest.mark.parametrize(
    ("changes", "progress"),
    [
        ({}, "applied"),
        ({"applied": ""}, "being applied"),
        ({"waiting": ("a", "b")}, "being applied (2 to go)"),
        ({"failures": {"a": "no image"}, "waiting": ("b",)}, "not applied: a (no image)"),
        (
            {"failures": dict.fromkeys("abcdefg", "x")},
            "not applied: a (x), b (x), c (x), d (x), e (x) and 2 more",
        ),
    ],
)
def test_how_far_it_is(changes: dict[str, object], progress: str) -> None:
    assert lines(followed(**changes), Wishes()) == [f"repository: main at {SHA[:12]}, {progress}"]


def test_what_is_the_matter_is_told() -> None:
    told = lines(followed(attempted="", error="git fetch: away"), Wishes())
    assert told[0].startswith("repository: main at no commit yet")
    assert told[1] == "nothing is removed by it: git fetch: away"


def test_a_folder_says_nothing_of_a_repository(cli: Cli, index: Index) -> None:
    index.publish("aa", cause="test", owner="alice")
    assert "repository" not in cli("status").stderr
    assert "repository" not in json.loads(cli("status", "-o", "json").stdout)


def test_commands_that_read_it_say_what_they_read(
    index: Index, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.repository.tell(url=URL, branch="main", attempted=SHA, error="away")
    env = {"CODEHUB_DATA": str(place / "data")}
    tell_of(Frame(env=env))
    assert capsys.readouterr().err == ""
    tell_of(Frame(env={**env, "CODEHUB_REPO": URL}))
    assert "nothing is removed by it: away" in capsys.readouterr().err


@pytest.mark.parametrize(
    "args",
    [
        (), ("aa", "--revision", SHA), ("--revision", SHA, "--for", "gone"), ("--revision", "HEAD"),
        ("--revision", "--x"), ("--revision", "abc"),
    ],
)  # fmt: skip
def test_what_can_not_be_waited_for(cli: Cli, args: tuple[str, ...]) -> None:
    done = cli("wait", *args)
    assert (done.exit_code, done.stdout) == (2, "")


@pytest.mark.parametrize(
    "args",
    [
        ("--allow-older",), ("aa", "--revision", SHA), ("--revision", "HEAD"),
        ("--revision", "--x"), ("--revision", "abc"),
    ],
)  # fmt: skip
def test_what_can_not_be_asked_for(cli: Cli, args: tuple[str, ...]) -> None:
    done = cli("up", *args)
    assert (done.exit_code, done.stdout) == (2, "")


def test_an_applied_commit_is_waited_for(cli: Cli, index: Index) -> None:
    index.repository.tell(url=URL, attempted=SHA, applied=SHA)
    assert cli("wait", "--revision", SHA[:7]).stdout == f"{SHA[:7]}: applied\n"
    done = cli("wait", "--revision", OTHER, "--timeout", "0s")
    assert done.exit_code == 1
    assert f"timed out: {OTHER[:12]} is not applied; the runner is at {SHA[:12]}" in done.stderr


def test_without_a_repository_nothing_is_applied(cli: Cli) -> None:
    done = cli("wait", "--revision", SHA, "--timeout", "0s")
    assert (done.exit_code, "no repository is followed" in done.stderr) == (1, True)


def test_failures_end_the_waiting_and_are_listed(cli: Cli, index: Index) -> None:
    index.repository.tell(url=URL, attempted=SHA, failures={"aa": "no image", "bb": "no quota"})
    done = cli("wait", "--revision", SHA, "--timeout", "1h")
    assert done.exit_code == 1
    assert f"{SHA[:12]} is not applied: aa (no image), bb (no quota)" in done.stderr
    index.repository.tell(waiting=("cc",))
    done = cli("wait", "--revision", SHA, "--timeout", "0s")
    assert "timed out" in done.stderr
    index.repository.tell(failures={}, waiting=(), error="away")
    assert "at aaaaaaaaaaaa: away" in cli("wait", "--revision", NEXT, "--timeout", "0s").stderr


def test_a_commit_before_the_applied_one_is_applied_with_it(
    cli: Cli, index: Index, place: Path
) -> None:
    repository = Repository(place / "team")
    first = repository.commit({"ws/one.yaml": WORKSPACE})
    second = repository.commit({"ws/two.yaml": WORKSPACE})
    mirror = place / "data" / "mirror.git"
    repository.call("clone", "--quiet", "--bare", ".", str(mirror))
    index.repository.tell(url=URL, attempted=second, applied=second)
    assert cli("wait", "--revision", first).stdout == f"{first}: applied by {second}\n"
    index.repository.tell(attempted=first, applied=first)
    assert cli("wait", "--revision", second, "--timeout", "0s").exit_code == 1


def test_the_branch_is_validated_where_one_is_followed(cli: Cli, place: Path) -> None:
    repository = Repository(place / "team")
    repository.commit({"ws/one.yaml": WORKSPACE, "ws/bad.yaml": b"owner: ["})
    env = {"CODEHUB_REPO": f"file://{place}/team", "CODEHUB_REPO_PATH": "ws"}
    done = cli("validate", env=env)
    assert done.exit_code == 2
    assert "ws/bad.yaml:1:" in done.stdout
    assert "1 valid workspace" in done.stderr
    env["CODEHUB_REPO_BRANCH"] = "none"
    done = cli("validate", env=env)
    assert "shows no branch none" in done.stderr


def test_options_of_run_are_settings(place: Path) -> None:
    settings = load(RunnerSettings, {"CODEHUB_REPO": URL}, cwd=place)
    assert (settings.repo_branch, settings.repo_path) == ("main", "workspaces.d")


def test_a_url_with_a_password_is_refused_and_not_shown(cli: Cli) -> None:
    done = cli("run", "--repo", "https://alice:hunter2@git.example.org/x")
    assert done.exit_code == 2
    assert "put the token into a file" in done.stderr
    assert "hunter2" not in done.stderr
