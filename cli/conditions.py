"""What `codehub wait` waits for: read from the command line, and judged against a row. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cli.phases import why

if TYPE_CHECKING:
    from state_index.models import Published

GONE = frozenset({"TOMBSTONED", "DELETED"})
"""Phases in which nothing of it runs or can be started; its home may be kept."""

_ERROR = "ERROR"
_NEEDS_WORK = frozenset({"RUNNING", "WARM"})
"""Phases that a workspace whose work failed for good does not come to by itself."""


class ConditionError(ValueError):
    """A condition that means nothing; the message says what is wanted."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One `--for`.

    Attributes:
        key: `phase`, `sync` or `gone`.
        value: What it must be; "" for `gone`.
    """

    key: str
    value: str = ""

    def __str__(self) -> str:
        return f"{self.key}={self.value}" if self.value else self.key

    def holds(self, row: "Published | None") -> bool:
        """Whether a workspace meets it; None is one that is not published."""
        if self.key == "gone":
            return row is None or row.phase in GONE
        return row is not None and str(getattr(row, self.key)) == self.value


def parse(text: str) -> Condition:
    """Read `phase=RUNNING`, `sync=Synced` or `gone`; values in any case.

    Raises:
        ConditionError: it is none of these.
    """
    key, equals, value = text.partition("=")
    if text == "gone":
        return Condition(key="gone")
    values = _values(key)
    if not values or not equals:
        raise ConditionError(f"{text!r} is no condition: phase=RUNNING, sync=Synced, gone")
    known = {word.casefold(): word for word in values}
    if value.casefold() not in known:
        near = get_close_matches(value.casefold(), known, n=1)
        hint = f"did you mean {known[near[0]]}?" if near else f"one of {', '.join(values)}"
        raise ConditionError(f"{value!r} is no {key}: {hint}")
    return Condition(key=key, value=known[value.casefold()])


def _values(key: str) -> list[str]:
    """What a key may be; nothing for what is no key."""
    from state_index.phases import Phase, Sync

    if key == "phase":
        return [str(phase) for phase in Phase]
    return [str(sync) for sync in Sync] if key == "sync" else []


def check_together(conditions: Iterable[Condition]) -> None:
    """Refuse conditions that can't be met at once.

    Raises:
        ConditionError: two of them contradict each other.
    """
    found: dict[str, Condition] = {}
    for condition in conditions:
        other = found.setdefault(condition.key, condition)
        if other != condition:
            raise ConditionError(f"{other} and {condition} can't both be met")
    phase = found.get("phase")
    if "gone" in found and phase and phase.value not in GONE:
        raise ConditionError(f"gone and {phase} can't both be met")


def is_hopeless(row: "Published | None", conditions: Iterable[Condition]) -> bool:
    """Whether it failed for good, while it is to become what only work makes it."""
    if row is None or row.phase != _ERROR or row.retry_at is not None:
        return False
    return any(one.key == "phase" and one.value in _NEEDS_WORK for one in conditions)


def told(workspace: str, row: "Published | None") -> str:
    """What a workspace is now, for who waited in vain."""
    if row is None:
        return f"there is no workspace {workspace}"
    reason = why(row)
    return f"{workspace} is phase={row.phase}, sync={row.sync}{f' ({reason})' if reason else ''}"
