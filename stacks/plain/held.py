"""Holds the data tree and says what one workspace is to look like, for a Pulumi run by hand.

A Pulumi program is no coroutine, and its runner has a loop of its own: so the runner lives in a
thread as long as it is held.
"""

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Self

from settings.model import RunnerSettings
from stacks.errors import UnknownWorkspaceError
from stacks.operator import check_id, no_workspace
from stacks.planned import Wish
from stacks.programs.inputs import WorkspaceInputs
from stacks.ruling import image_refusal
from stacks.runner import Runner
from stacks.telling import cause_of


class Held:
    """One workspace's inputs, and the seat of the data tree. Use it in a ``with`` block."""

    def __init__(self, settings: RunnerSettings, workspace_id: str) -> None:
        """Prepare.

        Args:
            settings: Which data tree and which files.
            workspace_id: The workspace; its stack has the same name.
        """
        self._settings = settings
        self._id = workspace_id
        self._found: Future[WorkspaceInputs] = Future()
        self._thread = threading.Thread(target=self._run, name="held", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()
        self.lost = threading.Event()
        """Set once the seat is not held any more: nothing may be done on the stack from then on."""

    @property
    def inputs(self) -> WorkspaceInputs:
        """What to render."""
        return self._found.result()

    def __enter__(self) -> Self:
        """Take the seat and plan.

        Raises:
            StacksError: Somebody else has the seat, there is no such workspace or no valid file of
                it, or its home stands in the way.
        """
        check_id(self._id)
        self._thread.start()
        try:
            self._found.result()
        except BaseException:
            self._thread.join()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the seat back."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: it ended by itself
                self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._hold())
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the inputs
            if not self._found.done():
                self._found.set_exception(cause_of(error))
        finally:
            self.lost.set()

    async def _hold(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with Runner(self._settings) as runner:
            self._found.set_result(await inputs_of(runner, self._id))
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch(runner.lost))
                await self._over.wait()
                watching.cancel()

    async def _watch(self, lost: asyncio.Event) -> None:
        await lost.wait()
        self.lost.set()


async def inputs_of(runner: Runner, workspace_id: str) -> WorkspaceInputs:
    """Give what a workspace's file asks for, as `up` would render it.

    Raises:
        StacksError: There is no such workspace, or nothing may be rendered for it now.
    """
    await runner.read()
    changes = await runner.queue.look(Wish(force=True, heal=True))
    change = changes.get(workspace_id)
    if change is None:
        raise no_workspace(workspace_id)
    refusal = change.error or change.refusal or image_refusal(change)
    if refusal is not None:
        raise refusal
    if change.inputs is None:
        told = f"there is nothing to render for {workspace_id}: {change.reason}"
        raise UnknownWorkspaceError(told, remedy="`codehub validate` says what is wrong with it.")
    return change.inputs
