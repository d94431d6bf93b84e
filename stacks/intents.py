"""Takes what users ask for from the index (start, stop), has it done, and ends it.

What was taken and is not ended is taken again by the next runner, unless something else was asked for
since. So the index is told until it knows: a start that stayed taken would come back days later, and
until then whoever asks for one would only join it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from stacks.board import Board
from stacks.demand import Demand
from stacks.errors import NotLeadingError, StacksError
from stacks.steps import Result
from state_index.models import Intent
from telemetry import context
from telemetry.logs import get_logger

POLL = 1.0
"""Seconds between two looks for intents when no nudge comes: a nudge may be lost."""

AGAIN = 1.0
"""Seconds until the index is told once more how an intent ended."""

_log = get_logger(__name__)

Submit = Callable[[str, Demand], Awaitable[Result]]
"""Has the workspace of an id brought to what is demanded; gives how it ended."""


class Intents:
    """The runner's intents."""

    def __init__(self, board: Board, submit: Submit, group: asyncio.TaskGroup) -> None:
        """Prepare.

        Args:
            board: The way to the index.
            submit: Does the work.
            group: Holds the running work.
        """
        self._board = board
        self._submit = submit
        self._group = group
        self._running: dict[str, asyncio.Task[None]] = {}
        self._unsure = False
        self._telling = asyncio.Lock()

    async def keep(self, nudged: asyncio.Event) -> None:
        """Take intents whenever there are some; ends never.

        Args:
            nudged: Set when somebody asked for something.
        """
        while True:
            nudged.clear()
            await self.look()
            try:
                async with asyncio.timeout(POLL):
                    await nudged.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Take what is open, and begin with it; an index that can't be used is asked again later."""
        try:
            taken = await self._take()
        except StacksError as error:
            _log.warning("intents not read", message=error.message)
            return
        for intent in taken:
            task = self._group.create_task(self._serve(intent))
            self._running[intent.id] = task
            task.add_done_callback(partial(self._ended, intent.id))

    def _ended(self, intent_id: str, _: asyncio.Task[None]) -> None:
        self._running.pop(intent_id, None)

    async def _take(self) -> list[Intent]:
        if self._unsure:
            # Of ours those that nobody works on: the answer to taking them was lost.
            await self._board.reopen(but=list(self._running))
        self._unsure = True
        taken = await self._board.take_intents()
        self._unsure = False
        return taken

    async def _serve(self, intent: Intent) -> None:
        with context.bind(request_id=intent.request_id, operation=intent.id):
            result = await self._submit(intent.workspace_id, demanded(intent))
            # One at a time: each that the index does not take waits for it in a thread.
            async with self._telling:
                await self._finish(intent, failure_of(intent, result))

    async def _finish(self, intent: Intent, failure: str) -> None:
        while True:
            try:
                await self._board.finish(intent.id, failure)
            except NotLeadingError:
                return  # the next runner takes it again
            except StacksError as error:
                _log.warning("intent not ended", message=error.message)
                await asyncio.sleep(AGAIN)
            else:
                return


def demanded(intent: Intent) -> Demand:
    """Give what an intent demands of its workspace."""
    return Demand(
        cause=f"{intent.actor} asked to {intent.kind} it",
        request_id=intent.request_id,
        actor=intent.actor,
        asked=intent.kind == "start",
    )


def failure_of(intent: Intent, result: Result) -> str:
    """Tell why an intent is not fulfilled; "" when it is, or nobody could read whether it is."""
    wanted = "RUNNING" if intent.kind == "start" else "WARM"
    is_as_wanted = result.phase in {wanted, ""}  # "": it could not be read afterwards
    return result.message or ("" if is_as_wanted else f"it is {result.phase}")
