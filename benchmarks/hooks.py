"""A webhook to RUNNING, beside the same file written to a folder that is followed."""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.fleet import spec_text
from benchmarks.harness import Goal, Result, alternate
from benchmarks.phases import Phases
from state_index.phases import Phase
from tests.hub import Hub, hub
from tests.stacks.git.repository import Repository
from tests.stacks.git.serving import http

RATIO = 1.5
FOLDER = "workspaces.d"
NAME = "team/fleet"
FLOOR = "the same file renamed into a folder that `codehub run` follows: `up` and boot, without git"


async def webhook(pairs: int) -> Result:
    """A commit is there, its signed webhook comes: until the new workspace is RUNNING."""
    numbers = count()
    with ExitStack() as stack:
        folder = _Followed(stack.enter_context(_serving({})))
        team = stack.enter_context(_team())
        for each in (folder, team):
            each.make("bench-first")  # makes the shared network

        async def floor() -> float:
            return folder.one(f"bench-{next(numbers)}")

        async def subject() -> float:
            return team.one(f"bench-{next(numbers)}")

        return await alternate(
            "webhook to RUNNING, new workspace, light image",
            goal=Goal(ratio=RATIO),
            floor_command=FLOOR,
            floor=floor,
            subject=subject,
            pairs=pairs,
        )


class _Followed:
    """A CodeHub that follows a folder."""

    def __init__(self, served: Hub) -> None:
        self.served = served
        self.wait = Phases(served.root / "data/index.db").wait

    def one(self, workspace: str) -> float:
        """Make a workspace and remove it; the seconds until it ran."""
        self.prepare(workspace)
        began = time.perf_counter()
        self.make(workspace)
        seconds = time.perf_counter() - began
        self.remove(workspace)
        self.wait(workspace, Phase.TOMBSTONED)
        return seconds

    def prepare(self, workspace: str) -> None:
        """Do what does not count."""

    def make(self, workspace: str) -> None:
        """Ask for a workspace and wait until it runs."""
        self.served.write(workspace, spec_text())
        self.wait(workspace, Phase.RUNNING)

    def remove(self, workspace: str) -> None:
        """Have it removed."""
        (self.served.workspaces / f"{workspace}.yaml").unlink()
        self.served.run("destroy", workspace)


class _Team(_Followed):
    """One that follows a repository over http, and is told by webhooks."""

    def __init__(self, served: Hub, repository: Repository, secret: str) -> None:
        super().__init__(served)
        self._repository = repository
        self._secret = secret.encode()
        self._client = httpx.Client(base_url=served.url)

    def prepare(self, workspace: str) -> None:
        """Commit the file: somebody merged it."""
        self._repository.commit({f"{FOLDER}/{workspace}.yaml": spec_text().encode()})

    def make(self, workspace: str) -> None:
        """Send the webhook."""
        if not (self._repository.folder / FOLDER / f"{workspace}.yaml").exists():
            self.prepare(workspace)
        self._tell()
        self.wait(workspace, Phase.RUNNING)

    def remove(self, workspace: str) -> None:
        """Commit its removal; only so many go by themselves within an hour."""
        self._repository.commit({f"{FOLDER}/{workspace}.yaml": None})
        self.served.run("destroy", workspace)

    def _tell(self) -> None:
        pushed = {
            "ref": "refs/heads/main",
            "after": self._repository.call("rev-parse", "HEAD"),
            "repository": {"full_name": NAME},
        }
        body = json.dumps(pushed).encode()
        headers = {
            "X-Gitea-Event": "push",
            "X-Gitea-Delivery": secrets.token_hex(8),
            "X-Gitea-Signature": hmac.new(self._secret, body, hashlib.sha256).hexdigest(),
        }
        self._client.post("/api/v1/hooks/gitea", content=body, headers=headers).raise_for_status()


@contextmanager
def _serving(settings: dict[str, str]) -> Iterator[Hub]:
    with hub(settings=settings) as served:
        served.start("run")
        served.start("gateway")
        served.wait_until_serving()
        yield served


@contextmanager
def _team() -> Iterator[_Team]:
    secret = secrets.token_hex(16)
    with TemporaryDirectory(prefix="codehub-bench-") as name, http(Path(name)) as git:
        repository = Repository(Path(name) / "team")
        repository.commit({f"{FOLDER}/bench-old.yaml": spec_text(state="warm").encode()})
        file = Path(name) / "secret"
        file.write_text(secret)
        file.chmod(0o600)
        settings = {
            "CODEHUB_REPO": git.url("team/.git"),
            "CODEHUB_FORGE": "gitea",
            "CODEHUB_FORGE_REPOSITORY": NAME,
            "CODEHUB_FORGE_WEBHOOK_SECRET_FILE": str(file),
        }
        with _serving(settings) as served:
            yield _Team(served, repository, secret)
