"""`codehub review --pull N` in a job of GitHub's: comment, status, exit code; what a fork's job may not."""

import asyncio
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result

from cli import posting
from cli.failures import CliError
from forges.connect import connect
from forges.forge import Kind
from forges.sections import Section, read
from stacks.review.model import Review
from tests.cli.conftest import Cli
from tests.forges.jobs.github import NOT_ALLOWED, TOKEN, US, GitHub
from tests.forges.server import Reply, serving
from tests.stacks.git.repository import WORKSPACE, Repository

WARM = WORKSPACE + b"state: warm\n"
BAD = b"owner: ["
OWNERS = {"workspaces.d/_owners.yaml": b"people:\n  alice: {logins: {github: al}}\n"}
ADVICE = {
    "workspaces.d/_policies.yaml": b"rules: {image-allowed: {level: advisory, images: [only/this]}}\n"
}
Files = Mapping[str, bytes | None]


@dataclass(frozen=True)
class Desk:
    """A repository that a job has cloned, and the job."""

    place: Path
    repository: Repository
    cli: Cli

    def proposed(self, files: Files, *, fork: bool = False) -> GitHub:
        """A GitHub with a pull request that changes these files."""
        base = self.repository.call("rev-parse", "HEAD")
        self.repository.call("checkout", "-q", "-b", "proposed")
        return GitHub(base=base, head=self.repository.commit(files), fork=fork)

    async def job(self, github: GitHub, *args: str) -> Result:
        """What a job comes to; its words never hold the token."""
        token = self.place / "token"
        token.write_text(f"{TOKEN.get_secret_value()}\n")
        token.chmod(0o600)
        words = ("review", "--pull", "7", "--repository", "repository", *args)
        async with serving(github) as server:
            env = {
                "CODEHUB_FORGE": "github",
                "CODEHUB_FORGE_URL": server.url,
                "CODEHUB_FORGE_REPOSITORY": "octocat/Hello-World",
                "CODEHUB_FORGE_TOKEN_FILE": str(token),
                "CODEHUB_FORGE_LOGIN": US,
                "GITHUB_STEP_SUMMARY": str(self.summary),
            }
            told = await asyncio.to_thread(self.cli, *words, env=env)
        assert TOKEN.get_secret_value() not in told.output
        assert github.wrong == []
        return told

    @property
    def summary(self) -> Path:
        return self.place / "summary.md"


@pytest.fixture
def desk(place: Path, cli: Cli) -> Desk:
    made = Repository(place / "repository")
    made.commit({"workspaces.d/aa.yaml": WORKSPACE, "workspaces.d/bb.yaml": WORKSPACE})
    return Desk(place, made, cli)


async def test_a_pull_request_gets_a_comment_and_a_status(desk: Desk) -> None:
    github = desk.proposed({"workspaces.d/aa.yaml": WARM})
    told = await desk.job(github)
    assert told.exit_code == 0, told.output
    assert github.asked == [
        "pulls/get",
        "repos/create-commit-status",
        "pulls/get",
        "issues/list-comments",
        "issues/create-comment",
        "repos/create-commit-status",
    ]
    assert github.statuses == [
        (github.head, "pending", "is being compared with its base"),
        (github.head, "success", "1 update, 1 not touched"),
    ]
    (comment,) = github.comments
    first, _, printed = told.stdout.partition("\n")
    assert first == "<!-- codehub:preview -->"
    assert read(comment) == [Section("files", github.head, printed.strip())]
    assert not desk.summary.exists()
    # The next commit's job edits that one comment.
    github.head = desk.repository.commit({"workspaces.d/aa.yaml": None})
    told = await desk.job(github, "-o", "text")
    assert told.stdout.startswith("- delete aa (alice)")
    (comment,) = github.comments
    assert [one.head for one in read(comment)] == [github.head]
    line = "1 destructive; 1 delete, 1 not touched"
    assert github.statuses[-1] == (github.head, "success", line)


@pytest.mark.parametrize(
    ("files", "rules", "ends", "line"),
    [
        ({"workspaces.d/cc.yaml": BAD}, {}, (2, "failure"), "1 file is wrong; "),
        ({"workspaces.d/aa.yaml": WARM}, ADVICE, (0, "success"), "of advice"),
        ({"workspaces.d/aa.yaml": WARM}, OWNERS, (3, "failure"), "refused by edit-allowed"),
    ],
)
async def test_what_it_comes_to(
    desk: Desk,
    files: Files,
    rules: Files,
    ends: tuple[int, str],
    line: str,
) -> None:
    """By the author whom the forge names, who is `octocat`, and the rules of base. Advice alone passes."""
    desk.repository.commit(rules)
    github = desk.proposed(files)
    told = await desk.job(github)
    assert (told.exit_code, github.statuses[-1][1]) == ends, told.output
    assert line in github.statuses[-1][2]
    assert len(github.comments) == 1


@pytest.mark.parametrize(("files", "code"), [({}, 0), ({"workspaces.d/cc.yaml": BAD}, 2)])
async def test_a_forks_job_may_not_write_and_leaves_a_summary(
    desk: Desk, files: Files, code: int
) -> None:
    github = desk.proposed({"workspaces.d/aa.yaml": WARM, **files}, fork=True)
    github.refused["repos/create-commit-status"] = NOT_ALLOWED
    told = await desk.job(github)
    assert told.exit_code == code, told.output
    assert "which is a fork's: the forge refused the token (403)" in told.stderr
    assert github.asked == ["pulls/get", "repos/create-commit-status"]
    assert desk.summary.read_text().strip() == told.stdout.strip()


async def test_a_summary_that_can_not_be_written_is_no_failure(desk: Desk) -> None:
    github = desk.proposed({"workspaces.d/aa.yaml": WARM}, fork=True)
    github.refused["repos/create-commit-status"] = NOT_ALLOWED
    desk.summary.mkdir()
    told = await desk.job(github)
    assert (told.exit_code, "no summary of the job: is a directory" in told.stderr) == (0, True)


async def test_a_token_that_may_not_write_fails_where_it_should(desk: Desk) -> None:
    github = desk.proposed({"workspaces.d/aa.yaml": WARM})
    github.refused["repos/create-commit-status"] = NOT_ALLOWED
    told = await desk.job(github)
    assert (told.exit_code, told.stdout) == (1, "")
    assert "Resource not accessible by integration" in told.stderr


async def test_nothing_is_written_when_it_is_dry(desk: Desk) -> None:
    github = desk.proposed({"workspaces.d/cc.yaml": BAD})
    told = await desk.job(github, "--dry-run", "-o", "json")
    assert (told.exit_code, github.asked) == (2, ["pulls/get"])
    assert json.loads(told.stdout)["head"] == github.head


async def test_a_job_that_is_a_status_itself_sets_none(desk: Desk) -> None:
    github = desk.proposed({"workspaces.d/aa.yaml": WARM})
    told = await desk.job(github, "--no-status")
    assert (told.exit_code, github.statuses, len(github.comments)) == (0, [], 1)


async def test_a_forge_that_wants_fewer_requests_is_not_asked_again(desk: Desk) -> None:
    github = desk.proposed({})
    github.refused["pulls/get"] = Reply(429, {"message": "slow down"}, {"Retry-After": "3600"})
    told = await desk.job(github)
    assert (told.exit_code, github.asked) == (1, ["pulls/get"])
    assert "the forge wants fewer requests (429): slow down" in told.stderr
    assert "again in 3600 s" in told.stderr


async def test_a_comment_that_is_refused_is_a_status_too(desk: Desk) -> None:
    github = desk.proposed({})
    github.refused["issues/create-comment"] = Reply(422, {"message": "locked"})
    told = await desk.job(github)
    assert told.exit_code == 1
    assert "the forge refused the request (422): locked" in told.stderr
    said = "the review failed (FORGE_INPUT_REFUSED): see the job's log"
    assert github.statuses[-1] == (github.head, "error", said)


async def test_commits_that_were_not_fetched_are_named(desk: Desk) -> None:
    github = desk.proposed({})
    github.head = "f" * 40
    told = await desk.job(github)
    assert told.exit_code == 2
    assert "lacks the head of pull request 7" in told.stderr
    assert "git fetch origin refs/pull/7/head" in told.stderr
    assert [state for _, state, _ in github.statuses] == ["pending", "error"]


async def test_one_that_is_merged_keeps_what_was_said(desk: Desk) -> None:
    github = desk.proposed({})
    github.merged = True
    told = await desk.job(github)
    assert (told.exit_code, github.asked) == (2, ["pulls/get"])
    assert "pull request 7 is merged already" in told.stderr


async def test_of_a_commit_that_was_pushed_over_meanwhile_nothing_is_commented(desk: Desk) -> None:
    github = desk.proposed({})
    head, github.pushed_over = github.head, "e" * 40
    told = await desk.job(github)
    assert told.exit_code == 0, told.output
    assert "was pushed to meanwhile" in told.stderr
    assert github.comments == []
    assert {sha for sha, _, _ in github.statuses} == {head}


def test_without_a_forge_it_says_what_to_set(cli: Cli) -> None:
    told = cli("review", "--pull", "7")
    assert (told.exit_code, "no forge is connected here" in told.stderr) == (2, True)


@pytest.mark.parametrize(
    "args",
    [("--pull", "0"), ("--pull", "main"), (), ("--pull", "7", "--target-url", "javascript:x")],
)
def test_what_is_no_pull_request_or_page(cli: Cli, args: tuple[str, ...]) -> None:
    assert cli("review", *args).exit_code == 2


def test_a_forge_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        forge = connect(Kind.GITHUB, url=url, repository="o/r", token=TOKEN, login=US)
        post = posting.Post(forge, within=0.2)
        with pytest.raises(CliError, match="takes too long"):
            post.told(7, lambda _: Review(), failing=lambda _: False)
