"""Slows down guessing of passwords without locking anybody out. Pure but for its memory.

Two token buckets count failures: one per account and address, one per address over all accounts
(ten times as large). A victim's own address is never touched by somebody else's failures, so an
account can't be locked from outside. Memory is bounded: the longest unused buckets go first.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

_SPRAY_FACTOR = 10
_V6_SUBSCRIBER_BITS = 64
_ACCOUNT_MAX = 64


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class LoginThrottle:
    """Decides whether one more attempt may be tried now."""

    def __init__(
        self, *, attempts: int, window: float, now: Callable[[], float], capacity: int = 10_000
    ) -> None:
        """Make a throttle without memory of any failure.

        Args:
            attempts: Failures in a row that one account may have from one address.
            window: Seconds after which all of them are forgiven; one at a time before that.
            now: A clock in seconds that does not go backwards.
            capacity: How many buckets are remembered.
        """
        self._attempts = attempts
        self._window = window
        self._now = now
        self._capacity = capacity
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def attempt(self, account: str, address: str) -> int:
        """Take one attempt, before the password is looked at, so that parallel ones count too.

        Returns:
            0 when the attempt may be made, else the seconds to wait; a refused one is not counted.
        """
        keys = self._keys(account, address)
        wait = max(self._wait(key, size) for key, size in keys)
        if wait <= 0:
            for key, size in keys:
                self._add(key, size, -1)
        return math.ceil(round(wait, 3))  # not a second more for the last bit of a float

    def succeeded(self, account: str, address: str) -> None:
        """Forgive the account's failures from this address, and give the attempt back."""
        (key, _), (spray_key, spray_size) = self._keys(account, address)
        self._buckets.pop(key, None)
        self._add(spray_key, spray_size, 1)

    def _add(self, key: tuple[str, str], size: int, tokens: int) -> None:
        bucket = self._filled(key, size)
        bucket.tokens = min(float(size), bucket.tokens + tokens)
        self._buckets[key] = bucket
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._capacity:
            self._buckets.popitem(last=False)

    def _keys(self, account: str, address: str) -> list[tuple[tuple[str, str], int]]:
        subscriber = _subscriber(address)
        # No account has a name that long: without an end, ten thousand of them fill the memory.
        return [
            ((account[:_ACCOUNT_MAX], subscriber), self._attempts),
            (("", subscriber), self._attempts * _SPRAY_FACTOR),
        ]

    def _wait(self, key: tuple[str, str], size: int) -> float:
        missing = 1 - self._filled(key, size).tokens
        return max(0.0, missing) * self._window / size

    def _filled(self, key: tuple[str, str], size: int) -> _Bucket:
        now = self._now()
        bucket = self._buckets.get(key)
        if bucket is None:
            return _Bucket(float(size), now)
        gained = (now - bucket.at) * size / self._window
        return _Bucket(min(float(size), bucket.tokens + gained), now)


def _subscriber(address: str) -> str:
    """Return what one visitor can't change at will: an IPv4 address or an IPv6 /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, _V6_SUBSCRIBER_BITS), strict=False))
