"""A branch on a real git server, a forge beside it, and a source that is held to the reviews."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stacks.board import Board
from stacks.git.commits import Commits
from stacks.git.mirror import Mirror
from stacks.git.place import Place
from stacks.git.remote import Remote
from stacks.git.source import GitSource
from stacks.pulls.binding import Binding
from stacks.pulls.brought import Origins
from stacks.pulls.copy import PullCopy
from stacks.pulls.desk import Desk as Table
from stacks.pulls.fleets import Fleets
from stacks.pulls.source import BoundSource
from stacks.pulls.watch import Watcher
from stacks.source import Snapshot
from state_index.index import Index
from tests.forges.server import serving
from tests.stacks.git.desk import Desk
from tests.stacks.git.repository import Repository
from tests.stacks.git.serving import Served
from tests.stacks.pulls import forge_api

OWNERS = b"""\
people:
  alice: {}
  carol: {}
  eve: {logins: {gitea: eve-at-work}}
approvers: [carol]
"""
LIGHT = "owner: alice\nimage: codehub/light\n"


def file(**more: str) -> bytes:
    return (LIGHT + "".join(f"{key}: {value}\n" for key, value in more.items())).encode()


@dataclass
class Room(Desk):
    """A desk with a forge.

    Attributes:
        forge: What the forge knows.
        mode: `review_bound`.
        swept: Why the runner was to look again.
        now: Seconds of the watcher's clock.
    """

    forge: forge_api.Board = field(default_factory=forge_api.Board)
    mode: str = "all"
    grace: float = 0.0
    swept: list[str] = field(default_factory=list)
    now: float = 0.0

    @property
    def place(self) -> Place:
        # Not over HTTP: what is tried here is what comes of it, and each call costs a process more.
        return Place(f"file://{self.repository.folder}/.git", "main", "ws")

    @property
    def remote(self) -> Remote:
        return Remote(url=self.place.url, branch="main")

    def copy(self, **more: int) -> PullCopy:
        return PullCopy(
            self.folder / "pulls.git",
            branch=self.folder / "mirror.git",
            remote=self.remote,
            kind="gitea",
            timeout=30,
            **more,
        )

    def bound(self) -> BoundSource:
        mirror = Mirror(self.folder / "mirror.git", self.remote, timeout=30)
        inner = GitSource(
            mirror,
            self.board,
            place=self.place,
            poll=60,
            look_every=30,
            nudges=self.nudges,
            there=self.power.inventory,
        )
        fleets = Fleets(mirror.git, "ws")
        origins = Origins(
            connect=self.forge.connect,
            kind="gitea",
            branch="main",
            board=self.board,
            fleets=fleets,
            grace=self.grace,
        )
        binding = Binding(
            board=self.board, fleets=fleets, origins=origins, place=self.place, mode=self.mode
        )
        return BoundSource(inner, binding)

    def watcher(self, source: BoundSource | None = None) -> Watcher:
        async def sweep(cause: str) -> None:
            self.swept.append(cause)
            if source is not None:
                await self.took(await source.glance())

        return Watcher(
            Table(
                connect=self.forge.connect,
                kind="gitea",
                place=self.place,
                copy=self.copy(),
                board=self.board,
                looker=None,
                source=source,
                sweep=sweep,
                poll=0.2,
                nudges=self.nudges,
                ticks=lambda: self.now,
            )
        )

    async def reviewed(self) -> None:
        """Have the open pull requests looked at once."""
        await self.watch(self.watcher())

    async def watch(self, watcher: Watcher) -> None:
        forge = self.forge.connect()
        try:
            await watcher.once(forge)
        finally:
            await forge.close()

    async def took(self, snapshot: Snapshot) -> Snapshot:
        """Have it count, as a sweep does."""
        await Commits(self.board, prunes=True).begun(snapshot)
        return snapshot

    def pull(
        self,
        number: int,
        files: Mapping[str, bytes | None],
        *,
        author: str = "alice",
        branch: str = "",
    ) -> str:
        """Open a pull request with one commit on the branch as it is; its commit."""
        call = self.repository.call
        call("checkout", "-q", "-B", f"change-{number}", "main")
        head = self.repository.commit(files)
        call("update-ref", f"refs/pull/{number}/head", head)
        call("checkout", "-q", "main")
        self.forge.open(number, head, author=author, branch=branch)
        return head

    def merge(self, number: int, *, message: str = "merge", by: str = "carol") -> str:
        """Merge it by a merge commit."""
        self.repository.call("merge", "-q", "--no-ff", "-m", message, f"change-{number}")
        commit = self.repository.call("rev-parse", "HEAD")
        self.forge.merge(number, commit, by=by)
        return commit


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    repository = Repository(tmp_path / "team")
    names = {f"ws/{name}.yaml": file() for name in ("one", "two", "three")}
    repository.commit({**names, "ws/_owners.yaml": OWNERS})
    url = f"sqlite:///{tmp_path}/index.db"
    with Index.open(url) as index:
        made = Room(tmp_path, repository, Served(root=tmp_path), index)
        async with serving(made.forge) as server:
            made.forge.url = server.url
            made.board = Board(index)
            yield made
