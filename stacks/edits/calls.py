"""What `RunnerClient` asks of a daemon about files: the same as `commands` has."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import aiohttp

from stacks.calls import Calls
from stacks.edits.model import FileView, Outcome, Template
from stacks.reach import unreachable
from stacks.streams.model import Query


class FileCalls(Calls, Protocol):
    """Part of `RunnerClient`: how it calls is told there."""

    def _call(
        self, method: str, path: str, *, query: Query = ()
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Ask the daemon."""

    async def file(self, workspace_id: str, *, at: str = "") -> FileView:
        """Read a workspace file; see `FileOperator`."""
        query = [("at", at)] if at else []
        return FileView.from_json(await self._read(f"/v1/files/{workspace_id}", query))

    async def reasons(self, ids: Sequence[str]) -> dict[str, str]:
        """Say why files can't be edited; see `FileOperator`."""
        found: dict[str, str] = await self._read("/v1/files", [("id", id_) for id_ in ids])
        return found

    async def templates(self) -> list[Template]:
        """Give what files may begin with; see `FileOperator`."""
        return [Template(**one) for one in await self._read("/v1/templates")]

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
        options = {"to": to, "message": message, "actor": actor}
        told = await self.operate(
            "rollback", [workspace_id], options=options, request_id=request_id
        )
        return Outcome(**told)

    async def _read(self, path: str, query: Query = ()) -> Any:
        async with self._call("GET", path, query=query) as response:
            with unreachable():
                return await response.json()
