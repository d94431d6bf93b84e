"""`codehub preview --base REF --head REF`: what it prints, and its exit codes."""

import json
from pathlib import Path

import pytest

from cli import reviews
from stacks.review.model import Level, Review, RuleResult
from tests.cli import processes
from tests.cli.conftest import Cli
from tests.stacks.git.repository import WORKSPACE, Repository

OTHER = b"owner: alice\nimage: other\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.commit({"workspaces.d/aa.yaml": WORKSPACE, "workspaces.d/bb.yaml": WORKSPACE})
    made.call("checkout", "-q", "-b", "pr")
    return made


def test_a_comment_for_reviewers(cli: Cli, repository: Repository) -> None:
    repository.commit({"workspaces.d/aa.yaml": OTHER})
    told = cli(
        "preview", "--base", "main", "--head", "pr", "--repository", "repository", "-o", "markdown"
    )
    assert told.exit_code == 0
    assert told.stdout.startswith("<!-- codehub:preview -->\n<!-- codehub-change-set: sha256:")
    assert "♻️ replace `aa`" in told.stdout
    assert told.stderr.startswith("1 replace, 1 not touched; change set sha256:")


def test_text_is_what_one_gets_without_asking(
    cli: Cli, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"workspaces.d/aa.yaml": OTHER, "workspaces.d/bb.yaml": None})
    monkeypatch.chdir(repository.folder)
    told = cli("preview", "--base", "main", "--head", "pr")
    assert told.exit_code == 0
    assert told.stdout.splitlines()[0] == "- delete bb (alice): its file goes"
    assert '    + image: "other"  # makes the container anew' in told.stdout.splitlines()
    colored = cli("--color", "always", "preview", "--base", "main", "--head", "pr")
    assert "\x1b[31m- delete bb" in colored.stdout


def test_a_wrong_file_ends_with_2_and_hides_nothing(cli: Cli, repository: Repository) -> None:
    repository.commit({"workspaces.d/aa.yaml": OTHER, "workspaces.d/bad.yaml": b"owner: alice\n"})
    told = cli(
        "preview", "--base", "main", "--head", "pr", "--repository", "repository", "-o", "json"
    )
    assert told.exit_code == 2
    found = {each["id"]: each["action"] for each in json.loads(told.stdout)["workspaces"]}
    assert found == {"aa": "replace", "bad": "invalid"}


def test_a_mandatory_rule_ends_with_3_unless_a_file_is_wrong() -> None:
    def result(level: Level) -> RuleResult:
        return RuleResult(rule="r", level=level, message="m")

    assert reviews.exit_code(Review()) == 0
    assert reviews.exit_code(Review(rules=(result(Level.ADVISORY),))) == 0
    assert reviews.exit_code(Review(rules=(result(Level.MANDATORY),))) == 3


def test_rules_of_base_refuse_with_3(cli: Cli, repository: Repository) -> None:
    repository.call("checkout", "-q", "main")
    owners = b"people:\n  alice: {logins: {github: al}}\n  bob: {}\n"
    repository.commit({"workspaces.d/_owners.yaml": owners})
    repository.call("checkout", "-q", "-b", "other")
    repository.commit({"workspaces.d/aa.yaml": OTHER})
    asked = ["preview", "--base", "main", "--head", "other", "--repository", "repository"]
    assert cli(*asked).exit_code == 0
    assert cli(*asked, "--author", "github:al").exit_code == 0
    told = cli(*asked, "--author", "github:mallory", "-o", "markdown")
    assert told.exit_code == 3
    assert "**refused by** `edit-allowed`\n  - `aa`: " in told.stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--base", "main"], "one of two commits is missing"),
        (["--head", "main"], "one of two commits is missing"),
        (["--base", "main", "--head", "pr", "aa"], "a review of commits is of all workspaces"),
        (["-o", "markdown"], "this needs two commits"),
        (["--path", "x"], "this needs two commits"),
        (["--author", "x"], "this needs two commits"),
        (
            ["--base", "main", "--head", "nothing", "--repository", "repository"],
            "no commit nothing",
        ),
    ],
)
def test_what_can_not_be_meant_ends_with_2(
    cli: Cli, repository: Repository, args: list[str], said: str
) -> None:
    told = cli("preview", *args)
    assert (told.exit_code, told.stdout) == (2, "")
    assert said in told.stderr


def test_it_needs_neither_settings_nor_a_data_folder(
    repository: Repository, tmp_path: Path
) -> None:
    """Alone proves that a fork's job may run it: with settings that can't be read, no engine, no Pulumi."""
    repository.commit({"workspaces.d/aa.yaml": OTHER})
    wrong = {
        "CODEHUB_DATA": "/dev/null/none", "CODEHUB_POLL_INTERVAL": "nonsense", "DOCKER_HOST": "unix:///none",
        "CODEHUB_CACHE": str(tmp_path / "cache"), "PATH": "/usr/bin:/bin",
    }  # fmt: skip
    told = processes.run(
        "preview",
        "--base",
        "main",
        "--head",
        "pr",
        "--repository",
        str(repository.folder),
        env=wrong,
    )
    assert (told.returncode, told.stdout.splitlines()[0]) == (0, "± replace aa (alice)")
    assert not (tmp_path / "data").exists()
