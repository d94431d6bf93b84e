"""Workspace files as the runner tells of them on its socket; see `gateway.files` for the seam."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from gateway.errors import NotFoundError, RunnerUnavailableError
from gateway.files import FileSeen, Template
from gateway.runner import RunnerClient

T = TypeVar("T")


class RunnerFiles:
    """What the runner's socket says of files; a `Files`."""

    def __init__(self, runner: RunnerClient) -> None:
        self._runner = runner

    async def file(self, workspace_id: str, *, at: str = "", request_id: str) -> FileSeen:
        """Return a workspace's file; see `Files`."""
        try:
            told = await self._runner.file(workspace_id, at=at, request_id=request_id)
        except NotFoundError:
            if at:
                raise
            return FileSeen(id=workspace_id, text=None)
        return _taken(told, lambda found: _seen(workspace_id, found))

    async def reasons(self, ids: Sequence[str], *, request_id: str) -> Mapping[str, str]:
        """Return why files can't be changed here; see `Files`."""
        told = await self._runner.reasons(ids, request_id=request_id)
        return _taken(told, lambda found: {id_: str(found[id_]) for id_ in ids if id_ in found})

    async def templates(self, *, request_id: str) -> Sequence[Template]:
        """Return what new workspaces may begin with; see `Files`."""
        told = await self._runner.templates(request_id=request_id)
        return _taken(
            told, lambda found: [Template(str(one["name"]), str(one["text"])) for one in found]
        )


def _seen(workspace_id: str, told: Any) -> FileSeen:
    return FileSeen(
        id=workspace_id,
        text=str(told["text"]),
        revision=str(told["revision"]),
        commit=str(told["commit"]),
        path=str(told["path"]),
        owner=str(told["owner"]),
        editable=bool(told["editable"]),
        reason=str(told["reason"]),
    )


def _taken(told: Any, take: Callable[[Any], T]) -> T:
    """Take what the runner said apart; another version of it may say something else."""
    try:
        return take(told)
    except (KeyError, TypeError) as error:
        told = "The runner is of another version: it says too little of the file."
        raise RunnerUnavailableError(told) from error
