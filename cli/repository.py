"""What the index says of the repository that is followed, for people and as JSON."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cli.output import talk

if TYPE_CHECKING:
    from cli.frame import Frame
    from state_index.index import Index
    from state_index.repository import Followed, Wishes

SHORT = 12
"""Characters of a commit that people are shown; git takes as few."""

_MOST = 5
"""Failures that are told in one line; JSON has all."""


def read(index: "Index | None") -> "tuple[Followed, Wishes]":
    """What is said and asked; all empty where no repository is followed."""
    from state_index.repository import Followed, Wishes

    if index is None:
        return Followed(), Wishes()
    return index.repository.followed(), index.repository.wishes()


def tell_of(frame: "Frame") -> None:
    """Say the same after a command that read the repository: what it read may not be the newest."""
    from cli import index
    from settings.model import RunnerSettings

    settings = frame.load(RunnerSettings)
    if settings.repo is not None:
        with index.reading(settings) as opened:
            tell(*read(opened))


def plain(followed: "Followed", wishes: "Wishes") -> dict[str, Any] | None:
    """The same as JSON values; None where no repository is followed."""
    if not followed.url:
        return None
    told = asdict(followed) | {
        "waiting": list(followed.waiting),
        "failures": dict(followed.failures),
    }
    paused = {"at": wishes.paused_at, "by": wishes.paused_by, "reason": wishes.reason}
    told["paused"] = paused if wishes.paused else None
    return _dated(told)


def _dated(values: dict[str, Any]) -> dict[str, Any]:
    from datetime import datetime

    def one(value: Any) -> Any:
        if isinstance(value, dict):
            return _dated(value)
        return value.isoformat() if isinstance(value, datetime) else value

    return {key: one(value) for key, value in values.items()}


def tell(followed: "Followed", wishes: "Wishes") -> None:
    """Say on standard error where the branch is, and what keeps it from being applied."""
    if not followed.url:
        return
    for line in lines(followed, wishes):
        talk(line)


def lines(followed: "Followed", wishes: "Wishes") -> list[str]:
    """One line of where it is, and one for each thing that is the matter."""
    at = f"{followed.branch} at {followed.attempted[:SHORT] or 'no commit yet'}"
    told = [f"repository: {at}, {_progress(followed)}"]
    if wishes.paused:
        why = f": {wishes.reason}" if wishes.reason else ""
        told.append(f"paused by {wishes.paused_by or 'someone'}{why}; `codehub resume` ends it")
    if followed.error:
        told.append(f"nothing is removed by it: {followed.error}")
    return told


def _progress(followed: "Followed") -> str:
    if followed.failures:
        return f"not applied: {failed(followed)}"
    if followed.waiting or followed.applied != followed.attempted:
        number = len(followed.waiting)
        return f"being applied ({number} to go)" if number else "being applied"
    return "applied"


def failed(followed: "Followed") -> str:
    """The failures in one line."""
    told = [f"{id_} ({message})" for id_, message in followed.failures.items()]
    more = f" and {len(told) - _MOST} more" if len(told) > _MOST else ""
    return f"{', '.join(told[:_MOST])}{more}"
