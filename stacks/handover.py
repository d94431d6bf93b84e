"""Hands a home over from what a workspace was before it was renamed. The steps; nothing is decided.

What had the home goes first, each in its own place in the queue: container, stack and row. Pulumi
then knows the home no more, and the new workspace's stack takes it over by import. Cut off at any
point, the next look finds what is left and goes on: the file says all that is to be known.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from stacks.board import Board, Context
from stacks.errors import HandOverError
from stacks.planned import GONE, Change
from stacks.power import Power
from stacks.steps import Result
from state_index.models import Changes

Retire = Callable[[str, str, Context], Awaitable[Result]]
"""Has a workspace (the first id) make room for its heir (the second), and tells how that ended."""

Step = Callable[[Change, Context], Awaitable[None]]
Forget = Callable[[str], Awaitable[None]]


class Handover:
    """The steps on both sides of a rename."""

    def __init__(self, *, board: Board, power: Power, forget: Forget, grace: float) -> None:
        """Prepare; `retire` is set by the queue.

        Args:
            board: Where things are published.
            power: The container engine.
            forget: Lets Pulumi forget a stack.
            grace: Seconds that a container gets to end.
        """
        self._board = board
        self._power = power
        self._forget = forget
        self._grace = grace
        self.retire: Retire | None = None

    async def take(self, change: Change, why: Context) -> None:
        """Have all go that had the home before; nothing where there is none.

        Raises:
            HandOverError: Something is still there.
        """
        for former in sorted(change.retires):
            assert self.retire is not None, "the queue sets it"
            told = Changes(step=f"taking over from {former}")
            if change.action.needs_pulumi:
                await self._board.say(change.id, why, changes=told)
            result = await self.retire(former, change.id, why)
            if not result.ok:
                raise HandOverError(
                    f"{former}, which {change.id} was, is still there: {result.message}",
                    step=f"taking over from {former}",
                )

    async def switch(self, change: Change) -> None:
        """Let Pulumi forget a home that is another one by now: it refuses to replace one."""
        recorded = change.known.recorded
        if change.inputs is not None and recorded and change.inputs.volume not in recorded:
            await self._forget(change.id)

    async def give(self, change: Change, why: Context, *, delete: Step) -> None:
        """Make room for the heir: all of a workspace goes but its home, and its history.

        Args:
            change: The workspace that was renamed.
            why: For the index.
            delete: Removes its container and what else its stack holds.
        """
        if change.known.phase not in GONE:
            await delete(change, why)
        elif change.known.container is not None:
            await self._power.stop(change.id, grace=self._grace)
            await self._power.remove_container(change.known.container.id)
        # A volume from before there were trees' ids is known as ours by its stack's state alone.
        if all(home.tree for home in change.known.homes):
            await self._forget(change.id)
        why = replace(why, cause=f"{why.cause}; {change.reason}")
        await self._board.forget(change.id, why.cause)
