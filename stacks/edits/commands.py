"""What `Runner` does with files; the same calls to a daemon are in `calls`."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from settings.model import RunnerSettings
from stacks.board import Board, translated
from stacks.edits import drafts, pulls
from stacks.edits.branch import Branch, Ways
from stacks.edits.branch_files import Origins
from stacks.edits.desk import Desk
from stacks.edits.folder import Folder
from stacks.edits.model import FileView, Outcome, Place, Template
from stacks.errors import EditPendingError, NoVersionError, UnknownWorkspaceError, from_json
from stacks.fence import Fence
from stacks.git.mirror import Mirror
from stacks.git.remote import Remote
from stacks.operator import check_id
from state_index.edits import Edit, Edits
from state_index.errors import EditsManyError, EditWaitsError
from state_index.nudge import Nudge
from state_index.repository import LISTENER
from telemetry import context


class EditCommands:
    """Part of `Runner`: what it opens is set there."""

    settings: RunnerSettings
    board: Board
    desk: Desk
    _daemon: bool
    _exclusive: bool
    _edits: Edits
    _files: Place

    def _open_edits(
        self,
        edits: Edits,
        fence: Fence,
        group: asyncio.TaskGroup,
        exits: AsyncExitStack,
        *,
        origins: Origins,
    ) -> None:
        self._edits = edits
        # Whoever did not take the seat leaves alone what another may have under way there.
        if self._exclusive and self.settings.repo is not None:
            drafts.sweep(self.settings.paths.edits)
        self._files = place_of(self.settings, self.board, fence, origins=origins)
        self.desk = Desk(edits, self._files, group)
        exits.push_async_callback(self.desk.close)

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
                return self._edits.ask(
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


def place_of(
    settings: RunnerSettings, board: Board, fence: Fence, *, origins: Origins = dict
) -> Place:
    """Give where the files of the settings are: a branch where a repository is named, else a folder."""
    if settings.repo is None:
        return Folder(settings.workspaces, mode=settings.repo_edits, fence=fence, origins=origins)
    remote, paths = Remote.of(settings), settings.paths

    def ask() -> None:
        with translated():
            board.repository.ask()
        Nudge(paths.nudge).send(LISTENER)

    async def pushed() -> None:
        await asyncio.to_thread(ask)

    ways = Ways(
        mode=settings.repo_edits,
        domain=settings.repo_author_domain,
        path=settings.repo_path,
        timeout=settings.repo_timeout,
        drafts=paths.edits,
        pulls=pulls.of_settings(settings),
        origins=origins,
    )
    mirror = Mirror(paths.mirror, remote, timeout=settings.repo_timeout)
    return Branch(mirror, remote, ways, fence=fence, pushed=pushed)
