"""The cap on what is pruned: at most three workspaces, or a tenth of the fleet, in any hour.

A folder that lost half of its files by a slip removes a few workspaces, not all, and says so; homes
whose grace is over are counted alike. What someone removes by name is not counted. The index keeps the count, so a restart does not begin anew.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

from stacks.board import Board, translated
from stacks.demand import Demand
from stacks.errors import HomeKeptError, HomeUnseenError, StacksError
from stacks.plan import as_it_is
from stacks.planned import GONE, Action, Change, Wish
from state_index.models import Published
from telemetry.logs import get_logger

_log = get_logger(__name__)

WINDOW = timedelta(hours=1)
LEAST = 3
"""Workspaces that may always be pruned within the window."""

PART = 10
"""One in so many of the fleet, where that is more."""


REFUSED = frozenset({HomeKeptError.reason, HomeUnseenError.reason})
"""Why the end of a home was refused: it is tried now and then, and must not stand before others."""

RULE = f"no more than {LEAST}, or one in {PART} of all, are removed in an hour"


def most(rows: Mapping[str, Published], pruned: Collection[str], allowed: int | None) -> int:
    """How many workspaces may be pruned within the window.

    Args:
        rows: What is published.
        pruned: What was pruned within it already; it was part of the fleet.
        allowed: What someone allowed for this once; None for the rule.
    """
    if allowed is not None:
        return allowed
    return share(rows, LEAST, pruned)


def share(rows: Mapping[str, Published], least: int, gone: Collection[str] = ()) -> int:
    """How many may be touched within the window: so many, or a part of the fleet.

    Args:
        rows: What is published.
        least: How many always may.
        gone: What was part of the fleet too, though it may have gone since.
    """
    living = {id_ for id_, row in rows.items() if row.phase not in GONE}
    return max(least, len(living | set(gone)) // PART)


def is_refused(change: Change) -> bool:
    """Whether the end of its home was tried before, and refused."""
    row = change.known.row
    return change.action is Action.PURGE and row is not None and row.reason in REFUSED


def held_back(change: Change, number: int) -> Change:
    """Give the change that keeps a workspace, or its home, and says why.

    Args:
        change: What would be done.
        number: How many are held back, this one included.
    """
    told = (
        f"its file is gone, but it is kept: {RULE}, and {number} are held back; is it meant, allow "
    )
    told += "more: `codehub up --prune --max-delete N`"
    if change.action is Action.PURGE:
        told = (
            f"its grace is over, but its home is kept: {RULE}, and {number} are held back; it goes "
        )
        told += f"when there is room, and at once by `codehub purge {change.id}`"
    kept = replace(change, action=Action.NOTHING, prunes=False, held=True, reason=told)
    return as_it_is(change.known, kept)


class PruneCap:
    """The cap, over the index."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._held: frozenset[str] = frozenset()
        self._claimed: set[str] = set()
        """Counted by us for what is under way, so that it can be given back."""

    async def limited(
        self,
        changes: Mapping[str, Change],
        rows: Mapping[str, Published],
        wish: Wish,
        ids: Collection[str] | None = None,
    ) -> dict[str, Change]:
        """Hold back what is beyond the cap.

        Args:
            changes: The plan.
            rows: What is published.
            wish: What is asked beyond the files.
            ids: Those that are meant; all by default.
        """
        prunes = [id_ for id_ in sorted(changes) if changes[id_].prunes]
        if not prunes:
            self._held = frozenset()
            return dict(changes)
        pruned = await self._pruned()
        meant = [id_ for id_ in prunes if (ids is None or id_ in ids) and id_ not in pruned]
        # What is refused each time takes no room here: those that come after it would never go.
        meant = [id_ for id_ in meant if not is_refused(changes[id_])]
        room = max(0, most(rows, pruned, wish.max_delete) - len(pruned))
        beyond = self._held = frozenset(meant[room:])
        return {
            id_: held_back(change, len(beyond)) if id_ in beyond else change
            for id_, change in changes.items()
        }

    def told(self, change: Change, demand: Demand) -> Demand:
        """Give the demand for a change: what is held back must not overtake what is not."""
        return replace(demand, max_delete=0, spares=True) if change.held else demand

    async def admitted(self, change: Change, wish: Wish) -> Change:
        """Count a workspace as pruned, or hold it back: others may have come first."""
        if not change.prunes:
            return change
        rows, pruned = await self._board.rows(), await self._pruned()
        allowed = most(rows, pruned, wish.max_delete)
        with translated():
            claimed = await asyncio.to_thread(
                self._board.removals.claim, change.id, most=allowed, within=WINDOW
            )
        if claimed:
            if change.id not in pruned:
                self._claimed.add(change.id)
            return change
        self._held |= {change.id}
        return held_back(change, len(self._held))

    async def settle(self, change: Change | None, error: StacksError | None = None) -> None:
        """End what `admitted` began: a home that was refused, of which nothing went, did not count.

        Whoever is ended before leaves it counted: that is an hour of patience, not a home.
        """
        if change is None or change.id not in self._claimed:
            return
        self._claimed.discard(change.id)
        if isinstance(error, HomeKeptError) and change.action is Action.PURGE and not error.partly:
            try:
                with translated():
                    await asyncio.to_thread(self._board.removals.give_back, change.id)
            except StacksError as unpublished:
                _log.warning("still counted as pruned", message=unpublished.message)

    async def _pruned(self) -> frozenset[str]:
        with translated():
            return await asyncio.to_thread(self._board.removals.pruned, within=WINDOW)
