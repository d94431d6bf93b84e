"""Says whether this runner may act now: until when the lease is surely its own, by its own clock.

The index refuses what a former leader writes. What is done outside of the index, no transaction
fences: each step on the engine asks here right before, and each running operation is told how long
the right lasts, so that it ends itself when the heartbeat stops. Nothing here reads the lease.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from stacks.errors import NotLeadingError


class Fence:
    """The right to act, which ends by itself.

    Args:
        clock: a monotonic clock in seconds that all processes of this machine share; a seam for
            tests.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
        self._closed = False
        self._listeners: list[Callable[[float], None]] = []

    @classmethod
    def always(cls) -> Self:
        """A right that never ends: for an engine room of its own, in tests and benchmarks."""
        fence = cls()
        fence.extend(math.inf)
        return fence

    @property
    def until(self) -> float:
        """When the right ends, in seconds of the monotonic clock; 0 when there is none."""
        return self._until

    @property
    def is_open(self) -> bool:
        """Whether this runner may act now."""
        return self._clock() < self._until

    def extend(self, until: float) -> None:
        """Let it last until then; without effect once it was closed."""
        if not self._closed:
            self._until = until
            self._tell()

    def close(self) -> None:
        """End it now and for good, and all operations that run under it."""
        self._closed, self._until = True, 0.0
        self._tell()

    def check(self, step: str = "") -> None:
        """Refuse to act without the right to; call it right before what can't be undone.

        Raises:
            NotLeadingError: It has ended.
        """
        if not self.is_open:
            raise NotLeadingError("the lease is not held, so nothing is done", step=step)

    @contextmanager
    def telling(self, listener: Callable[[float], None]) -> Iterator[None]:
        """Tell a listener each new end of the right while the block runs, in the event loop."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener(self._until)
