"""Tells in the index that work failed, and of a container that outlived it.

Someone may be working in that one: as long as it runs as it did before, the workspace stays RUNNING,
OutOfSync, with the failure's words, and the gateway goes on opening it. The same attempt is not made
again before its timer, another file, or a person asks for it (`stacks.retries`).
"""

from stacks.board import Board
from stacks.demand import Demand
from stacks.errors import StacksError
from stacks.planned import Action, Change, Known
from stacks.sight import Sight
from stacks.source import Snapshot
from state_index.models import Published
from state_index.phases import Phase
from telemetry.logs import get_logger

_log = get_logger(__name__)


class Failing:
    """Publishes failures."""

    def __init__(self, board: Board, sight: Sight) -> None:
        """Prepare.

        Args:
            board: Where they are published.
            sight: How it is seen what outlived them.
        """
        self._board = board
        self._sight = sight

    async def publish(
        self,
        demand: Demand,
        change: Change | None,
        error: StacksError,
        *,
        workspace_id: str,
        snapshot: Snapshot,
        retry_in: float | None,
    ) -> Published | None:
        """Publish a failure; None when the index did not take it.

        Args:
            demand: What was wanted.
            change: What was to be done; None where it did not come to that.
            error: How it failed.
            workspace_id: Which.
            snapshot: What the files say.
            retry_in: Seconds until it is tried again; None when it is not.
        """
        _log.warning("failed", reason=error.reason, step=error.step, message=error.message)
        why = demand.why(change)
        try:
            outlived = await self._outlived(change, snapshot)
            return await self._board.fail(
                workspace_id, why, error, retry_in=retry_in, outlived=outlived
            )
        except StacksError as unpublished:
            _log.error("unpublished", message=unpublished.message)
        return None

    async def _outlived(self, change: Change | None, snapshot: Snapshot) -> bool:
        if change is None or not could_outlive(change):
            return False
        try:
            now = await self._sight.one(change.id, snapshot, asked=None)
        except StacksError:
            return False  # then nobody knows what runs
        return is_same(change.known, now)


def could_outlive(change: Change) -> bool:
    """Whether the IDE answered before a file was applied; what drifted is healed or an error. Pure."""
    row = change.known.row
    of_shape = change.action in {Action.UPDATE, Action.REPLACE}
    if row is None or not of_shape or row.applied_hash == change.desired_hash:
        return False
    return row.phase is Phase.RUNNING and change.known.running


def is_same(before: Known, now: Known) -> bool:
    """Whether the very container of before runs. Pure."""
    one, other = before.container, now.container
    return one is not None and other is not None and one.id == other.id and now.running
