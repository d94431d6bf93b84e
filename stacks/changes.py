"""What would happen to a workspace, as plain values: what `codehub preview` prints."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from stacks.errors import Violation

DESTRUCTIVE = frozenset({"purge", "delete", "replace"})
"""Actions that remove something that lives now."""


@dataclass(frozen=True, kw_only=True)
class PropertyChange:
    """One property that changes.

    Attributes:
        path: Key of the file (``env.TZ``), or resource and property (``container.memory``).
        kind: ``add``, ``update`` or ``delete``.
        before: Value now, as JSON; "" when it is not known or not there.
        after: Value then, likewise.
        replaces: Whether it makes the container anew.
    """

    path: str
    kind: str
    before: str = ""
    after: str = ""
    replaces: bool = False


@dataclass(frozen=True, kw_only=True)
class WorkspaceChange:
    """What would happen to one workspace.

    Attributes:
        id: The workspace.
        action: `stacks.plan.Action`.
        sync: How it compares with its file now; "" when nothing is known of it.
        reason: Why.
        details: The properties that change.
        violations: What policies say, mandatory or advisory.
        problems: What is wrong with its file.
        data: What happens to the user's data, in words.
        formerly: The id that it was renamed from, as long as that is not done.
        former_owner: Whose it was, where it changes hands.
        error: Why it cannot be done or previewed: reason, message, step, remedy.
    """

    id: str
    action: str
    sync: str
    reason: str = ""
    details: tuple[PropertyChange, ...] = ()
    violations: tuple[Violation, ...] = ()
    problems: tuple[dict[str, Any], ...] = ()
    data: str = ""
    formerly: str = ""
    former_owner: str = ""
    error: dict[str, Any] | None = None

    @property
    def destructive(self) -> bool:
        """Whether something that lives now is removed, renamed or given to another owner."""
        return self.action in DESTRUCTIVE or bool(self.formerly or self.former_owner)

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self) | {"destructive": self.destructive}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Take what `to_json` gave."""
        plain = {key: value for key, value in data.items() if key != "destructive"}
        plain["details"] = tuple(PropertyChange(**each) for each in data["details"])
        plain["violations"] = tuple(Violation(**each) for each in data["violations"])
        plain["problems"] = tuple(data["problems"])
        return cls(**plain)
