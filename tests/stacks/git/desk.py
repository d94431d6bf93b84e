"""A repository, its server, and a source that follows it, on a real index and an engine in memory."""

from dataclasses import dataclass, field
from pathlib import Path

from stacks.board import Board, Context
from stacks.git.commits import Commits
from stacks.git.mirror import Mirror
from stacks.git.place import Place
from stacks.git.remote import Remote
from stacks.git.source import GitSource
from stacks.source import Snapshot
from state_index.index import Index
from state_index.models import Changes
from tests.stacks.fakes import FakePower
from tests.stacks.git.repository import Repository
from tests.stacks.git.serving import Served

ONE, TWO = "ws/one.yaml", "ws/two.yaml"


@dataclass
class Desk:
    """A repository, its server, and what follows it."""

    folder: Path
    repository: Repository
    served: Served
    index: Index
    board: Board = field(init=False)
    power: FakePower = field(default_factory=FakePower)

    def __post_init__(self) -> None:
        self.board = Board(self.index)

    @property
    def nudges(self) -> Path:
        return self.folder / "nudge"

    def source(
        self,
        *,
        branch: str = "main",
        path: str = "ws",
        poll: float = 60,
        by_asking: bool = False,
    ) -> GitSource:
        url = self.served.url("team/.git")
        mirror = Mirror(self.folder / "mirror.git", Remote(url=url, branch=branch), timeout=30)
        return GitSource(
            mirror,
            self.board,
            place=Place(url, branch, path),
            poll=poll,
            look_every=30,
            nudges=self.nudges,
            there=self.power.inventory,
            by_asking=by_asking,
        )

    async def has(self, *ids: str) -> None:
        """Publish workspaces as if they had been brought up."""
        for id_ in ids:
            await self.board.say(id_, Context(cause="test"), changes=Changes(owner="alice"))

    async def applied(self, snapshot: Snapshot, *, by_asking: bool = False) -> None:
        await Commits(self.board, prunes=True, by_asking=by_asking).begun(snapshot)
