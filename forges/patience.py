"""When to ask a forge again, and after how long. Pure: it reads headers and errors, and never waits."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum

from forges.errors import ForgeError, ForgeUnreachableError, RateLimitedError

FORBIDDEN, TOO_MANY, UNAVAILABLE = 403, 429, 503


class Verdict(Enum):
    """What to do after a failure."""

    AGAIN = "again"
    GIVE_UP = "give up"


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often and how long.

    Attributes:
        attempts: How often one request is sent at most.
        longest: Seconds that are waited at once at most; a forge that asks for more is not asked again.
        first: Seconds before the second attempt, doubled for each further one.
        now: The clock: seconds since the epoch, which forges speak of too.
    """

    attempts: int = 4
    longest: float = 30.0
    first: float = 0.5
    now: Callable[[], float] = time.time

    def verdict(self, error: ForgeError, *, attempt: int, repeatable: bool) -> Verdict:
        """Whether to ask again.

        Args:
            error: why it failed.
            attempt: how often it was sent by now.
            repeatable: whether doing it twice is doing it once.
        """
        if attempt >= self.attempts:
            return Verdict.GIVE_UP
        if isinstance(error, RateLimitedError):
            fits = error.retry_after is None or error.retry_after <= self.longest
            return Verdict.AGAIN if fits else Verdict.GIVE_UP
        if isinstance(error, ForgeUnreachableError) and (repeatable or not error.maybe_done):
            return Verdict.AGAIN
        return Verdict.GIVE_UP

    def delay(self, error: ForgeError, *, attempt: int) -> float:
        """Seconds to wait before the next attempt: what the forge asked for, else ever longer."""
        grown = min(self.first * 2.0 ** (attempt - 1), self.longest)
        if isinstance(error, RateLimitedError) and error.retry_after is not None:
            return max(error.retry_after, self.first)
        return grown

    def asked(self, status: int, headers: Mapping[str, str]) -> float | None:
        """Seconds that an answer asks to wait, or None where it is about something else.

        GitHub says 403 for too many requests too, and tells it apart by its headers.
        """
        if status not in {FORBIDDEN, TOO_MANY, UNAVAILABLE}:
            return None
        wait = self._retry_after(headers.get("retry-after", ""))
        if wait is None and status != UNAVAILABLE:
            wait = self._reset(headers)
        return wait

    def _retry_after(self, value: str) -> float | None:
        if (seconds := _number(value)) is not None:
            return seconds
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - self.now())
        except (ValueError, TypeError, OverflowError):
            return None

    def _reset(self, headers: Mapping[str, str]) -> float | None:
        for prefix in ("x-ratelimit-", "ratelimit-"):
            if headers.get(f"{prefix}remaining", "").strip() == "0":
                reset = _number(headers.get(f"{prefix}reset", ""))
                return None if reset is None else max(0.0, reset - self.now())
        return None


def _number(value: str) -> float | None:
    try:
        number = float(value.strip())
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
