"""The cap on what drift makes anew: of at most three workspaces, or a tenth of the fleet, in any hour.

An engine that was upgraded, or set up in another way, may make every container differ at once; to make
one anew ends its programs. So a few are, the others say that they wait, and a person can look. Not
counted is what someone asked for: `codehub up`, `retry`, `start`. Each attempt takes a place, and gives
it back where it ended without having touched the container. One workspace has one place, however often
its container is made anew within the hour, which is three times at most. The count is kept in memory, and read from
the history where the runner is new.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from stacks.board import Board
from stacks.drifting import CAUSE
from stacks.planned import Change, Known, Wish
from stacks.pruning import WINDOW, share
from state_index.models import HistoryRow, Published
from state_index.phases import Phase

_HOUR = WINDOW.total_seconds()

EACH = 3
"""Containers of one workspace that may be made anew within the hour."""

Spared = Callable[[Known, Wish], Change]
"""Plans once more for one workspace, whose container is not to be made anew."""


def counts(change: Change, wish: Wish) -> bool:
    """Whether it is drift alone, and no person, that has a container made anew."""
    return change.remakes and not wish.heal and change.known.asked is None


@dataclass
class _Place:
    """One container made anew, or about to be.

    Attributes:
        id: The workspace.
        at: When it was counted.
        ends: Whether the old one's programs were ended, or were about to be.
        made: Whether the old one is gone: whatever comes then is counted by itself.
    """

    id: str
    at: float
    ends: bool = False
    made: bool = False


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
            least: Workspaces whose containers may always be made anew within an hour.
            spared: Plans for one that has to wait.
            monotonic: The clock by which the hour is counted.
        """
        self._board = board
        self._least = least
        self._spared = spared
        self._now = monotonic
        self._places: list[_Place] | None = None
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
            places = await self._recent(rows)
        times = Counter(place.id for place in places)
        room = max(0, share(rows, self._least) - len(times))
        waiting = [id_ for id_ in counted if _own(places, id_) is None]
        # What failed is tried at its own time, and must not stand before others until then.
        new = [id_ for id_ in waiting if not (times[id_] or _is_tried_later(changes[id_]))]
        beyond = {*new[room:], *(id_ for id_ in waiting if times[id_] >= EACH)}
        return {
            id_: self._spared(change.known, wish) if id_ in beyond else change
            for id_, change in changes.items()
        }

    async def admitted(self, change: Change, wish: Wish) -> Change:
        """Count a container as made anew, or have it wait: others may have come first.

        Whoever does the work says how far it came, by `ends`, `made` and `settle`.
        """
        if not counts(change, wish):
            return change
        rows = await self._board.rows()
        async with self._lock:
            places = await self._recent(rows)
            if _own(places, change.id) is not None:
                return change
            times = Counter(place.id for place in places)
            has_one = 0 < times[change.id] < EACH
            if has_one or (not times[change.id] and len(times) < share(rows, self._least)):
                places.append(_Place(change.id, self._now()))
                return change
        return self._spared(change.known, wish)

    def ends(self, workspace_id: str) -> None:
        """Say that a container's programs are about to be ended: its place is not given back."""
        place = _own(self._places or (), workspace_id)
        if place is not None:
            place.ends = True

    def made(self, workspace_id: str) -> None:
        """Say that a container is gone: the next one of this workspace needs a place of its own."""
        place = _own(self._places or (), workspace_id)
        if place is not None:
            place.made = True

    def settle(self, workspace_id: str) -> None:
        """End what `admitted` began: an attempt that touched no container gives its place back."""
        place = _own(self._places or (), workspace_id)
        if self._places is not None and place is not None and not place.ends:
            self._places.remove(place)

    async def _recent(self, rows: Mapping[str, Published]) -> list[_Place]:
        since = self._now() - _HOUR
        places = await self._remembered(rows) if self._places is None else self._places
        self._places = [place for place in places if place.at > since]
        return self._places

    async def _remembered(self, rows: Mapping[str, Published]) -> list[_Place]:
        """Read what was healed before this runner; what was healed in place counts too."""
        found: list[_Place] = []
        for row in rows.values():
            if _age(row.since) >= _HOUR:
                continue  # it has been in its phase for longer
            for change in _healed(await self._board.history(row.id)):
                at = self._now() - _age(change.at)
                found.append(_Place(row.id, at, ends=True, made=True))
        return found


def _own(places: Sequence[_Place], workspace_id: str) -> _Place | None:
    """Give the place that a workspace's attempt has, and did not use up."""
    return next((it for it in places if it.id == workspace_id and not it.made), None)


def _is_tried_later(change: Change) -> bool:
    at = change.known.row.retry_at if change.known.row else None
    return at is not None and at > datetime.now(UTC)


def _healed(history: Sequence[HistoryRow]) -> Sequence[HistoryRow]:
    """Give the heals that a history tells; of those that failed one at most, where no other is.

    A failed one may have come to remove the container, and is tried every few minutes. What someone asked
    for has their name, and counts as little as while its runner ran.
    """
    began, done = [], []
    after: Phase | None = None
    for row in history:
        if row.to_phase is not Phase.UPDATING:
            after = row.to_phase
        elif row.from_phase is not Phase.UPDATING and _is_drift_alone(row):
            began.append(row)
            done += [row] if after is not Phase.ERROR else []
    return done or began[:1]


def _is_drift_alone(row: HistoryRow) -> bool:
    return row.cause.startswith(CAUSE) and not row.actor


def _age(at: datetime) -> float:
    """Seconds since then; none where the clock was put back."""
    return max(0.0, (datetime.now(UTC) - at).total_seconds())
