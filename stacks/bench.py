"""Has plans judged by the files of owners and rules, by the day of a clock and what is published.

It decides nothing: `stacks.ruling` and `policies` do.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime

from policies.windows import Calendar
from stacks.board import Board
from stacks.plan import Known, Wish
from stacks.rulebook import Rulebook
from stacks.ruling import NO_RULES, Ruling, consider
from stacks.source import Snapshot
from state_index.models import Published

Clock = Callable[[], datetime]


class Bench:
    """The judge's place."""

    def __init__(self, board: Board, clock: Clock) -> None:
        """Prepare.

        Args:
            board: The index.
            clock: Says what day and time it is.
        """
        self._board = board
        self._clock = clock
        self._read = Snapshot()
        self._book = Rulebook.of(self._read)

    def for_all(
        self,
        wish: Wish,
        snapshot: Snapshot,
        rows: Mapping[str, Published],
        containers: Collection[str],
    ) -> tuple[Ruling, Wish]:
        """Give what the rules say, and the wish with what they let be tried again.

        Args:
            wish: What is asked beyond the files.
            snapshot: What the folder says.
            rows: What is published, by id.
            containers: Ids of workspaces that have a container.
        """
        now = self._clock().astimezone(UTC)
        if self._read is not snapshot:
            self._read, self._book = snapshot, Rulebook.of(snapshot)
        windows = self._book.policies.windows if self._book.policies and not wish.now else ()
        ruling = consider(
            self._book,
            snapshot,
            rows,
            containers,
            today=now.date(),
            prunes=wish.prune,
            calendar=Calendar(windows, now),
            shown=wish.shown,
        )
        return ruling, ruling.wish(wish, rows, snapshot)

    async def for_one(
        self, known: Known, wish: Wish, snapshot: Snapshot, listed: Collection[str]
    ) -> tuple[Ruling, Wish]:
        """The same for one workspace that was just looked at; all others count as they stand.

        Args:
            known: The workspace.
            wish: What is asked beyond the files.
            snapshot: What the folder says.
            listed: Ids of workspaces that had a container when all were looked at.
        """
        if not snapshot.rules.any:
            return Ruling(holds=snapshot.holds) if snapshot.holds else NO_RULES, wish
        rows = await self._board.rows()
        there = {*listed, known.id} if known.container else {*listed} - {known.id}
        return self.for_all(wish, snapshot, rows, there)
