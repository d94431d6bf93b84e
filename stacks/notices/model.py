"""What is told, as frozen values that go to JSON and back. No decision here, no form."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

LONGEST = 600
"""Most characters of a message or a remedy that leave."""


class Kind(StrEnum):
    """What a notice is about."""

    FAILURE = "failure"
    RECOVERED = "recovered"
    DRIFT = "drift"
    DRIFT_ENDED = "drift-ended"
    APPROVAL = "approval-wanted"
    TEST = "test"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One thing that is told.

    Attributes:
        kind: What it is about.
        workspace: Whom it concerns; "" for what concerns no single one.
        owner: Whose that is, "" when nobody knows.
        phase: Its phase, "" where there is none (any more).
        reason: A stable code, as in `codehub status`.
        message: The same for a person.
        remedy: What helps, "" when the message says it or nothing has to be done.
        since: When it began.
    """

    kind: Kind
    workspace: str
    owner: str = ""
    phase: str = ""
    reason: str = ""
    message: str = ""
    remedy: str = ""
    since: datetime

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {**asdict(self), "since": self.since.isoformat()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Take what `to_json` gave.

        Raises:
            ValueError, KeyError, TypeError: It is not that.
        """
        texts = {name: _text(data[name]) for name in _TEXTS}
        return cls(kind=Kind(data["kind"]), since=aware(data["since"]), **texts)

    def cut(self) -> Self:
        """Give it with texts of a bounded length."""
        return replace(self, message=_cut(self.message), remedy=_cut(self.remedy))


@dataclass(frozen=True, kw_only=True)
class Message:
    """What goes to a sink at once, again and again the same until it was taken.

    Attributes:
        id: By which a receiver knows one that comes a second time.
        made_at: When it was put together.
        notices: What is told, the newest last.
        more: How many further ones are not listed.
    """

    id: str
    made_at: datetime
    notices: tuple[Notice, ...]
    more: int = 0

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        told = [notice.to_json() for notice in self.notices]
        return {
            "id": self.id,
            "made_at": self.made_at.isoformat(),
            "notices": told,
            "more": self.more,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Take what `to_json` gave; raises as `Notice.from_json`."""
        notices = tuple(map(Notice.from_json, data["notices"]))
        made_at, more = aware(data["made_at"]), int(data["more"])
        return cls(id=_text(data["id"]), made_at=made_at, notices=notices, more=more)


_TEXTS = ("workspace", "owner", "phase", "reason", "message", "remedy")


def aware(text: str) -> datetime:
    """Read a time; raises ValueError when it has no zone."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without a zone")
    return time


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is wanted")
    return value


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
