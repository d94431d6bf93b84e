"""`/api/v1/repository`: how far the followed repository's commit is applied."""

import asyncio

from litestar import get

from gateway.controllers.common import AnyRequest, services_of, visitor_of
from gateway.repository import RepositoryBody, body_of
from state_index.repository import Followed, Wishes


@get("/repository", summary="The repository", tags=("repository",))
async def repository(request: AnyRequest) -> RepositoryBody:
    """Give the git repository that is followed, and how far its commit is applied.

    For whoever is logged in; what names hosts, and other people's workspaces, is for admins.
    """
    return await repository_of(request)


async def repository_of(request: AnyRequest) -> RepositoryBody:
    """Read what the visitor is told."""
    visitor, index = visitor_of(request), services_of(request).index

    def read() -> tuple[Followed, Wishes, frozenset[str]]:
        followed, wishes = index.repository.followed(), index.repository.wishes()
        mine = followed.url and (followed.waiting or followed.failures) and not visitor.admin
        rows = index.workspaces(visitor.name) if mine else ()
        return followed, wishes, frozenset(row.id for row in rows)

    followed, wishes, own = await asyncio.to_thread(read)
    return body_of(followed, wishes, visitor=visitor, own=own)
