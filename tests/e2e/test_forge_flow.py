"""A workspace's life by pull requests: real Gitea, webhooks, gateway, runner, Pulumi and engine.

It alone proves that all of them fit together: a pull request that a rule refuses is told so, its mended
form is told so in the same comment, its merge is known by webhook, and a rollback is a commit.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from forges import sections
from state_index.index import Index
from state_index.models import Published
from state_index.phases import Phase, Sync
from tests import leaks
from tests.forges import gitea
from tests.forges.gitea import Repository, User
from tests.hub import Hub, hub, wait_for

pytestmark = pytest.mark.engine

BOT = "hub-bot"
FILE = "ws/dora.yaml"
RULES = "rules: {image-allowed: {images: [codehub/light]}}\n"
TOKEN = "forge-token"


def text(*, image: str = "codehub/light", note: str = "first") -> str:
    limits = "{cpu: 1, memory: 64Mi, pids: 128}"
    return (
        f"# dora's own\nowner: dora\nimage: {image}\nresources: {limits}\nenv: {{NOTE: {note}}}\n"
    )


@dataclass(frozen=True)
class Fleet:
    """A repository on a forge, people, and a CodeHub that only webhooks tell of changes."""

    served: Hub
    repository: Repository
    dora: User
    secrets: tuple[str, ...]

    def row(self) -> Published | None:
        with Index.open(f"sqlite:///{self.served.root / 'data/index.db'}") as index:
            return index.workspace("dora")

    def note(self) -> str:
        """Give the value that the running workspace was made with; "" while it does not run."""
        row = self.row()
        if row is None or row.phase is not Phase.RUNNING or row.sync is not Sync.SYNCED:
            return ""
        return str(json.loads(row.spec_json)["env"]["NOTE"])

    def comment(self, pull: int) -> str:
        """Give what our one comment says of the files."""
        ours = [body for login, body in self.repository.comments(pull) if login == BOT]
        assert len(ours) <= 1, "one comment, however often it changes"
        return "".join(
            one.body for body in ours for one in sections.read(body) if one.name == "files"
        )

    def reviewed(self, branch: str) -> tuple[str, str]:
        return self.repository.status(self.repository.head(branch), "codehub/preview")

    def merge(self, pull: int) -> str:
        wait_for(lambda: self.repository.merge(self.dora, pull), "the merge")
        return self.repository.head()


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with ExitStack() as stack:
        forge = stack.enter_context(gitea.serving())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="codehub-test-flow-")))
        dora, bot = forge.new_user("dora"), forge.new_user(BOT)
        repository = forge.new_repository(dora, "fleet")
        repository.ask("PUT", f"/collaborators/{BOT}", {"permission": "write"})
        repository.write(dora, "ws/_policies.yaml", RULES, branch="main")
        secret = secrets.token_hex(16)
        kept = {TOKEN: bot.token.get_secret_value(), "webhook-secret": secret}
        for name, value in kept.items():
            (folder / name).write_text(value)
            (folder / name).chmod(0o600)
        settings = {
            "CODEHUB_REPO": f"{forge.url}/{repository.name}.git",
            "CODEHUB_REPO_PATH": "ws",
            "CODEHUB_REPO_POLL": "1h",
            "CODEHUB_REPO_USER": BOT,
            "CODEHUB_REPO_TOKEN_FILE": str(folder / TOKEN),
            "CODEHUB_FORGE": "gitea",
            "CODEHUB_FORGE_URL": forge.url,
            "CODEHUB_FORGE_REPOSITORY": repository.name,
            "CODEHUB_FORGE_TOKEN_FILE": str(folder / TOKEN),
            "CODEHUB_FORGE_WEBHOOK_SECRET_FILE": str(folder / "webhook-secret"),
        }
        served = stack.enter_context(hub(settings=settings))
        served.add_user("dora")
        served.start("run")
        served.start("gateway")
        served.wait_until_serving()
        repository.hook(f"{served.url}/api/v1/hooks/gitea", secret)
        yield Fleet(served, repository, dora, tuple(kept.values()))


def test_from_a_refused_pull_request_to_a_rollback(fleet: Fleet) -> None:
    with leaks.in_arguments(fleet.secrets) as seen:
        pull = refused_and_mended(fleet)
        first = fleet.merge(pull)
        wait_for(lambda: fleet.note() == "first", "that it runs")
        other = changed(fleet)
        rolled_back(fleet, first)
    told = fleet.repository.comments(pull) + fleet.repository.comments(other)
    assert not [body for _, body in told if any(each in body for each in fleet.secrets)]
    assert seen == set()
    # Both logs, both databases, Pulumi's state, the copy of the repository.
    assert leaks.in_files(fleet.served.root, fleet.secrets) == []
    assert leaks.in_files(fleet.served.root, ["dora"]), "it does find what is there"


def refused_and_mended(fleet: Fleet) -> int:
    """Open a pull request with an image that may not be, and put that right; its number."""
    repository, dora = fleet.repository, fleet.dora
    repository.write(dora, FILE, text(image="codehub/other"), branch="new", base="main")
    pull = repository.open_pull(dora, "new", "A workspace for dora")
    wait_for(lambda: fleet.reviewed("new")[0] == "failure", "the refusal")
    assert "image-allowed" in fleet.reviewed("new")[1]
    assert "the image codehub/other is not on the list" in fleet.comment(pull)

    repository.change(dora, FILE, text(), branch="new")
    wait_for(lambda: fleet.reviewed("new")[0] == "success", "that it is mended")
    assert "not on the list" not in fleet.comment(pull)
    assert "create `dora`" in fleet.comment(pull)
    assert fleet.row() is None, "nothing is made by a pull request"
    return pull


def changed(fleet: Fleet) -> int:
    """Change it by another pull request, and have that applied; its number."""
    repository, dora = fleet.repository, fleet.dora
    repository.write(dora, "ws/readme.txt", "no workspace", branch="more", base="main")
    repository.change(dora, FILE, text(note="second"), branch="more")
    pull = repository.open_pull(dora, "more", "Another note")
    wait_for(lambda: "replace `dora`" in fleet.comment(pull), "its review")
    fleet.merge(pull)
    wait_for(lambda: fleet.note() == "second", "the change")
    return pull


def rolled_back(fleet: Fleet, first: str) -> None:
    """Roll it back: a commit gives the file the bytes that it had, and it runs by them."""
    repository = fleet.repository
    done = fleet.served.run("rollback", "dora", "--to", first, "--message", "it was better")
    wait_for(lambda: fleet.note() == "first", "the former file")
    head = repository.head()
    assert head[:7] in done.stdout + done.stderr
    assert "it was better" in repository.ask("GET", f"/git/commits/{head}")["commit"]["message"]
    now, then = (
        repository.ask("GET", f"/contents/{FILE}?ref={ref}")["sha"] for ref in ("main", first)
    )
    assert now == then, "byte for byte"
    assert head[:7] in fleet.served.run("history", "dora").stdout
