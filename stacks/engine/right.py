"""How long an operation may go on: as long as its runner holds the lease. In the worker's process."""

import threading
import time


class Right:
    """The right to go on, which ends by itself unless it is extended; any thread may use it.

    Args:
        until: when it ends, in seconds of this machine's monotonic clock, which the runner shares.
    """

    def __init__(self, until: float) -> None:
        self._until = until
        self._changed = threading.Condition()

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return time.monotonic() >= self._until

    def extend(self, until: float) -> None:
        """Let it end then; also earlier than before."""
        with self._changed:
            self._until = until
            self._changed.notify_all()

    def wait(self) -> None:
        """Return when it has ended."""
        with self._changed:
            while not self.is_over:
                left = self._until - time.monotonic()
                self._changed.wait(min(left, threading.TIMEOUT_MAX))
