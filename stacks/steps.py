"""One step of one workspace's work, as it is shown to whoever waits for it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a workspace's row says right after it changed.

    Attributes:
        id: The workspace.
        phase: Its phase.
        step: What is being done.
        reason: Stable code, for errors.
        message: The same for a person.
    """

    id: str
    phase: str
    step: str = ""
    reason: str = ""
    message: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self)


OnStep = Callable[[Step], None]


@dataclass(frozen=True, kw_only=True)
class Result:
    """How the work on one workspace ended.

    Attributes:
        id: The workspace.
        action: What was done (`stacks.plan.Action`).
        phase: Its phase now, "" when it has no row any more.
        sync: How it compares with its file now.
        changed: Whether anything was done on the engine.
        reason: Stable code of the failure, "" when it went well.
        message: The failure in words.
        remedy: What helps.
        step: What was being done when it failed.
        retryable: Whether trying again may help.
        note: Why it was left as it is though that is not what its file says, "" else.
        problems: What is wrong with its file, as the index has it.
    """

    id: str
    action: str
    phase: str = ""
    sync: str = ""
    changed: bool = False
    reason: str = ""
    message: str = ""
    remedy: str = ""
    step: str = ""
    retryable: bool = False
    note: str = ""
    problems: tuple[dict[str, Any], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it went well."""
        return not self.reason

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Take what `to_json` gave."""
        return cls(**{**data, "problems": tuple(data.get("problems", ()))})
