"""Turns a change, or a failure, into what is told to whoever asked for it. Pure."""

from collections.abc import Iterable

from spec import Problem
from stacks.errors import InvalidFileError, StacksError, TemporaryError
from stacks.plan import Action, Change
from stacks.steps import Result
from state_index.models import Published
from state_index.phases import Phase, Sync


def ended(change: Change, row: Published | None) -> Result:
    """Give the result of a change that was done, or of one with nothing to do."""
    if change.error is not None:
        return failed(change.id, change.action, row, change.error)
    if change.refusal is not None and change.action is Action.NOTHING:
        return failed(change.id, change.action, row, change.refusal, problems=change.problems)
    if change.action is Action.INVALID:
        error = InvalidFileError(f"{change.id}: {change.reason}", step="read")
        return failed(change.id, change.action, row, error, problems=change.problems)
    idle = change.action is Action.NOTHING
    purged = change.action is Action.PURGE and row is None
    return Result(
        id=change.id,
        action=change.action,
        phase=row.phase if row else Phase.DELETED if purged else "",
        sync=row.sync if row else "",
        changed=not idle,
        note=change.reason
        if idle and change.sync is not Sync.SYNCED
        else ""
        if idle
        else _advice(change),
    )


def _advice(change: Change) -> str:
    """What rules say of it that does not stop it."""
    return "; ".join(f"{each.rule}: {each.message}" for each in change.findings)


def failed(
    workspace_id: str,
    action: Action,
    row: Published | None,
    error: StacksError,
    *,
    problems: Iterable[Problem] = (),
) -> Result:
    """Give the result of work that failed; `problems` are what is wrong with the file."""
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
        problems=tuple(found.as_dict() for found in problems),
    )
