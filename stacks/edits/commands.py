"""What `Runner` does with files; the same calls to a daemon are in `calls`."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING

from stacks.board import translated
from stacks.edits.model import Outcome
from stacks.errors import EditPendingError, NoVersionError, UnknownWorkspaceError, from_json
from stacks.operator import check_id
from state_index.errors import EditsManyError, EditWaitsError
from telemetry import context

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AsyncExitStack

    from settings.model import RunnerSettings
    from stacks.board import Board
    from stacks.edits.desk import Desk
    from stacks.edits.model import FileView, Place, Template
    from stacks.fence import Fence
    from stacks.reconciler import Reconciler
    from state_index.edits import Edit


class EditCommands:
    """Part of `Runner`: what it opens is set there; what only edits need is loaded with the first one."""

    settings: RunnerSettings
    board: Board
    queue: Reconciler
    _daemon: bool
    _exclusive: bool
    _fence: Fence
    _group: asyncio.TaskGroup

    def _open_edits(self, exits: AsyncExitStack) -> None:
        # Whoever did not take the seat leaves alone what another may have under way there.
        if self._exclusive and self.settings.repo is not None:
            from stacks.edits import drafts  # noqa: PLC0415 - see the class

            drafts.sweep(self.settings.paths.edits)
        exits.push_async_callback(self._close_edits)

    async def _close_edits(self) -> None:
        if "desk" in self.__dict__:  # it was used
            await self.desk.close()

    @cached_property
    def desk(self) -> Desk:
        """Has edits made, one after the other."""
        from stacks.edits.desk import Desk  # noqa: PLC0415 - see the class

        return Desk(self.board.edits, self._files, self._group)

    @cached_property
    def _files(self) -> Place:
        from stacks.edits.open import place_of  # noqa: PLC0415 - see the class

        return place_of(
            self.settings, self.board, self._fence, origins=lambda: self.queue.snapshot.origins
        )

    async def file(self, workspace_id: str, *, at: str = "") -> FileView:
        """Read a workspace file; see `FileOperator`."""
        check_id(workspace_id)
        return await self._files.file(workspace_id, at=at)

    async def reasons(self, ids: Sequence[str]) -> dict[str, str]:
        """Say why files can't be edited; see `FileOperator`."""
        for id_ in ids:
            check_id(id_)
        return await self._files.reasons(ids)

    async def templates(self) -> list[Template]:
        """Give what files may begin with; see `FileOperator`."""
        return await self._files.templates()

    async def rollback(
        self,
        workspace_id: str,
        *,
        to: str,
        message: str = "",
        actor: str = "",
        request_id: str = "",
    ) -> Outcome:
        """Give a file the content that it had; see `FileOperator`."""
        check_id(workspace_id)
        await self._files.refresh()
        then, now = await self.file(workspace_id, at=to), await self._now(workspace_id)
        if not then.revision or (not then.text and then.reason):
            raise NoVersionError(f"the file of {workspace_id} was no text then")
        if then.revision == now:
            return Outcome()
        if not self._daemon:  # nobody else works on what a former runner left
            await self.desk.reopen()
        request = request_id or context.request_id()
        edit = await asyncio.to_thread(
            self._ask, then, now, actor, message or f"Back to {to}.", request
        )
        ended = await self.desk.settled(edit)
        if ended.status == "failed":
            raise from_json({"reason": ended.code, "message": ended.error})
        return Outcome(commit=ended.commit, url=ended.url)

    def _ask(self, then: FileView, now: str, actor: str, message: str, request_id: str) -> Edit:
        with translated():
            try:
                return self.board.edits.ask(
                    then.id,
                    "rollback",
                    actor=actor,
                    base=now,
                    text=then.text,
                    message=message,
                    admin=True,
                    request_id=request_id,
                )
            except (EditWaitsError, EditsManyError) as error:
                raise EditPendingError(str(error), step="edit") from None

    async def _now(self, workspace_id: str) -> str:
        try:
            return (await self.file(workspace_id)).revision
        except UnknownWorkspaceError:
            return ""
