"""When what failed is tried again, and whether someone may ask for it. Pure.

`stacks.reconciler` keeps the count of failures and sets the timers; nothing here waits.
"""

from stacks.errors import InvalidFileError, NothingToRetryError, StacksError
from stacks.planned import Known
from stacks.source import Snapshot
from state_index.models import Published
from state_index.phases import Phase

FIRST = 2.0
"""Seconds before a passing error is tried again; doubled each time."""

MOST = 300.0
"""Seconds that no delay of ours exceeds, jitter included."""

JITTER = 0.2
"""Part of a delay that chance may take off, so that what failed together is not tried together."""

_DOUBLINGS = 16
"""More change nothing, and numbers must not grow with a failure that lasts for months."""

_FAILED = frozenset({Phase.ERROR, Phase.UNKNOWN})


def backoff(failures: int, *, chance: float, least: float = 0.0) -> float:
    """Seconds to wait after so many failures in a row.

    Args:
        failures: How many, from 1.
        chance: Between 0 and 1: how much of the jitter is taken off.
        least: Seconds that the error itself asks for; it may exceed `MOST`.
    """
    doubled = FIRST * 2.0 ** min(failures - 1, _DOUBLINGS)
    return max(least, min(doubled, MOST) * (1 - JITTER * chance))


def is_held(known: Known, desired_hash: str) -> bool:
    """Whether this very state failed for good, so that only a change or a person helps."""
    row = known.row
    return (
        row is not None
        and known.asked is None
        and (row.phase is Phase.ERROR or _is_outlived(row, desired_hash))
        and bool(row.reason)  # else the index was full, or gone, before the failure was told
        and row.retry_at is None
        and row.grace_end is None  # what failed was the removal of its home
        and row.desired_hash == desired_hash
    )


def _is_outlived(row: Published, desired_hash: str) -> bool:
    """Whether a state was tried that is not the one that runs, as `stacks.failing` publishes it."""
    return row.phase is Phase.RUNNING and bool(row.reason) and row.applied_hash != desired_hash


def check(workspace_id: str, row: Published | None, snapshot: Snapshot) -> None:
    """Refuse to try again what did not fail, or what only its file can mend.

    Raises:
        NothingToRetryError: It did not fail, or no file says what it should be.
        InvalidFileError: Its file has errors.
    """
    refusal = _refusal(workspace_id, row, snapshot)
    if refusal is not None:
        raise refusal


def _refusal(workspace_id: str, row: Published | None, snapshot: Snapshot) -> StacksError | None:
    if workspace_id in snapshot.invalid:
        return InvalidFileError(f"the file of {workspace_id} has errors", step="read")
    if workspace_id in snapshot.pending:
        told = f"the file of {workspace_id} is being written"
        return NothingToRetryError(told, remedy="Try again in a moment.")
    if workspace_id not in snapshot.specs:
        return NothingToRetryError(
            f"the file of {workspace_id} is gone",
            remedy="Bring it back, or say what shall be: `codehub start`, `stop` or `destroy`.",
        )
    if row is None or not (row.reason or row.phase in _FAILED):
        phase = row.phase if row else "not brought up yet"
        return NothingToRetryError(f"{workspace_id} is {phase}: nothing failed")
    return None
