"""What several handlers need: who asks, from where, and whether a workspace is theirs."""

import asyncio
from typing import Any, Literal, NoReturn

from litestar import Request
from litestar.datastructures import ResponseHeader

from gateway.cookies import read_cookie
from gateway.edit_checks import Asker
from gateway.errors import ForbiddenError, HiddenError, NotFoundError, UnauthenticatedError
from gateway.fields import Fields, read_fields
from gateway.login import Caller
from gateway.proxy.seams import Visitor
from gateway.services import Services
from gateway.store import AuditEvent
from state_index.edits import Edit
from state_index.errors import IndexReplacedError, IndexUnavailableError, RequestRefusedError
from state_index.models import Intent, Published
from state_index.phases import Phase

AnyRequest = Request[Any, Any, Any]
Power = Literal["start", "stop"]

LOCATION = ResponseHeader(
    name="Location", description="Where the operation is followed.", documentation_only=True
)

_NO_WORKSPACE = "There is no such workspace."
_NO_OPERATION = "There is no such operation."
_EVENTS = {"start": AuditEvent.START, "stop": AuditEvent.STOP}


def services_of(request: AnyRequest) -> Services:
    """Return the process's services."""
    services: Services = request.app.state.services
    return services


def visitor_or_none(request: AnyRequest) -> Visitor | None:
    """Return who is logged in, if anybody."""
    visitor: Visitor | None = request.scope["state"]["visitor"]
    return visitor


def visitor_of(request: AnyRequest) -> Visitor:
    """Return who is logged in.

    Raises:
        UnauthenticatedError: Nobody is.
    """
    visitor = visitor_or_none(request)
    if visitor is None:
        raise UnauthenticatedError
    return visitor


def request_id_of(request: AnyRequest) -> str:
    """Return the request's id."""
    return str(request.scope["state"]["request_id"])


def caller_of(request: AnyRequest) -> Caller:
    """Return from where the request comes."""
    cookies = [value for name, value in request.scope["headers"] if name == b"cookie"]
    return Caller(
        address=request.scope["state"]["address"],
        user_agent=request.headers.get("user-agent", ""),
        token=read_cookie(cookies, https=services_of(request).https),
        request_id=request_id_of(request),
    )


def asker_of(request: AnyRequest) -> Asker:
    """Return who asks for a change of a file; raises UnauthenticatedError."""
    address: str = request.scope["state"]["address"]
    return Asker(visitor_of(request), address, request_id_of(request))


async def fields_of(request: AnyRequest) -> Fields:
    """Return what a page's form holds; raises InvalidInputError."""
    return read_fields(await request.body(), request.headers.get("content-type", ""))


async def own_workspace(request: AnyRequest, workspace_id: str) -> Published:
    """Return a workspace of the visitor's own.

    Raises:
        UnauthenticatedError: Nobody is logged in.
        NotFoundError: There is no such workspace.
        ForbiddenError: It is somebody else's; admins may not either.
    """
    return await _workspace(request, workspace_id, admins=False)


async def seen_workspace(request: AnyRequest, workspace_id: str) -> Published:
    """Return a workspace that the visitor may see; raises as `own_workspace`, but for admins."""
    return await _workspace(request, workspace_id, admins=True)


def owner_asked_for(request: AnyRequest, *, everybody: bool) -> str | None:
    """Return whose workspaces a list is asked for: the visitor's, or None for everybody's.

    Raises:
        UnauthenticatedError: Nobody is logged in.
        ForbiddenError: Everybody's are for admins.
    """
    visitor = visitor_of(request)
    if everybody and not visitor.admin:
        raise ForbiddenError("Only admins see everybody's workspaces.")
    return None if everybody else visitor.name


async def listed_workspaces(request: AnyRequest, *, everybody: bool) -> list[Published]:
    """Return the workspaces that `owner_asked_for` tells; what they say holds at `/w/` too."""
    services = services_of(request)
    owner = owner_asked_for(request, everybody=everybody)
    rows = await asyncio.to_thread(services.index.workspaces, owner)
    await services.routes.reach(max((row.generation for row in rows), default=0))
    return rows


async def seen_operation(request: AnyRequest, operation_id: str) -> Intent | Edit:
    """Return an operation on a workspace that the visitor may see: of its power, or of its file.

    When the workspace is gone, or not made yet, nobody owns it: who asked, and admins, may still see
    it.

    Raises:
        UnauthenticatedError: Nobody is logged in.
        NotFoundError: There is no such operation, or none that may be seen.
        ForbiddenError: The workspace is somebody else's.
    """
    visitor = visitor_of(request)
    index = services_of(request).index
    intent: Intent | Edit | None = await asyncio.to_thread(index.intent, operation_id)
    if intent is None:
        intent = await asyncio.to_thread(index.edits.get, operation_id)
    if intent is None:
        raise NotFoundError(_NO_OPERATION)
    row = await asyncio.to_thread(index.workspace, intent.workspace_id)
    gone = row is None or row.phase is Phase.DELETED
    owner = intent.actor if row is None or gone else row.owner
    if not visitor.admin and visitor.name != owner:
        if gone:
            raise NotFoundError(_NO_OPERATION)
        await refuse(request, visitor, intent.workspace_id, hidden=_NO_OPERATION)
    if row is not None:
        # A start that is told to be done opens the workspace.
        await services_of(request).routes.reach(row.generation)
    return intent


async def caught_up(request: AnyRequest) -> None:
    """Return when what was read of the index before holds at `/w/` too, as far as that can be known.

    Raises:
        IndexReplacedError: What was read is another index's.
    """
    services = services_of(request)
    try:
        generation = await asyncio.to_thread(services.index.generation)
    except IndexReplacedError:
        raise
    except IndexUnavailableError:
        return  # what was read is told all the same
    await services.routes.reach(generation)


async def change_power(request: AnyRequest, workspace_id: str, kind: Power) -> Intent:
    """Ask the runner to start or stop a workspace of the visitor's own.

    Raises:
        RequestError: As `own_workspace`.
        RequestRefusedError: The index says that it is not possible now.
    """
    row = await own_workspace(request, workspace_id)
    services = services_of(request)
    request_id = request_id_of(request)
    try:
        intent = await asyncio.to_thread(
            services.index.request, row.id, kind, actor=row.owner, request_id=request_id
        )
    except RequestRefusedError:
        await caught_up(request)  # it tells a phase
        raise
    services.nudge.send("runner")
    if not intent.joined:
        await services.trail.add(
            _EVENTS[kind],
            user=row.owner,
            workspace=row.id,
            address=request.scope["state"]["address"],
            request_id=request_id,
        )
    return intent


async def refuse(
    request: AnyRequest, visitor: Visitor, workspace_id: str, *, hidden: str = _NO_WORKSPACE
) -> NoReturn:
    """Refuse what is somebody else's, and write that down.

    Args:
        request: The request.
        visitor: Who sent it.
        workspace_id: What is not the visitor's.
        hidden: What is said when existence is hidden: the same as of what is not there.

    Raises:
        ForbiddenError: Always, or
        HiddenError: when existence is hidden.
    """
    services = services_of(request)
    await services.trail.refused(
        user=visitor.name,
        workspace=workspace_id,
        code=ForbiddenError.code,
        address=request.scope["state"]["address"],
        request_id=request_id_of(request),
    )
    if services.site.hide_existence:
        raise HiddenError(hidden)
    raise ForbiddenError("This workspace is not yours.")


async def _workspace(request: AnyRequest, workspace_id: str, *, admins: bool) -> Published:
    visitor = visitor_of(request)
    row = await asyncio.to_thread(services_of(request).index.workspace, workspace_id)
    if row is None or row.phase is Phase.DELETED:
        raise NotFoundError(_NO_WORKSPACE)
    if row.owner != visitor.name and not (admins and visitor.admin):
        await refuse(request, visitor, workspace_id)
    await services_of(request).routes.reach(row.generation)  # what it tells holds at `/w/` too
    return row
