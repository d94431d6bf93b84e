"""What all errors of the runner have: a stable code, a message, and what its reader can do."""

from typing import Any, ClassVar


class StacksError(Exception):
    """A failure of the runner, told in words for its user.

    Attributes:
        reason: Stable code of the kind of failure, published in the index.
        message: What happened, one sentence.
        step: What was being done, for example ``container alice-api``.
        remedy: What the reader can do about it.
        untouched: Of the removal of a home: whether it is surely as it was.
    """

    reason: ClassVar[str] = "FAILED"
    default_remedy: ClassVar[str] = ""
    untouched: bool = False

    def __init__(self, message: str, *, step: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.step = step
        self.remedy = remedy or self.default_remedy

    @property
    def told(self) -> str:
        """What happened and what helps, in one text: what the index says of it."""
        return f"{self.message}. {self.remedy}".strip().removesuffix(". ")

    def to_json(self) -> dict[str, Any]:
        """Give the error as plain values, to be published or sent over a socket."""
        return {
            "reason": self.reason,
            "message": self.message,
            "step": self.step,
            "remedy": self.remedy,
        }


class TemporaryError(StacksError):
    """Trying again may help; `delay` is the least time to wait, in seconds (None: backoff)."""

    reason = "TEMPORARY"

    def __init__(
        self, message: str, *, step: str = "", remedy: str = "", delay: float | None = None
    ) -> None:
        super().__init__(message, step=step, remedy=remedy)
        self.delay = delay


class PermanentError(StacksError):
    """Only a change of input, or a person, helps."""

    reason = "PERMANENT"
