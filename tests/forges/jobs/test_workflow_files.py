"""The workflow files that users copy: least rights, and nothing of a pull request in a shell."""

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.main import main
from tests.forges.jobs.workflow import EXPRESSION, FILES, FOLDER, job, load

named = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
ALLOWED = {
    "github/preview.yaml": {"contents": "read", "pull-requests": "write", "statuses": "write"},
    "gitea/preview.yaml": {"contents": "read", "pull-requests": "write"},
    "github/apply-daemon.yaml": {},
    "github/apply-ci.yaml": {},
}
CONTEXTS = {
    "github.token",
    "github.server_url",
    "github.repository",
    "github.sha",
    "github.event.pull_request.number",
    "github.event.pull_request.base.ref",
    "runner.temp",
}
"""What expressions may name; each is put into a variable, and never into a script."""


def texts(node: Any) -> list[str]:
    """All texts of a file."""
    if isinstance(node, dict):
        return [text for value in node.values() for text in texts(value)]
    if isinstance(node, list):
        return [text for value in node for text in texts(value)]
    return [node] if isinstance(node, str) else []


def test_these_are_all() -> None:
    assert {str(path.relative_to(FOLDER)) for path in FILES} == ALLOWED.keys()


@named
def test_a_job_has_the_least_rights(path: Path) -> None:
    assert load(path)["permissions"] == {}
    assert job(path)["permissions"] == ALLOWED[str(path.relative_to(FOLDER))]


@named
def test_what_starts_it_lends_a_fork_no_right(path: Path) -> None:
    starts = load(path)["on"]
    assert starts.keys() in ({"pull_request"}, {"push"})
    if "push" in starts:
        assert starts["push"] == {"branches": ["main"]}
        assert job(path)["runs-on"] == ["self-hosted", "codehub"]
    else:
        assert "self-hosted" not in job(path)["runs-on"], "anybody's pull request runs there"


@named
def test_nothing_of_anybodys_is_in_a_script(path: Path) -> None:
    found = {name for text in texts(load(path)) for name in EXPRESSION.findall(text)}
    assert found <= CONTEXTS
    for step in job(path)["steps"]:
        assert "${{" not in step["run"]
        assert "uses" not in step, "an action of others would run with the token"
        # What the shell puts in stands in quotes, where it is one word whatever it holds.
        bare = re.sub(r"'[^']*'|\"[^\"]*\"|#.*", "", step["run"])
        assert "$" not in bare, bare


@named
def test_jobs_of_one_thing_do_not_overtake_each_other(path: Path) -> None:
    made = load(path)["concurrency"]
    assert made["group"].startswith("codehub-")
    assert made.get("cancel-in-progress", False) == ("preview" in path.name)
    assert job(path)["timeout-minutes"] <= 60


@named
def test_commands_and_options_exist(path: Path) -> None:
    for step in job(path)["steps"]:
        for words in re.findall(r"^\s*codehub ((?:.*\\\n)*.*)$", step["run"], re.MULTILINE):
            told = CliRunner().invoke(main, [words.split()[0], "--help"]).output
            for option in re.findall(r"--[a-z-]+", words):
                assert option in told, (words, option)


def test_versions_are_pinned() -> None:
    for path in FILES:
        for step in job(path)["steps"]:
            for name, value in step.get("env", {}).items():
                assert name != "PACKAGE" or re.fullmatch(r"codehub==\d+\.\d+\.\d+", value)
        assert not str(job(path)["runs-on"]).endswith("latest") or path.parent.name == "gitea"
