"""How many costly things somebody may have under way at once. No queue: who is over it comes again."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gateway.errors import ThrottledError

RETRY_SECONDS: Final = 2
"""What `Retry-After` says: long enough for most of what holds a place to be over."""


class Places:
    """Places of each user. All calls come from the event loop's thread."""

    def __init__(self, limit: int, *, message: str) -> None:
        """Begin with every place free.

        Args:
            limit: How many places each user has.
            message: What somebody is told who has taken them all.
        """
        self._limit = limit
        self._message = message
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, user: str) -> Iterator[None]:
        """Hold one of the user's places while the block runs.

        By user and not by session, since one may log in as often as one likes.

        Raises:
            ThrottledError: There is none left.
        """
        if self._taken[user] >= self._limit:
            raise ThrottledError(
                self._message,
                details={"seconds": RETRY_SECONDS},
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        self._taken[user] += 1
        try:
            yield
        finally:
            self._taken[user] -= 1
            if not self._taken[user]:
                del self._taken[user]
