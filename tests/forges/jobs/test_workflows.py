"""The steps of the workflow files, run for real: shells, git, `codehub`, and a Gitea that takes what they say."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from forges.sections import read
from settings.paths import DataPaths
from stacks import api
from stacks.asking import Revision
from stacks.lock import RunnerLock
from state_index.index import Index
from tests.forges.gitea import Gitea, Repository, User
from tests.forges.jobs.workflow import FOLDER, Machine, Ran
from tests.stacks.test_api import Told

ROOT = Path(__file__).parents[3]
WORKSPACE = "owner: alice\nimage: codehub/light\n"
CANARY = "canary-7f3b9c21d8e04a65"
TITLE = "@hub-bot <img src=x onerror=alert(1)> `x` $(touch pwned) #1"
HEAD = "x-$(touch${IFS}pwned)-`id`-@hub-bot"

# Each call notes all processes there are: what is on a command line, others on the machine can read.
NOTING = """\
#!/bin/sh
cat /proc/[0-9]*/cmdline >>{noted} 2>/dev/null
{command} "$@"
"""


@pytest.fixture
def bin_(tmp_path: Path) -> Path:
    """`git` and `codehub` that note what runs besides."""
    made = tmp_path / "bin"
    made.mkdir()
    real = next(
        Path(one, "git") for one in os.environ["PATH"].split(":") if Path(one, "git").exists()
    )
    commands = {"git": f"exec {real}", "codehub": f"PYTHONPATH={ROOT} exec {sys.executable} -m cli"}
    for name, command in commands.items():
        (made / name).write_text(NOTING.format(noted=tmp_path / "noted", command=command))
        (made / name).chmod(0o755)
    return made


@dataclass(frozen=True)
class Hub:
    """The Gitea, and two who are there."""

    server: Gitea
    alice: User
    bot: User


@pytest.fixture(scope="session")
def hub(server: Gitea, alice: User, bot: User) -> Hub:
    return Hub(server, alice, bot)


class Team:
    """A repository of workspace files on the Gitea, with one workspace."""

    def __init__(self, hub: "Hub", name: str, *, private: bool = False) -> None:
        self.server, self.alice, self.bot = hub.server, hub.alice, hub.bot
        self.repository = hub.server.new_repository(hub.alice, name)
        self.repository.ask("PUT", f"/collaborators/{hub.bot.name}", {"permission": "write"})
        self.repository.ask("PATCH", "", {"private": private})
        self.repository.write(hub.alice, "workspaces.d/aa.yaml", WORKSPACE, branch="main")

    def propose(self, text: str, *, branch: str) -> int:
        """Open a pull request that adds a workspace; its number."""
        path = "workspaces.d/bb.yaml"
        self.repository.write(self.alice, path, text, branch=branch, base="main")
        told = {"base": "main", "head": branch, "title": TITLE, "body": f"{TITLE}\n/merge"}
        return int(self.repository.ask("POST", "/pulls", told, user=self.alice)["number"])

    def status(self, number: int) -> tuple[str, str, str] | None:
        """What our status of a pull request's head says, and where it leads."""
        head = self.repository.ask("GET", f"/pulls/{number}")["head"]["sha"]
        found = self.repository.ask("GET", f"/commits/{head}/status")["statuses"] or []
        for one in found:
            if one["context"] == "codehub/preview":
                return one["status"], one["description"], one["target_url"]
        return None


def machine(place: Path, bin_: Path, contexts: Mapping[str, str], **env: str) -> Machine:
    given = {
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "GIT_TRACE": str(place / "trace"),
        "AWS_SECRET_ACCESS_KEY": CANARY,
        **env,
    }
    return Machine(place / "machine", contexts, given, {"CODEHUB_FORGE": "gitea"})


def preview(
    team: Team, number: int, place: Path, bin_: Path, *, file: str, token: User | None = None
) -> Ran:
    """Run a preview job; neither its words nor any command line hold a secret."""
    us = token or team.bot
    contexts = {
        "github.token": us.token.get_secret_value(),
        "github.server_url": team.server.url,
        "github.repository": team.repository.name,
        "github.event.pull_request.number": str(number),
        "github.event.pull_request.base.ref": "main",
    }
    made = machine(
        place,
        bin_,
        contexts,
        GITHUB_SERVER_URL=team.server.url,
        GITHUB_REPOSITORY=team.repository.name,
        GITHUB_RUN_ID="7",
    )
    made.folder.mkdir()
    made.instead = {"CODEHUB_FORGE": "gitea", "CODEHUB_FORGE_LOGIN": us.name}
    (made.folder / "codehub.toml").write_text(f'forge_login = "{CANARY}"\n')
    ran = made.run(FOLDER / file)
    told = {"log": ran.log, "processes": (bin_.parent / "noted").read_text(errors="replace")}
    told["git"] = (place / "trace").read_text()
    for where, text in told.items():
        assert text, where
        for secret in (us.token.get_secret_value(), CANARY):
            assert secret not in text, where
    assert not list(made.folder.rglob("pwned"))
    assert not list(made.folder.rglob("forge-token")), "the token's file is left"
    return ran


@pytest.mark.parametrize(("forge", "private"), [("github", False), ("gitea", True)])
def test_a_pull_request_is_told(
    hub: Hub, tmp_path: Path, bin_: Path, forge: str, *, private: bool
) -> None:
    """On Gitea by a token that git needs, as the repository is nobody else's business."""
    team = Team(hub, f"jobs-{forge}", private=private)
    secret = f"{WORKSPACE}env: {{API_TOKEN: {CANARY}}}\n"
    number = team.propose(secret, branch=HEAD)
    ran = preview(team, number, tmp_path, bin_, file=f"{forge}/preview.yaml")
    assert ran.code == 0, ran.log
    ((author, comment),) = team.repository.comments(number)
    (section,) = read(comment)
    assert author == hub.bot.name
    assert "🆕 create `bb`" in section.body
    assert section.body in ran.log, "the same is in the job's log"
    for foreign in (CANARY, "pwned", "onerror", "@hub-bot"):
        assert foreign not in comment
    url = f"{hub.server.url}/{team.repository.name}/actions/runs/7"
    expected = ("success", "1 create, 1 not touched", url)
    assert team.status(number) == (None if private else expected)


def test_a_wrong_file_fails_the_job_and_mending_it_passes(
    hub: Hub, tmp_path: Path, bin_: Path
) -> None:
    team = Team(hub, "jobs-wrong")
    number = team.propose("owner: [", branch="proposed")
    ran = preview(team, number, tmp_path, bin_, file="github/preview.yaml")
    assert ran.code == 2, ran.log
    status = team.status(number)
    assert status is not None
    assert status[:2] == ("failure", "1 file is wrong; 1 invalid, 1 not touched")
    path, branch = "/contents/workspaces.d/bb.yaml", {"branch": "proposed"}
    sha = team.repository.ask("GET", f"{path}?ref=proposed")["sha"]
    team.repository.ask("DELETE", path, {"sha": sha, "message": "mend", **branch}, user=hub.alice)
    again = tmp_path / "again"
    again.mkdir()
    ran = preview(team, number, again, bin_, file="github/preview.yaml")
    assert ran.code == 0, ran.log
    status = team.status(number)
    assert status is not None
    assert status[:2] == ("success", "1 not touched")
    assert len(team.repository.comments(number)) == 1


def test_a_forks_job_leaves_a_summary(hub: Hub, tmp_path: Path, bin_: Path) -> None:
    server, team = hub.server, Team(hub, "jobs-fork")
    carol = server.new_user("jobs-carol")
    server.ask("POST", f"/repos/{team.repository.name}/forks", {}, user=carol)
    fork = Repository(server, f"{carol.name}/jobs-fork")
    fork.write(carol, "workspaces.d/cc.yaml", WORKSPACE, branch="mine", base="main")
    told = {"base": "main", "head": f"{carol.name}:mine", "title": TITLE}
    number = int(team.repository.ask("POST", "/pulls", told, user=carol)["number"])
    reading = ("read:repository", "read:issue", "read:user")
    reader = server.new_user("jobs-reader", rights=reading)
    ran = preview(team, number, tmp_path, bin_, file="github/preview.yaml", token=reader)
    assert ran.code == 0, ran.log
    assert "nothing was written to the pull request, which is a fork's" in ran.log
    assert "🆕 create `cc`" in (tmp_path / "machine" / "summary.md").read_text()
    assert (team.status(number), team.repository.comments(number)) == (None, [])


SHA = "a" * 40


@pytest.fixture
def settings(tmp_path: Path) -> Callable[[Machine], None]:
    """Settings of a CodeHub on the job's machine, and the data folder of its runner."""
    DataPaths(tmp_path / "data").make()
    file = tmp_path / "codehub.toml"
    file.write_text(
        f'data = "{tmp_path}/data"\nrepo = "https://git.example.org/team/workspaces.git"\n'
    )

    def use(made: Machine) -> None:
        made.folder.mkdir()
        made.instead = {"CODEHUB_CONFIG": str(file)}

    return use


def test_a_job_waits_for_what_the_daemon_applies(
    tmp_path: Path, bin_: Path, settings: Callable[[Machine], None]
) -> None:
    made = machine(tmp_path, bin_, {}, GITHUB_SHA=SHA)
    settings(made)
    with Index.open(f"sqlite:///{tmp_path}/data/index.db") as index:
        index.repository.tell(url="https://git.example.org/x", attempted=SHA, applied=SHA)
    ran = made.run(FOLDER / "github/apply-daemon.yaml")
    assert (ran.code, ran.log.strip()) == (0, f"{SHA}: applied")


async def test_a_job_asks_for_its_commit(
    tmp_path: Path, bin_: Path, settings: Callable[[Machine], None]
) -> None:
    made, told = machine(tmp_path, bin_, {}, GITHUB_SHA=SHA), Told()
    settings(made)
    paths = DataPaths(tmp_path / "data")
    with RunnerLock(paths.runner_lock, daemon=True):
        async with api.serving(paths.runner_sock, told, {}):
            ran = await asyncio.to_thread(made.run, FOLDER / "github/apply-ci.yaml")
    assert ("revision", Revision(commit=SHA)) in told.asked
    assert "alice: PROVISIONING, image" in ran.log
