"""What the API takes and gives, as msgspec structs: the OpenAPI document is made from these."""

from datetime import datetime
from typing import Any, Self

import msgspec

from gateway.pages.views import LOOKS, workspace_url
from gateway.powers import can_start, can_stop
from gateway.proxy.seams import Visitor
from state_index.edits import Edit
from state_index.models import Intent, Published
from state_index.phases import Phase


class LoginBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wants to log in."""

    username: str
    password: str

    def __repr__(self) -> str:
        """Show the name only."""
        return f"LoginBody(username={self.username!r})"


class UserBody(msgspec.Struct, frozen=True, kw_only=True):
    """Who is logged in."""

    user: str
    admin: bool

    @classmethod
    def of(cls, visitor: Visitor) -> Self:
        """Make the body from a visitor."""
        return cls(user=visitor.name, admin=visitor.admin)


class ActionsBody(msgspec.Struct, frozen=True, kw_only=True):
    """What can be done with a workspace now."""

    open: bool
    start: bool
    stop: bool


class WorkspaceBody(msgspec.Struct, frozen=True, kw_only=True):
    """One workspace.

    `phase` is where it is in its life, `label` the same for people; `sync` says whether it is as
    its file says; `problems` are the file's, with line and column; `pinned` is the file's `state`;
    of a removed one whose home is kept, `removed_at` and `expires_at` say since when and how long;
    `drift` is what another hand changed: `field`, `wanted` and `found` in words, and whether it
    `stays` because the engine does it. Values of variables are never in it.
    """

    id: str
    owner: str
    phase: str
    label: str
    sync: str
    reason: str
    message: str
    step: str
    since: datetime
    retry_at: datetime | None
    removed_at: datetime | None
    expires_at: datetime | None
    image: str
    pinned: str
    problems: list[dict[str, Any]]
    drift: list[dict[str, Any]]
    generation: int
    updated_at: datetime
    url: str
    actions: ActionsBody

    @classmethod
    def of(cls, row: Published) -> Self:
        """Make the body from a published row."""
        return cls(
            id=row.id,
            owner=row.owner,
            phase=str(row.phase),
            label=LOOKS[row.phase].label,
            sync=str(row.sync),
            reason=row.reason,
            message=row.message,
            step=row.step,
            since=row.since,
            retry_at=row.retry_at,
            removed_at=row.removed_at,
            expires_at=row.expires_at,
            image=row.image,
            pinned=row.pinned,
            problems=list(row.problems),
            drift=list(row.drift),
            generation=row.generation,
            updated_at=row.updated_at,
            url=workspace_url(row.id),
            actions=ActionsBody(
                open=row.phase is Phase.RUNNING, start=can_start(row), stop=can_stop(row)
            ),
        )


class WorkspacesBody(msgspec.Struct, frozen=True, kw_only=True):
    """A list of workspaces, by id."""

    workspaces: list[WorkspaceBody]


class OperationBody(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a change of power, or of a file, on its way.

    `status` is `open` (nobody took it yet), `taken` (the runner works on it), `done` or `failed`
    (then `error` says why, and of a change of a file `code` for programs). `actor` is who asked.
    `joined` tells that somebody had asked for the same before. A change of a file that is done is in
    `commit`, or in the pull request at `url`; in a folder both are empty.
    """

    id: str
    workspace: str
    kind: str
    status: str
    error: str
    actor: str
    created_at: datetime
    joined: bool
    commit: str = ""
    url: str = ""
    code: str = ""

    @classmethod
    def of(cls, operation: Intent | Edit) -> Self:
        """Make the body from an intent or an edit."""
        if isinstance(operation, Edit):
            return cls._of_edit(operation)
        intent = operation
        return cls(
            id=intent.id,
            workspace=intent.workspace_id,
            kind=intent.kind,
            status=intent.status,
            error=intent.error,
            actor=intent.actor,
            created_at=intent.created_at,
            joined=intent.joined,
        )

    @classmethod
    def _of_edit(cls, edit: Edit) -> Self:
        return cls(
            id=edit.id,
            workspace=edit.workspace_id,
            kind=edit.action,
            status=edit.status,
            error=edit.error,
            actor=edit.actor,
            created_at=edit.created_at,
            joined=False,
            commit=edit.commit,
            url=edit.url,
            code=edit.code,
        )


class AcceptedBody(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request that takes a while."""

    operation: OperationBody
