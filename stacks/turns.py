"""Who gets the next free slot for a Pulumi operation: fair between owners.

A slot goes to the owner who holds the fewest; among those, to the one whose last turn is longest
ago; and of one owner's, to who came first. So whoever changes fifty workspaces at once waits for
himself: another's one change is next.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A place in the line.

    Attributes:
        number: Grows with each that comes.
        owner: Whose work it is; "" for what is everybody's.
    """

    number: int
    owner: str


def next_turn(
    waiting: Iterable[Turn], *, held: Mapping[str, int], served: Mapping[str, int]
) -> Turn | None:
    """Tell whose turn it is; None when nobody waits. Pure.

    Args:
        waiting: Who waits, in any order.
        held: How many slots each owner holds now.
        served: When each owner last got one: a number that grows with each slot given.
    """
    return min(
        waiting,
        key=lambda turn: (held.get(turn.owner, 0), served.get(turn.owner, -1), turn.number),
        default=None,
    )


class Slots:
    """So many slots, given by `next_turn`. For one event loop."""

    def __init__(self, count: int) -> None:
        """Prepare.

        Args:
            count: How many there are.
        """
        self._free = count
        self._held: Counter[str] = Counter()
        self._served: dict[str, int] = {}
        self._waiting: dict[Turn, asyncio.Future[None]] = {}
        self._came = 0
        self._given = 0

    @asynccontextmanager
    async def taken(self, owner: str) -> AsyncIterator[None]:
        """Hold a slot for a block; waits until it is this one's turn."""
        await self._take(owner)
        try:
            yield
        finally:
            self._give_back(owner)

    async def _take(self, owner: str) -> None:
        self._came += 1
        turn = Turn(number=self._came, owner=owner)
        granted = self._waiting[turn] = asyncio.get_running_loop().create_future()
        self._grant()
        try:
            await granted
        except asyncio.CancelledError:
            if self._waiting.pop(turn, None) is None:
                self._give_back(owner)  # cancelled between its grant and its wake-up
            raise

    def _give_back(self, owner: str) -> None:
        self._free += 1
        self._held[owner] -= 1
        if not self._held[owner]:
            del self._held[owner]
        self._grant()

    def _grant(self) -> None:
        while self._free:
            turn = next_turn(self._waiting, held=self._held, served=self._served)
            if turn is None:
                return
            self._free -= 1
            self._given += 1
            self._held[turn.owner] += 1
            self._served[turn.owner] = self._given
            self._waiting.pop(turn).set_result(None)
