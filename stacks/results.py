"""Turns a change, or a failure, into what is told to whoever asked for it. Pure."""

from stacks.errors import InvalidFileError, StacksError, TemporaryError
from stacks.plan import Action, Change
from stacks.steps import Result
from state_index.models import Published


def ended(change: Change, row: Published | None) -> Result:
    """Give the result of a change that was done, or of one with nothing to do."""
    if change.error is not None:
        return failed(change.id, change.action, row, change.error)
    if change.action is Action.INVALID:
        error = InvalidFileError(f"{change.id}: {change.reason}", step="read")
        return failed(change.id, change.action, row, error)
    return Result(
        id=change.id,
        action=change.action,
        phase=row.phase if row else "",
        sync=row.sync if row else "",
        changed=change.action is not Action.NOTHING,
    )


def failed(workspace_id: str, action: Action, row: Published | None, error: StacksError) -> Result:
    """Give the result of work that failed."""
    return Result(
        id=workspace_id,
        action=action,
        phase=row.phase if row else "",
        sync=row.sync if row else "",
        changed=action not in {Action.NOTHING, Action.INVALID, Action.BLOCKED},
        reason=error.reason,
        message=error.message,
        remedy=error.remedy,
        step=error.step,
        retryable=isinstance(error, TemporaryError),
    )
