"""What the watcher of pull requests works with."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from forges.forge import Forge
from stacks.board import Board
from stacks.git.place import Place
from stacks.pulls.copy import PullCopy
from stacks.pulls.facts import Looker
from stacks.pulls.source import BoundSource

Sweep = Callable[[str], Awaitable[None]]
"""Has the runner look at all workspaces again; for the cause that is given."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What a watcher works with.

    Attributes:
        connect: Makes a way to the forge, which is closed again.
        kind: Which forge.
        place: Which branch and folder.
        copy: Where pull requests are fetched to.
        board: The index.
        looker: Looks what is there; None where files alone are told.
        source: The branch, held to its reviews.
        sweep: Has the runner look at all workspaces again.
        poll: Seconds between two rounds.
        nudges: Folder of the sockets by which it is nudged.
        clock: Says what day it is.
        ticks: Seconds that pass, from any beginning.
    """

    connect: Callable[[], Forge]
    kind: str
    place: Place
    copy: PullCopy
    board: Board
    looker: Looker | None
    source: BoundSource | None
    sweep: Sweep
    poll: float
    nudges: Path
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    ticks: Callable[[], float] = time.monotonic

    @asynccontextmanager
    async def forge(self) -> AsyncIterator[Forge]:
        """Go to the forge, and close the way afterwards."""
        forge = self.connect()
        try:
            yield forge
        finally:
            await forge.close()
