"""What a watcher looks by: a cheap way to see that another connection committed."""

from collections.abc import Callable
from dataclasses import dataclass

from state_index.signs import Signs


@dataclass(frozen=True, slots=True)
class Probe:
    """Sees that another connection committed.

    Attributes:
        look: gives a number that is another one then; takes microseconds.
        fileno: what becomes readable then; None where one has to look again and again.
        close: closes its connection.
        signs: on SQLite, what tells that it may be worth a look.
    """

    look: Callable[[], int]
    fileno: Callable[[], int | None]
    close: Callable[[], None]
    signs: Signs | None = None
