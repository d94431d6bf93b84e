"""Which deliveries were there before: replays are refused. Pure, and bounded.

It remembers a delivery's id and what its body was: on GitHub and Gitea the id is in a header that the
signature does not cover, so that a replay may come under a new one. It lives as long as its process;
what keeps it over a restart is the store of who uses it, by `known` and what `admit` gives back.
"""

from collections import OrderedDict
from collections.abc import Iterable

from forges.errors import ReplayError
from forges.webhooks import Delivery

MOST = 10_000


class Deliveries:
    """The newest deliveries."""

    def __init__(self, known: Iterable[str] = (), *, most: int = MOST) -> None:
        """Begin with what is known.

        Args:
            known: marks that `admit` gave before, oldest first.
            most: how many marks are kept; a delivery has two.
        """
        self._most = most
        self._marks: OrderedDict[str, None] = OrderedDict()
        self._keep(known)

    def __len__(self) -> int:
        return len(self._marks)

    def admit(self, delivery: Delivery) -> tuple[str, str]:
        """Take a delivery that was not there before.

        Returns:
            Its marks, for a store.

        Raises:
            ReplayError: it was.
        """
        marks = marks_of(delivery)
        if any(mark in self._marks for mark in marks):
            raise ReplayError("the delivery was there before")
        self._keep(marks)
        return marks

    def forget(self, delivery: Delivery) -> None:
        """Let a delivery come again, because what it asked for could not be done."""
        for mark in marks_of(delivery):
            self._marks.pop(mark, None)

    def _keep(self, marks: Iterable[str]) -> None:
        for mark in marks:
            self._marks[mark] = None
        while len(self._marks) > self._most:
            self._marks.popitem(last=False)


def marks_of(delivery: Delivery) -> tuple[str, str]:
    """Give what a delivery is known by: its id, and what its body was."""
    return f"id:{delivery.id}", f"sha256:{delivery.fingerprint}"
