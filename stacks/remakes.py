"""The cap on what drift makes anew: at most three containers, or a tenth of the fleet, in any hour.

An engine that was upgraded, or set up in another way, may make every container differ at once; to make
one anew ends its programs. So a few are, the others say that they wait, and a person can look. Not
counted is what someone asked for: `codehub up`, `retry`, `start`. The count is kept in memory, and
read from the history where the runner is new.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from stacks.board import Board
from stacks.drifting import CAUSE
from stacks.planned import GONE, Change, Known, Wish
from stacks.pruning import WINDOW
from state_index.models import Published
from state_index.phases import Phase

LEAST = 3
"""Containers that may always be made anew within the window, if the setting says nothing else."""

PART = 10
"""One in so many of the fleet, where that is more."""

_HOUR = WINDOW.total_seconds()

Spared = Callable[[Known, Wish], Change]
"""Plans once more for one workspace, whose container is not to be made anew."""


def most(rows: Mapping[str, Published], least: int) -> int:
    """How many containers may be made anew within the window."""
    return max(least, sum(row.phase not in GONE for row in rows.values()) // PART)


def counts(change: Change, wish: Wish) -> bool:
    """Whether it is drift alone, and no person, that has a container made anew."""
    return change.remakes and not wish.heal and change.known.asked is None


class RemakeCap:
    """The cap of one runner."""

    def __init__(
        self,
        board: Board,
        *,
        least: int,
        spared: Spared,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare.

        Args:
            board: Has the history.
            least: Containers that may always be made anew within an hour.
            spared: Plans for one that has to wait.
            monotonic: The clock by which the hour is counted.
        """
        self._board = board
        self._least = least
        self._spared = spared
        self._now = monotonic
        self._made: dict[str, float] | None = None
        self._lock = asyncio.Lock()

    async def limited(
        self, changes: Mapping[str, Change], rows: Mapping[str, Published], wish: Wish
    ) -> dict[str, Change]:
        """Have those wait that are beyond the cap.

        Args:
            changes: The plan.
            rows: What is published.
            wish: What is asked beyond the files.
        """
        counted = [id_ for id_ in sorted(changes) if counts(changes[id_], wish)]
        if not counted:
            return dict(changes)
        async with self._lock:
            made = await self._recent(rows)
        room = max(0, most(rows, self._least) - len(made))
        beyond = frozenset([id_ for id_ in counted if id_ not in made][room:])
        return {
            id_: self._spared(change.known, wish) if id_ in beyond else change
            for id_, change in changes.items()
        }

    async def admitted(self, change: Change, wish: Wish) -> Change:
        """Count a container as made anew, or have it wait: others may have come first."""
        if not counts(change, wish):
            return change
        rows = await self._board.rows()
        async with self._lock:
            made = await self._recent(rows)
            if change.id in made or len(made) < most(rows, self._least):
                made.setdefault(change.id, self._now())
                return change
        return self._spared(change.known, wish)

    async def _recent(self, rows: Mapping[str, Published]) -> dict[str, float]:
        since = self._now() - _HOUR
        made = await self._remembered(rows) if self._made is None else self._made
        self._made = {id_: at for id_, at in made.items() if at > since}
        return self._made

    async def _remembered(self, rows: Mapping[str, Published]) -> dict[str, float]:
        """Read what was healed before this runner; what was healed in place counts too."""
        found: dict[str, float] = {}
        for row in rows.values():
            if _age(row.since) >= _HOUR:
                continue  # it has been in its phase for longer
            for change in await self._board.history(row.id):
                if change.to_phase is Phase.UPDATING and change.cause.startswith(CAUSE):
                    found[row.id] = self._now() - _age(change.at)
                    break
        return found


def _age(at: datetime) -> float:
    """Seconds since then; none where the clock was put back."""
    return max(0.0, (datetime.now(UTC) - at).total_seconds())
