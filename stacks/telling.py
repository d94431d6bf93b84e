"""What a change says about its workspace in the index. Pure."""

from spec import InvalidIdError, check_id
from stacks import drift, drifting
from stacks.errors import (
    PolicyViolationError,
    ReviewExceededError,
    RulesUnreadableError,
    SyncWindowError,
)
from stacks.grace import NO_DATES
from stacks.plan import GONE, Action, Change
from stacks.programs.inputs import LABEL_OWNER
from state_index.models import Changes, Published
from state_index.phases import Event, Phase, Sync

_NO_FAILURE = Changes(reason="", message="", step="", retry_at=None)
_BY_RULES = (PolicyViolationError, RulesUnreadableError, ReviewExceededError)


def owner_of(change: Change) -> str:
    """Tell whose work it is; "" when nobody knows."""
    if change.spec is not None:
        return change.spec.owner
    return change.known.row.owner if change.known.row else ""


def described(change: Change) -> Changes:
    """Give what the row says about the file; only what is known now."""
    known, told = change.known, Changes(sync=change.sync)
    # What was wrong with a file is so until it is read anew, or known to be gone.
    if change.problems or known.spec is not None or known.fileless:
        told["problems"] = tuple(found.as_dict() for found in change.problems)
    if change.spec is not None:
        told["owner"] = change.spec.owner
        told["image"] = change.spec.image
        told["pinned"] = change.spec.state
        told["spec_json"] = change.spec.model_dump_json()
    elif known.row is None and known.container is not None:
        told["owner"] = known.container.labels.get(LABEL_OWNER, "")
    elif change.claimed and known.new and not known.homes:
        # Nothing was made yet: who wrote the file may see what is wrong with it.
        told["owner"] = change.claimed
    told |= _differences(change)
    told |= _words(change)
    told |= _waiting(change)
    if change.held:
        told["message"] = drifting.why_held(change)
    if change.wanted_again and known.row is not None:
        told |= _suspended(change, known.row)
    return told


def _words(change: Change) -> Changes:
    """Give what is said of one whose phase alone does not say that something is the matter."""
    if _is_over(change):
        return _NO_FAILURE
    known = change.known
    if known.phase in GONE | {Phase.ERROR, Phase.UNKNOWN} or _is_tried_again(known.row):
        return Changes()
    if isinstance(change.refusal, ReviewExceededError):
        return Changes(message=change.refusal.told)
    return Changes(message=change.reason if change.spec is None else "")


def _is_tried_again(row: Published | None) -> bool:
    """Whether it waits for another attempt, and the row says of what."""
    return row is not None and row.retry_at is not None and bool(row.reason)


def _is_over(change: Change) -> bool:
    """Whether a failure that a container outlived is none any more: its file is the one it runs by."""
    row, idle = change.known.row, change.action is Action.NOTHING and change.error is None
    outlived = row is not None and row.phase is Phase.RUNNING and bool(row.reason)
    return outlived and idle and change.sync is Sync.SYNCED


def _waiting(change: Change) -> Changes:
    """Give what the row says of what waits for a sync window; an error stays what it is."""
    row, error = change.known.row, change.refusal
    if not isinstance(error, SyncWindowError):
        was = row is not None and row.reason == SyncWindowError.reason
        return Changes(reason="") if was else Changes()
    if change.known.phase is Phase.ERROR:
        return Changes(retry_at=error.until)
    if change.known.phase in GONE | {Phase.UNKNOWN}:
        return Changes()
    return Changes(reason=error.reason, message=error.told, retry_at=None)


def _differences(change: Change) -> Changes:
    known = change.drift is not None and drifting.is_complete(change)
    return Changes(drift=drift.plain(change.drift or ())) if known else Changes()


def left(change: Change) -> Changes:
    """Give what differs still, once it is on or off."""
    known = change.drift is not None and drifting.is_complete(change)
    return Changes(drift=drift.plain(drifting.after_power(change))) if known else Changes()


def _suspended(change: Change, row: Published) -> Changes:
    """Give what the row of a removed workspace says that stands again: its grace is no more."""
    told = Changes()
    if row.grace_end is not None:
        told |= NO_DATES
    if row.phase is Phase.TOMBSTONED and change.spec is None and change.error is None:
        told["message"] = f"its home is kept, without an end: {change.reason}"
    return told


def found_again(change: Change) -> tuple[Event, ...]:
    """Give what to say of a workspace without a container, when the engine answers again.

    Of one that another hand stopped or removed, and that is left so, the same.

    One with a container is started or stopped, and so says itself where it stands.
    """
    known = change.known
    lost = known.row is not None and known.phase is Phase.UNKNOWN and known.container is None
    return (Event.VANISHED,) if lost else drifting.found(change)


def differs(row: Published | None, told: Changes) -> bool:
    """Whether publishing would change the row: no-op passes write nothing."""
    return row is None or any(getattr(row, key) != value for key, value in told.items())


def is_quiet(change: Change) -> bool:
    """Whether nothing has to be done on the engine, nor a new error to be told."""
    row, error = change.known.row, change.error
    if error is not None:
        told = GONE | {Phase.ERROR}
        if row is None or row.phase not in told or row.reason != error.reason:
            return False
        # What a rule says changes with all other workspaces.
        return not isinstance(error, _BY_RULES) or row.message == error.told
    quiet = change.action in {Action.NOTHING, Action.INVALID} and not change.retires
    return quiet and not found_again(change)


def cause_of(error: BaseException) -> BaseException:
    """Take a task group's frame off what ended it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def is_id(name: str) -> bool:
    """Whether a row can stand for what a file's name says."""
    try:
        check_id(name)
    except InvalidIdError:
        return False
    return True
