"""Reads a workspace's history: phases from the index, commits by way of the runner.

The runner has the repository's copy. That it can't be asked keeps nobody from the rest.
"""

import asyncio

from gateway.controllers.common import (
    AnyRequest,
    caught_up,
    request_id_of,
    services_of,
    visitor_of,
)
from gateway.errors import RunnerUnavailableError
from gateway.history import COMMITS_MAX, DIFFS_MAX, CommitBody, HistoryBody, PhaseBody
from gateway.runner import CommitTold
from state_index.models import Published


async def history_of(request: AnyRequest, row: Published, *, limit: int, diff: bool) -> HistoryBody:
    """Read the history of a workspace that the visitor may see.

    Args:
        request: Who asks.
        row: The workspace.
        limit: Most phases, and most commits as far as so many are told.
        diff: Whether commits come with their diff.

    Raises:
        ThrottledError: The visitor has too many such questions open.
    """
    index = services_of(request).index
    phases = await asyncio.to_thread(index.history, row.id, limit)
    await caught_up(request)
    told, error = await _commits(request, row.id, limit=limit, diff=diff)
    visitor = visitor_of(request)
    return HistoryBody(
        phases=[PhaseBody.of(each) for each in phases],
        commits=[CommitBody.of(each, visitor=visitor, owner=row.owner) for each in told],
        commits_error=error,
    )


async def _commits(
    request: AnyRequest, workspace_id: str, *, limit: int, diff: bool
) -> tuple[list[CommitTold], str]:
    services = services_of(request)
    followed = await asyncio.to_thread(services.index.repository.followed)
    if not followed.url:
        return [], ""
    most = min(limit, DIFFS_MAX if diff else COMMITS_MAX)
    with services.reading.taken(visitor_of(request).name):
        try:
            told = await services.runner.commits(
                workspace_id, limit=most, diff=diff, request_id=request_id_of(request)
            )
        except RunnerUnavailableError as error:
            return [], error.message
    return told, ""
