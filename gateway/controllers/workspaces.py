"""`/api/v1/workspaces` and `/api/v1/operations`: see, start, stop, read logs, run commands."""

from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_101_SWITCHING_PROTOCOLS, HTTP_202_ACCEPTED

from gateway.bodies import AcceptedBody, OperationBody, WorkspaceBody, WorkspacesBody
from gateway.controllers.common import (
    LOCATION,
    AnyRequest,
    change_power,
    listed_workspaces,
    own_workspace,
    seen_operation,
    seen_workspace,
)
from gateway.controllers.history import history_of
from gateway.controllers.logs import streamed
from gateway.errors import UpgradeRequiredError
from gateway.history import PHASES, PHASES_MAX, HistoryBody
from gateway.runner import LogsWanted
from state_index.models import Intent

TAIL = 200
TAIL_MAX = 5000

Everybody = Annotated[bool, QueryParameter(description="Everybody's workspaces; for admins.")]
Tail = Annotated[int, QueryParameter(ge=1, le=TAIL_MAX, description="How many lines from the end.")]

Lines = Annotated[
    int | None,
    QueryParameter(
        ge=1,
        le=TAIL_MAX,
        description=f"How many lines from the end; {TAIL}, or with `since` all.",
    ),
]
Since = Annotated[
    str,
    QueryParameter(
        max_length=40, description="Only what was written since: `10m`, `2026-11-21T20:30:00Z`."
    ),
]
Follow = Annotated[bool, QueryParameter(description="Go on with what is written.")]
Timestamps = Annotated[bool, QueryParameter(description="Begin each line with its time.")]
Words = Annotated[
    list[str], QueryParameter(description="The program; once more for each argument.")
]
Changes = Annotated[
    int,
    QueryParameter(
        ge=1, le=PHASES_MAX, description="Most phases; and most commits, of which 100 are told."
    ),
]
Diff = Annotated[
    bool, QueryParameter(description="Commits with their diff of the file; 20 are told then.")
]
Stdin = Annotated[bool, QueryParameter(description="Whether input is sent.")]
Tty = Annotated[bool, QueryParameter(description="Whether the command gets a terminal.")]
Cells = Annotated[int | None, QueryParameter(description="The terminal's size at first.")]


class WorkspacesController(Controller):
    """Workspaces that the visitor may see or steer."""

    path = "/workspaces"
    tags = ("workspaces",)

    @get(summary="List workspaces")
    async def every(self, request: AnyRequest, all: Everybody = False) -> WorkspacesBody:  # noqa: A002 - the name in the URL
        """Give the visitor's own workspaces by id; with `all=true` everybody's, to admins."""
        rows = await listed_workspaces(request, everybody=all)
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
        """Ask for a start; a start under way is joined.

        Where no request began that one, the operation has nothing to do and is done at once: follow
        the workspace's phase.
        """
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

    @get("/{workspace_id:str}/history", summary="History")
    async def history(
        self,
        *,
        request: AnyRequest,
        workspace_id: FromPath[str],
        limit: Changes = PHASES,
        diff: Diff = False,
    ) -> HistoryBody:
        """Give the phases that a workspace went through, and the commits that touched its file.

        For its owner and for admins, newest first. There are commits where a repository is followed;
        they come by way of the runner.
        """
        row = await seen_workspace(request, workspace_id)
        return await history_of(request, row, limit=limit, diff=diff)

    @get("/{workspace_id:str}/logs", summary="Logs", media_type="text/plain")
    async def logs(
        self,
        *,
        request: AnyRequest,
        workspace_id: FromPath[str],
        tail: Lines = None,
        since: Since = "",
        follow: Follow = False,
        timestamps: Timestamps = False,
    ) -> Response[bytes]:
        """Give the last lines that the workspace wrote, as plain text, by way of the runner.

        They are streamed. Each user may read a few at once; more are 429 with `Retry-After`. A
        followed log ends when the container does, also when that is started again.
        """
        row = await own_workspace(request, workspace_id)
        if tail is None and not since:
            tail = TAIL
        wanted = LogsWanted(tail=tail, since=since, follow=follow, timestamps=timestamps)
        return streamed(request, row.id, wanted)

    @get(
        "/{workspace_id:str}/exec",
        summary="Exec (WebSocket)",
        status_code=HTTP_101_SWITCHING_PROTOCOLS,
        media_type="text/plain",
    )
    async def exec(
        self,
        *,
        request: AnyRequest,
        workspace_id: FromPath[str],
        command: Words,
        stdin: Stdin = False,
        tty: Tty = False,
        cols: Cells = None,
        rows: Cells = None,
    ) -> None:
        """Run a command in the running workspace: a WebSocket of the subprotocol `codehub.exec.v1`.

        For the owner, from our own pages (`Origin`). A request that asks for no upgrade is 426.
        """
        # WebSockets come in by another door (`gateway.proxy.websocket`): this is what it looks like.
        del command, stdin, tty, cols, rows
        await own_workspace(request, workspace_id)
        raise UpgradeRequiredError(headers={"Upgrade": "websocket"})


class OperationsController(Controller):
    """What became of a request."""

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
