"""How soon to look again: pure, told what was seen.

Signs (see `signs`) are trusted once one came with a change, and no longer when a change came
without one: then looks are as frequent as a change must be fast. So nothing rests on what a file
system promises, and an index whose writers never tell costs time on a processor, not on a route.
"""

from typing import Final

AFTER_SIGN: Final = (0.002, 0.01, 0.05, 0.2)
"""Seconds between the looks after a sign: it comes before the commit that it tells of is visible."""


class Pace:
    """Paces the looks of one watcher.

    Args:
        often: seconds between looks while signs are not proven.
        seldom: the same once they are.
    """

    def __init__(self, *, often: float, seldom: float) -> None:
        self._often = often
        self._seldom = seldom
        self._proven = False
        self._told = False
        self._looks = len(AFTER_SIGN)

    def sign(self) -> None:
        """A sign came."""
        self._told = True
        self._looks = 0

    def change(self) -> None:
        """A look found a change; signs that came before it were read before this is called."""
        # Of two commits whose signs came together, the second may be seen a look later.
        self._proven = self._told or self._looks < len(AFTER_SIGN)
        self._told = False

    def lost(self) -> None:
        """No more signs will come."""
        self._proven = False

    def pause(self) -> float:
        """Seconds until the next look."""
        if self._looks < len(AFTER_SIGN):
            self._looks += 1
            return min(AFTER_SIGN[self._looks - 1], self._usual)
        return self._usual

    @property
    def _usual(self) -> float:
        return self._seldom if self._proven else self._often
