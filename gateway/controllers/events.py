"""`/api/v1/events`: what changes, as server-sent events. One stream per page is meant."""

from collections.abc import AsyncIterator
from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from litestar.response import Stream

from gateway.controllers.common import (
    AnyRequest,
    owner_asked_for,
    seen_workspace,
    services_of,
    visitor_of,
)
from gateway.controllers.workspaces import Everybody
from gateway.errors import ThrottledError
from gateway.feed import Interest
from gateway.live import Ended
from gateway.proxy.seams import Visitor
from gateway.services import Services

STREAMS_MAX = 64
"""Streams and tunnels that one session may have open before it gets no further stream."""

_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


@get("/events", summary="Follow workspaces", tags=["workspaces"], media_type="text/event-stream")
async def events(
    request: AnyRequest,
    all: Everybody = False,  # noqa: A002 - the name in the URL
    workspace: Annotated[str, QueryParameter(description="Only this workspace.")] = "",
) -> Stream:
    """Stream `workspace` (as in the API), `gone` ({id}) and `counts` ({words}) events.

    A stream begins with what is so now, so nothing is lost by reconnecting.
    """
    visitor = visitor_of(request)
    services = services_of(request)
    owner = owner_asked_for(request, everybody=all)
    if services.live.count(visitor.session) >= STREAMS_MAX:
        raise ThrottledError("This session has too many streams open.")
    if workspace:
        owner = (await seen_workspace(request, workspace)).owner
    interest = Interest(owner, workspace or None)
    return Stream(
        _stream(services, visitor, interest), media_type="text/event-stream", headers=_HEADERS
    )


async def _stream(services: Services, visitor: Visitor, interest: Interest) -> AsyncIterator[bytes]:
    over: list[Ended] = []

    def close(reason: Ended) -> None:
        over.append(reason)
        services.feed.wake()

    with services.live.held(visitor.session, close):
        async for chunk in services.feed.stream(interest, ended=lambda: bool(over)):
            yield chunk
