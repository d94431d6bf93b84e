"""Takes changes of workspace files: checks them, and asks the runner to make them.

An edit is a row of the index; the runner decides further (who may edit whose file, by the files of
owners and rules) and writes. Here it is decided that the text is a right file, that it is the
visitor's own, and that it changes what the visitor saw: a file that changed meanwhile is never
overwritten, both are shown.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from gateway.conflicts import Conflict, conflict_of
from gateway.edit_checks import (
    TAKEN,
    Asker,
    comes_back,
    conflicting,
    file_name,
    former,
    invalid,
    is_revision,
    known_id,
    may_follow,
    may_see,
)
from gateway.errors import (
    EditConflictError,
    ForbiddenError,
    InvalidInputError,
    NotEditableError,
    NotFoundError,
    RequestError,
)
from gateway.files import Files, FileSeen, Template
from gateway.places import Places
from gateway.trail import OF_EDITS, Trail
from spec import InvalidSpecError, WorkspaceSpec, read_text
from spec.defaults import UNKNOWN
from spec.edit import patched
from state_index.edits import Edit, EditAction
from state_index.index import Index
from state_index.models import Published
from state_index.nudge import Nudge
from state_index.phases import Phase

T = TypeVar("T")

CHECKS: Final = 2
"""Texts of one user that are read at once, and of all users together: a large one takes a second."""

LOOKS: Final = 8
"""Questions of one user about files that the runner is asked at once; a browser sends about six."""

_LOOK_SECONDS: Final = 1.0
_LOOK_MOST: Final = 50


class Desk:
    """Where changes of files are handed in."""

    def __init__(
        self, index: Index, files: Files, nudge: Nudge, trail: Trail, *, hidden: bool
    ) -> None:
        self._index = index
        self._files = files
        self._nudge = nudge
        self._trail = trail
        self._hidden = hidden
        self._places = Places(CHECKS, message="You are checking too many files at once.")
        self._looks = Places(LOOKS, message="You are reading too many files at once.")
        self._readers = asyncio.Semaphore(CHECKS)

    async def file(self, workspace_id: str, asker: Asker) -> FileSeen:
        """Return a workspace's file, of which it is known already that the visitor may see it.

        Raises:
            NotFoundError: There is none.
            ForbiddenError: It names another owner by now.
        """
        seen = await self._look(workspace_id, asker)
        if seen.text is None:
            raise NotFoundError("There is no file of this workspace.")
        if seen.owner and not may_see(seen, asker):
            raise ForbiddenError("The file names another owner by now.")
        return seen

    async def templates(self, asker: Asker) -> list[Template]:
        """Return what new workspaces may begin with."""
        with self._looks.taken(asker.visitor.name):
            return list(await self._files.templates(request_id=asker.request_id))

    async def reading(self, asker: Asker, work: Callable[[], T]) -> T:
        """Run what reads a text off the event loop, a few at once.

        Raises:
            ThrottledError: The user has that many under way.
        """
        with self._places.taken(asker.visitor.name):
            async with self._readers:
                return await asyncio.to_thread(work)

    async def reasons(self, rows: Iterable[Published], asker: Asker) -> dict[str, str]:
        """Return why files can't be changed here, "" for those that can, by id.

        A runner that does not answer soon leaves out what is not known: pages must not wait for it.
        """
        mine = [row.id for row in rows if row.phase is not Phase.TOMBSTONED][:_LOOK_MOST]
        try:
            with self._looks.taken(asker.visitor.name):
                async with asyncio.timeout(_LOOK_SECONDS):
                    return dict(await self._files.reasons(mine, request_id=asker.request_id))
        except (RequestError, TimeoutError):
            return {}

    async def create(self, workspace_id: str, text: str, asker: Asker, message: str = "") -> Edit:
        """Ask for a new workspace.

        Raises:
            RequestError: The id, the text or the owner can't be, or the id is taken.
            EditWaitsError: It is just being made.
        """
        known_id(workspace_id)
        spec = await self._right(workspace_id, text, asker)
        if spec.owner != asker.visitor.name and not asker.visitor.admin:
            await self._refuse(workspace_id, asker, "A workspace that you make must be your own.")
        row = await asyncio.to_thread(self._index.workspace, workspace_id)
        if row is not None and not comes_back(row, spec.owner, asker.visitor):
            raise EditConflictError(TAKEN)
        await self._check_former(spec, None, asker)
        seen = await self._look(workspace_id, asker)
        if not seen.editable:
            raise NotEditableError(seen.reason)
        if seen.text is not None:
            raise EditConflictError(TAKEN)
        return await self._ask(workspace_id, "create", asker, base="", text=text, message=message)

    async def change(
        self, row: Published, text: str, asker: Asker, *, base: str, message: str = ""
    ) -> Edit:
        """Ask for a change of a file of which the visitor saw a revision.

        Raises:
            RequestError: The text or the owner can't be, or the file changed meanwhile.
            EditWaitsError: Another change is under way.
        """
        seen = await self.file(row.id, asker)
        if not seen.editable:
            raise NotEditableError(seen.reason)
        if seen.revision != base:
            raise conflicting(await self.conflict(seen, text, asker, base=base))
        if text == seen.text:
            raise InvalidInputError("Nothing changes: this is what the file says.")
        spec = await self._right(row.id, text, asker)
        if spec.owner not in {row.owner, asker.visitor.name} and not asker.visitor.admin:
            await self._refuse(row.id, asker, "Only admins give a workspace to somebody else.")
        await self._check_former(spec, seen.text, asker)
        return await self._ask(row.id, "change", asker, base=base, text=text, message=message)

    async def with_fields(
        self, workspace_id: str, fields: dict[str, Any], asker: Asker, *, base: str
    ) -> str:
        """Return what a merge patch makes of the revision of a file that the visitor saw.

        Raises:
            EditConflictError: The file changed, and what it was is not known any more.
            RequestError: There is no file, or the outcome would not be right.
        """
        seen = await self.file(workspace_id, asker)
        text = seen.text
        if seen.revision != base:
            text = await self._former(workspace_id, base, asker)
        if text is None:
            raise conflicting(Conflict(theirs=seen.text, revision=seen.revision, yours=""))
        return await self.patch(workspace_id, text, fields, asker)

    async def patch(
        self, workspace_id: str, text: str, fields: dict[str, Any], asker: Asker
    ) -> str:
        """Return what a merge patch makes of a text, raising InvalidFileError."""
        name = file_name(workspace_id)
        try:
            return await self.reading(
                asker, lambda: patched(text.encode(), fields, file=name).decode()
            )
        except InvalidSpecError as error:
            raise invalid(error.problems) from error

    async def delete(
        self, row: Published, asker: Asker, *, base: str | None = None, message: str = ""
    ) -> Edit:
        """Ask for the end of a workspace; with a revision, only if the file still is that.

        Raises:
            RequestError: There is no file, it may not be changed, or it changed meanwhile.
            EditWaitsError: Another change is under way.
        """
        seen = await self.file(row.id, asker)
        if not seen.editable:
            raise NotEditableError(seen.reason)
        if base is not None and base != seen.revision:
            raise conflicting(await self.conflict(seen, "", asker, base=base))
        return await self._ask(
            row.id, "delete", asker, base=seen.revision, text=None, message=message
        )

    async def conflict(self, seen: FileSeen, yours: str, asker: Asker, *, base: str) -> Conflict:
        """Compare what the visitor wants with what the file says now."""
        before = await self._former(seen.id, base, asker)
        name = file_name(seen.id)

        def compare() -> Conflict:
            return conflict_of(
                base=before, theirs=seen.text, revision=seen.revision, yours=yours, file=name
            )

        return await self.reading(asker, compare)

    async def _look(self, workspace_id: str, asker: Asker, *, at: str = "") -> FileSeen:
        """Ask the runner for a file; raises ThrottledError to who asks that much at once."""
        with self._looks.taken(asker.visitor.name):
            return await self._files.file(workspace_id, at=at, request_id=asker.request_id)

    async def _former(self, workspace_id: str, revision: str, asker: Asker) -> str | None:
        """Return what the file was at a revision that the client names; None when it must not be told.

        Whose it was then may differ from whose it is now.
        """
        if not is_revision(revision):
            return None
        try:
            seen = await self._look(workspace_id, asker, at=revision)
        except NotFoundError:
            return None  # it was never here, or is forgotten
        return seen.text if may_see(seen, asker) else None

    async def _right(self, workspace_id: str, text: str, asker: Asker) -> WorkspaceSpec:
        name = file_name(workspace_id)
        try:
            return await self.reading(
                asker, lambda: read_text(text.encode(), file=name, defaults=UNKNOWN)
            )
        except InvalidSpecError as error:
            raise invalid(error.problems) from error

    async def _check_former(self, spec: WorkspaceSpec, before: str | None, asker: Asker) -> None:
        """Let nobody name somebody else's workspace as a former one: it would give away its home."""
        formerly, visitor = spec.formerly, asker.visitor
        if formerly is None or visitor.admin:
            return
        if before and await self.reading(asker, lambda: former(before, spec.id)) == formerly:
            return
        hidden, rows = self._hidden, self._index.workspaces
        if not await asyncio.to_thread(lambda: may_follow(formerly, rows(), visitor.name, hidden)):
            await self._refuse(formerly, asker, "`formerly` must name a workspace of your own.")

    async def _refuse(self, workspace_id: str, asker: Asker, message: str) -> None:
        await self._trail.refused(
            user=asker.visitor.name,
            workspace=workspace_id,
            code=ForbiddenError.code,
            address=asker.address,
            request_id=asker.request_id,
        )
        raise ForbiddenError(message)

    async def _ask(
        self,
        workspace_id: str,
        action: EditAction,
        asker: Asker,
        *,
        base: str,
        text: str | None,
        message: str,
    ) -> Edit:
        edit = await asyncio.to_thread(
            self._index.edits.ask,
            workspace_id,
            action,
            actor=asker.visitor.name,
            base=base,
            text=text,
            message=message,
            admin=asker.visitor.admin,
            request_id=asker.request_id,
        )
        self._nudge.send("runner")
        await self._trail.add(
            OF_EDITS[action],
            user=asker.visitor.name,
            workspace=workspace_id,
            address=asker.address,
            request_id=asker.request_id,
            detail=edit.id,
        )
        return edit
