"""What looks of a runner tell, as plain values that go over its socket. Nothing is looked at here."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

LIMIT = 20
"""Commits that are told when nobody says how many."""
MOST = 100
MOST_DIFFS = 20
"""Most commits whose diff is told too."""

UNKNOWN_OWNER = "?"
"""No user's name."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One property.

    Attributes:
        key: What: ``memory``, ``env.TZ``, ``network``, ...
        file: What the file says; None where it says nothing, or there is none.
        applied: What was applied last.
        engine: What the engine has.
        differs: Whether they are not all the same, where they say something.
        stays: Whether the engine itself has it so, right after our own `up`: nothing heals it.
    """

    key: str
    file: str | None = None
    applied: str | None = None
    engine: str | None = None
    differs: bool = False
    stays: bool = False


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A workspace as it is asked for and as it is.

    Attributes:
        id: The workspace.
        phase: Its phase; "" where nothing is published of it.
        sync: How it compares with its file, as published.
        message: Why it is so, or what is wrong with its file.
        lines: All properties, those that differ too.
    """

    id: str
    phase: str = ""
    sync: str = ""
    message: str = ""
    lines: tuple[Line, ...] = ()

    @property
    def differing(self) -> tuple[Line, ...]:
        """The properties that differ, and that something can be done about."""
        return tuple(line for line in self.lines if line.differs and not line.stays)

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self) | {"lines": [asdict(line) for line in self.lines]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Take what `to_json` gave."""
        return cls(**{**data, "lines": tuple(Line(**line) for line in data["lines"])})


@dataclass(frozen=True, kw_only=True)
class TouchingCommit:
    """A commit that touched the file.

    Attributes:
        commit: Its whole id.
        author: Who says to have written it: a text that anybody writes.
        at: When it was made, ISO 8601, likewise.
        subject: The first line of its message.
        diff: The file's diff, where that was asked for.
        cut: Whether the diff is not all there.
        owners: With a diff, whom the file names as the owner before and after it: who shows it may
            not show it to everybody. `UNKNOWN_OWNER` where that can't be read.
    """

    commit: str
    author: str
    at: str
    subject: str
    diff: str = ""
    cut: bool = False
    owners: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Take what `to_json` gave."""
        return cls(**{**data, "owners": tuple(data["owners"])})
