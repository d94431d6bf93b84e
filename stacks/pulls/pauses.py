"""How long is waited for a forge, or between two looks at it. Pure."""

from forges.errors import RateLimitedError
from stacks import retries

LEAST = 1.0
"""Seconds between the end of a round and the next one, however often it is nudged."""

LONGEST = 3600.0
"""Seconds that no forge keeps us waiting, whatever it names, and no pull request that fails."""

FORGES = retries.MOST
"""Seconds that one rests at most at which the forge failed: that may be well again any time."""

_DOUBLINGS = 16


def pause(error: Exception, failures: int) -> float:
    """Seconds to wait after so many failures in a row; longer where the forge says so."""
    least = error.retry_after or 0.0 if isinstance(error, RateLimitedError) else 0.0
    return retries.backoff(failures, chance=0.0, least=min(least, LONGEST))


def rest(wanted: float, *, took: float) -> float:
    """Seconds to wait after a round.

    Args:
        wanted: Seconds from its beginning to that of the next one.
        took: Seconds that it took.
    """
    return max(LEAST, wanted - took)


def patience(failures: int, *, most: float = LONGEST) -> float:
    """Seconds until one pull request is looked at again that failed so often: each time may cost a download.

    Args:
        failures: How often in a row.
        most: No more than these.
    """
    return min(retries.FIRST * 2.0 ** min(failures - 1, _DOUBLINGS), most)
