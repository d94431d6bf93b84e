"""Takes edits from the index, has them made one after the other, tries again, and ends them.

Who asks for many waits for themselves: between two of one user, one of each other user is made.

What passes by itself (a repository that does not answer) is tried again for about a minute, then the
edit has failed: whoever asked is waiting, and their text is theirs still. An edit that was taken and
not ended is taken again by the next runner; whether it was made by then, its place finds out.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from stacks import retries
from stacks.board import translated
from stacks.edits import decide
from stacks.edits.model import Outcome, Place
from stacks.errors import (
    NotLeadingError,
    PublishFailedError,
    StacksError,
    TemporaryError,
)
from stacks.turns import Slots
from state_index.edits import Edit, Edits
from state_index.nudge import listen
from telemetry import context
from telemetry.logs import get_logger

LISTENER = "runner-edits"
"""Whoever nudges the runner reaches this name too."""

POLL = 1.0
"""Seconds between two looks for edits when no nudge comes: a nudge may be lost."""

TRIES = 6
"""Attempts of what passes by itself: about a minute, with the pauses between them."""

AGAIN = 1.0
"""Seconds until the index is told once more how an edit ended."""

LONGEST = 60.0
"""Seconds that a forge may ask for between two attempts."""

ENDED = frozenset({"done", "failed"})

BUG = "EDIT_FAILED"

_BUG_TOLD = "the edit met a bug in CodeHub: see the runner's log"
_UNTOLD = {"commit": "", "url": "", "code": BUG, "error": _BUG_TOLD}

_log = get_logger(__name__)


def _pause(failures: int, least: float) -> float:
    chance = random.random()  # noqa: S311 - spreads load only
    return retries.backoff(failures, chance=chance, least=min(least, LONGEST))


class Desk:
    """The runner's edits."""

    def __init__(
        self,
        edits: Edits,
        place: Place,
        group: asyncio.TaskGroup,
        *,
        pause: Callable[[int, float], float] = _pause,
    ) -> None:
        """Prepare.

        Args:
            edits: The index's edits.
            place: Makes them.
            group: Holds the running work.
            pause: Seconds after so many failures, by what the last one asks for: a seam for tests.
        """
        self._pause = pause
        self._edits = edits
        self._place = place
        self._group = group
        self._turn = Slots(1)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._taking = asyncio.Lock()
        self._unsure = False

    async def reopen(self) -> None:
        """Open again what a former runner took and did not end.

        Raises:
            PublishFailedError: The index did not take it.
        """
        with translated():
            await asyncio.to_thread(self._edits.reopen)

    async def keep(self, nudges: Path) -> None:
        """Take edits whenever there are some; ends never.

        Args:
            nudges: Folder of the sockets by which it is nudged.
        """
        async with listen(nudges, LISTENER) as nudged:
            while True:
                nudged.clear()
                await self._look()
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL):
                        await nudged.wait()

    async def settled(self, edit: Edit) -> Edit:
        """Have an edit made now, and give it as it ended.

        Raises:
            PublishFailedError: The index can't be used.
            NotLeadingError: Another runner leads by now, and goes on with it.
        """
        with translated():
            while True:
                await self._take()
                # One that a daemon's own look took just before is under way, too.
                task = self._running.get(edit.id)
                if task is not None:
                    await asyncio.wait([task])
                found = await asyncio.to_thread(self._edits.get, edit.id)
                if found is None or found.status in ENDED:
                    return found or edit
                if task is not None:
                    raise NotLeadingError("another runner leads by now", step="edit")
                await asyncio.sleep(POLL)

    async def close(self) -> None:
        """Cancel what is under way, and return when it has ended."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self) -> None:
        try:
            with translated():
                await self._take()
        except NotLeadingError:
            raise
        except StacksError as error:
            _log.warning("edits not read", message=error.message)

    async def _take(self) -> None:
        async with self._taking:
            if self._unsure:
                # Of ours those that nobody works on: the answer to taking them was lost.
                await asyncio.to_thread(self._edits.reopen, but=list(self._running))
            self._unsure = True
            taken = await asyncio.to_thread(self._edits.take)
            self._unsure = False
            for edit in taken:
                task = self._group.create_task(self._serve(edit))
                self._running[edit.id] = task
                task.add_done_callback(partial(self._ended, edit.id))

    def _ended(self, edit_id: str, _: asyncio.Task[None]) -> None:
        self._running.pop(edit_id, None)

    async def _serve(self, edit: Edit) -> None:
        bound = {"request_id": edit.request_id, "operation": edit.id}
        with context.bind(**bound, workspace=edit.workspace_id):
            try:
                outcome = await self._made(edit)
            except NotLeadingError:
                return  # the next one takes it again
            except StacksError as error:
                _log.warning("edit failed", reason=error.reason, message=error.message)
                await self._finish(edit, Outcome(), code=error.reason, error=error.told)
            except Exception as error:  # noqa: BLE001 - one edit must not end the runner, again and again
                _log.error("unexpected", exc_info=error)
                await self._finish(edit, Outcome(), code=BUG, error=_BUG_TOLD)
            else:
                _log.info("edited", action=edit.action, commit=outcome.commit, url=outcome.url)
                await self._finish(edit, outcome)

    async def _made(self, edit: Edit) -> Outcome:
        decide.check_asked(edit)
        failures = 0
        while True:
            try:
                async with self._turn.taken(edit.actor):
                    return await self._place.make(edit)
            except NotLeadingError:
                raise
            except TemporaryError as error:
                failures += 1
                if failures >= TRIES:
                    raise
                _log.warning("edit is tried again", reason=error.reason, message=error.message)
                pause = self._pause(failures, error.delay or 0.0)
            await asyncio.sleep(pause)

    async def _finish(
        self, edit: Edit, outcome: Outcome, *, code: str = "", error: str = ""
    ) -> None:
        """Say how it ended, until the index takes it; what can't be said at all ends nobody else's."""
        said = {"commit": outcome.commit, "url": outcome.url, "code": code, "error": error}
        while True:
            try:
                with translated():
                    await asyncio.to_thread(partial(self._edits.finish, edit.id, **said))
            except NotLeadingError:
                return
            except PublishFailedError as failed:
                _log.warning("edit not ended", message=failed.message)
                await asyncio.sleep(AGAIN)
            except Exception as bug:  # noqa: BLE001 - as above
                _log.error("unexpected", exc_info=bug)
                if said == _UNTOLD:
                    return
                said = _UNTOLD
            else:
                return
