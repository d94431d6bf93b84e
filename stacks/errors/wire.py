"""Takes errors that came over the runner's socket."""

from collections.abc import Mapping
from typing import Any

from stacks.errors.asked import NotConfirmedError
from stacks.errors.base import PermanentError, StacksError, TemporaryError
from stacks.errors.pulumi import PolicyViolationError


def from_json(data: Mapping[str, Any]) -> StacksError:
    """Take what `to_json` gave; an unknown reason becomes a `PermanentError`."""
    kind = _kinds(StacksError).get(str(data.get("reason", "")), PermanentError)
    error = kind.__new__(kind)
    # Not the class's own way: some are made from more than a message.
    StacksError.__init__(
        error,
        str(data.get("message", "")),
        step=str(data.get("step", "")),
        remedy=str(data.get("remedy", "")),
    )
    if isinstance(error, TemporaryError):
        error.delay = None
    if isinstance(error, PolicyViolationError):
        error.violations = ()
    if isinstance(error, NotConfirmedError):
        error.owner = str(data.get("owner", ""))
    return error


def remedy_of(reason: str) -> str:
    """Give the usual remedy of a kind of failure, "" where there is none."""
    kind = _kinds(StacksError).get(reason)
    return kind.default_remedy if kind else ""


def _kinds(base: type[StacksError]) -> dict[str, type[StacksError]]:
    found = {base.reason: base}
    for kind in base.__subclasses__():
        found |= _kinds(kind)
    return found
