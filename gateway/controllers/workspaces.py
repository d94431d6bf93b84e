"""`/api/v1/workspaces` and `/api/v1/operations`: see, start, stop, read logs."""

import asyncio
from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_202_ACCEPTED

from gateway.bodies import AcceptedBody, OperationBody, WorkspaceBody, WorkspacesBody
from gateway.controllers.common import (
    AnyRequest,
    change_power,
    own_workspace,
    seen_operation,
    seen_workspace,
    services_of,
    visitor_of,
)
from gateway.controllers.logs import streamed
from gateway.errors import ForbiddenError
from state_index.models import Intent

TAIL = 200
TAIL_MAX = 5000

LOCATION = ResponseHeader(
    name="Location", description="Where the operation is followed.", documentation_only=True
)

Everybody = Annotated[bool, QueryParameter(description="Everybody's workspaces; for admins.")]
Tail = Annotated[int, QueryParameter(ge=1, le=TAIL_MAX, description="How many lines from the end.")]


class WorkspacesController(Controller):
    """Workspaces that the visitor may see or steer."""

    path = "/workspaces"
    tags = ("workspaces",)

    @get(summary="List workspaces")
    async def every(self, request: AnyRequest, all: Everybody = False) -> WorkspacesBody:  # noqa: A002 - the name in the URL
        """Give the visitor's own workspaces by id; with `all=true` everybody's, to admins."""
        visitor = visitor_of(request)
        if all and not visitor.admin:
            raise ForbiddenError("Only admins see everybody's workspaces.")
        owner = None if all else visitor.name
        rows = await asyncio.to_thread(services_of(request).index.workspaces, owner)
        return WorkspacesBody(workspaces=[WorkspaceBody.of(row) for row in rows])

    @get("/{workspace_id:str}", summary="One workspace")
    async def one(self, request: AnyRequest, workspace_id: FromPath[str]) -> WorkspaceBody:
        """Give one workspace: the visitor's own, or anybody's to admins."""
        return WorkspaceBody.of(await seen_workspace(request, workspace_id))

    @post(
        "/{workspace_id:str}/start",
        summary="Start",
        status_code=HTTP_202_ACCEPTED,
        response_headers=[LOCATION],
    )
    async def start(
        self, request: AnyRequest, workspace_id: FromPath[str]
    ) -> Response[AcceptedBody]:
        """Ask for a start; a start under way is joined."""
        return _accepted(await change_power(request, workspace_id, "start"))

    @post(
        "/{workspace_id:str}/stop",
        summary="Stop",
        status_code=HTTP_202_ACCEPTED,
        response_headers=[LOCATION],
    )
    async def stop(
        self, request: AnyRequest, workspace_id: FromPath[str]
    ) -> Response[AcceptedBody]:
        """Ask for a stop; the home is kept."""
        return _accepted(await change_power(request, workspace_id, "stop"))

    @get("/{workspace_id:str}/logs", summary="Logs", media_type="text/plain")
    async def logs(
        self, request: AnyRequest, workspace_id: FromPath[str], tail: Tail = TAIL
    ) -> Response[bytes]:
        """Give the last lines that the workspace wrote, as plain text, by way of the runner.

        They are streamed. Each user may read a few at once; more are 429 with `Retry-After`.
        """
        row = await own_workspace(request, workspace_id)
        return streamed(request, row.id, tail)


class OperationsController(Controller):
    """What became of a request to start or stop."""

    path = "/operations"
    tags = ("operations",)

    @get("/{operation_id:str}", summary="One operation")
    async def one(self, request: AnyRequest, operation_id: FromPath[str]) -> OperationBody:
        """Give an operation on a workspace of the visitor's own, or on anybody's to admins.

        When the workspace is gone, who asked for it may still see what became of it.
        """
        return OperationBody.of(await seen_operation(request, operation_id))


def _accepted(intent: Intent) -> Response[AcceptedBody]:
    return Response(
        AcceptedBody(operation=OperationBody.of(intent)),
        headers={"location": f"/api/v1/operations/{intent.id}"},
    )
