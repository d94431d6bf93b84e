"""A repository that takes pushes, and the runner's desk of edits on it, on a real index."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from spec import FolderRead
from stacks.edits import drafts
from stacks.edits.branch import Branch, Generators, Mode, Ways
from stacks.edits.branch_files import Origins
from stacks.edits.desk import Desk
from stacks.edits.model import Place
from stacks.edits.pulls import Pulls
from stacks.fence import Fence
from stacks.git.mirror import Mirror
from stacks.git.remote import Remote
from state_index.edits import Edit, EditAction
from state_index.index import Index
from tests.stacks.git.repository import WORKSPACE, Repository
from tests.stacks.git.serving import Served
from tests.waiting import until

ONE, TWO = "ws/one.yaml", "ws/two.yaml"
DOMAIN = "users.codehub.invalid"


def writable(folder: Path) -> Repository:
    """Make a repository that takes pushes to the branch that is checked out, and checks them out."""
    made = Repository(folder)
    made.call("config", "http.receivepack", "true")
    made.call("config", "receive.denyCurrentBranch", "updateInstead")
    return made


@dataclass
class Office:
    """A repository, its server, an index, and what makes edits."""

    folder: Path
    repository: Repository
    served: Served
    index: Index
    fence: Fence = field(default_factory=Fence.always)
    pushed: int = 0

    @property
    def head(self) -> str:
        return self.repository.call("rev-parse", "main")

    def branch(
        self,
        *,
        mode: Mode = "commit",
        pulls: Pulls | None = None,
        path: str = "ws",
        url: str = "",
        generators: Generators = FolderRead.generator,
        origins: Origins = dict,
        remote: Remote | None = None,
    ) -> Branch:
        remote = remote or Remote(url=url or self.served.url("team/.git"), branch="main")
        place = self.folder / "edits"
        drafts.sweep(place)
        ways = Ways(
            mode=mode,
            domain=DOMAIN,
            path=path,
            timeout=30,
            drafts=place,
            pulls=pulls,
            generators=generators,
            origins=origins,
        )
        mirror = Mirror(self.folder / "mirror.git", remote, timeout=30)
        return Branch(mirror, remote, ways, fence=self.fence, pushed=self._count)

    async def _count(self) -> None:
        self.pushed += 1

    def blob(self, name: str) -> str:
        return self.repository.call("rev-parse", f"main:{name}")

    def text(self, name: str, commit: str = "main") -> bytes:
        return self.repository.git.run("cat-file", "blob", f"{commit}:{name}")

    def ask(
        self,
        text: str | None,
        *,
        id_: str = "one",
        action: EditAction = "change",
        actor: str = "alice",
        base: str | None = None,
        message: str = "",
        admin: bool = False,
    ) -> Edit:
        return self.index.edits.ask(
            id_,
            action,
            actor=actor,
            base=self.blob(f"ws/{id_}.yaml") if base is None else base,
            text=text,
            message=message,
            admin=admin,
        )

    async def settled(self, *edits: Edit, place: Place | None = None) -> list[Edit]:
        """Have a desk of its own make edits."""
        async with self.desk(place or self.branch()) as desk:
            return list(await asyncio.gather(*(desk.settled(edit) for edit in edits)))

    @asynccontextmanager
    async def desk(self, place: Place) -> AsyncIterator[Desk]:
        async with asyncio.TaskGroup() as group:
            desk = Desk(self.index.edits, place, group, pause=lambda *_: 0.01)
            try:
                yield desk
            finally:
                await desk.close()


def workspace(extra: str = "") -> str:
    return WORKSPACE.decode() + extra


async def reached(condition: Callable[[], object]) -> None:
    await until(condition)
