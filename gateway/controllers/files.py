"""`/api/v1/workspaces`: make, change and remove workspaces by their files."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from gateway.bodies import AcceptedBody, OperationBody
from gateway.controllers.common import (
    LOCATION,
    AnyRequest,
    asker_of,
    seen_workspace,
    services_of,
)
from gateway.edit_checks import Asker, file_name, invalid, known_id, revision_of
from gateway.errors import InvalidInputError, NotFoundError, RevisionMissingError
from gateway.files import FileSeen
from spec import InvalidSpecError
from spec.edit import values_of, written
from state_index.edits import Edit

EDIT_MAX = 256 * 1024
"""Bytes of a body with a file in it: 64 KiB of text get longer as JSON or in a form."""

MESSAGE_MAX = 500

Message = Annotated[str, msgspec.Meta(max_length=MESSAGE_MAX)]
Match = Annotated[
    str | None, HeaderParameter(name="If-Match", description="The revision that is changed.")
]
Why = Annotated[str, QueryParameter(max_length=MESSAGE_MAX, description="For the commit.")]


class CreateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new workspace: the whole file, or a template and fields that differ, or fields alone."""

    id: str
    text: str | None = None
    template: str | None = None
    fields: dict[str, Any] | None = None
    message: Message = ""


class ChangeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of a file: the whole file, or a JSON merge patch (RFC 7396) of its keys."""

    text: str | None = None
    fields: dict[str, Any] | None = None
    base: str | None = None
    message: Message = ""


class CheckBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text to check; with an id as the file of that workspace."""

    text: str
    id: str | None = None


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a file: where, what, and what to do about it."""

    file: str
    line: int
    column: int
    key: str
    message: str
    hint: str


class CheckedBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a text; nothing, when it is a right file."""

    problems: list[ProblemBody]


class FileBody(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace's file, as the runner sees it now.

    `revision` is what a change must name. `commit` is the commit that it was read from, empty in a
    folder. When `editable` is false, `reason` says why.
    """

    id: str
    text: str
    revision: str
    commit: str
    path: str
    editable: bool
    reason: str

    @classmethod
    def of(cls, seen: FileSeen) -> "FileBody":
        """Make the body from what the runner says."""
        return cls(
            id=seen.id,
            text=seen.text or "",
            revision=seen.revision,
            commit=seen.commit,
            path=seen.path,
            editable=seen.editable,
            reason=seen.reason,
        )


class FilesController(Controller):
    """Workspaces as files."""

    path = "/workspaces"
    tags = ("files",)

    @post(
        summary="Make a workspace",
        status_code=HTTP_202_ACCEPTED,
        response_headers=[LOCATION],
        request_max_body_size=EDIT_MAX,
    )
    async def create(
        self, request: AnyRequest, data: JSONBody[CreateBody]
    ) -> Response[AcceptedBody]:
        """Ask for a new workspace: its file is committed, or proposed, by the runner.

        Give `text`, or `template` or `fields` or both. The owner is the visitor, unless an admin names
        another.
        """
        asker = asker_of(request)
        known_id(data.id)
        desk = services_of(request).desk
        text = await _new_text(request, data, asker)
        return _accepted(await desk.create(data.id, text, asker, data.message))

    @post(
        "/validate",
        summary="Check a file",
        status_code=HTTP_200_OK,
        request_max_body_size=EDIT_MAX,
    )
    async def validate(self, request: AnyRequest, data: JSONBody[CheckBody]) -> CheckedBody:
        """Tell what is wrong with a text, and where. Nothing is written, nobody is asked.

        More than 64 KiB are a problem of the text. Two checks of a user run at once, more are 429.
        """
        asker = asker_of(request)
        name = file_name(known_id(data.id) if data.id is not None else "new-workspace")
        raw = data.text.encode("utf-8", "replace")
        _, problems = await services_of(request).desk.reading(
            asker, lambda: values_of(raw, file=name)
        )
        return CheckedBody(
            problems=[msgspec.convert(one.as_dict(), ProblemBody) for one in problems]
        )

    @get("/{workspace_id:str}/file", summary="The file of a workspace")
    async def file(self, request: AnyRequest, workspace_id: FromPath[str]) -> Response[FileBody]:
        """Give a workspace's file: the visitor's own, or anybody's to admins. Its ETag is the revision."""
        row = await seen_workspace(request, workspace_id)
        seen = await services_of(request).desk.file(row.id, asker_of(request))
        return Response(FileBody.of(seen), headers={"etag": f'"{seen.revision}"'})

    @patch(
        "/{workspace_id:str}",
        summary="Change a workspace",
        status_code=HTTP_202_ACCEPTED,
        response_headers=[LOCATION],
        request_max_body_size=EDIT_MAX,
    )
    async def change(
        self,
        request: AnyRequest,
        workspace_id: FromPath[str],
        data: JSONBody[ChangeBody],
        if_match: Match = None,
    ) -> Response[AcceptedBody]:
        """Ask for a change of a workspace's file: the visitor's own, or anybody's by admins.

        Give `text` or `fields`; what the fields don't name stays as it is written, comments and order
        too. `If-Match`, or `base`, names the revision that is changed: without it 428, and when the file
        has another by now 409 `EDIT_CONFLICT`, with both texts in the details.
        """
        row = await seen_workspace(request, workspace_id)
        asker = asker_of(request)
        base = revision_of(if_match, data.base)
        if not base:
            raise RevisionMissingError
        desk = services_of(request).desk
        if (data.text is None) is (data.fields is None):
            raise InvalidInputError("Give either `text` or `fields`.")
        text = data.text
        if text is None:
            text = await desk.with_fields(row.id, data.fields or {}, asker, base=base)
        edit = await desk.change(row, text, asker, base=base, message=data.message)
        return _accepted(edit)

    @delete(
        "/{workspace_id:str}",
        summary="Remove a workspace",
        status_code=HTTP_202_ACCEPTED,
        response_headers=[LOCATION],
    )
    async def remove(
        self,
        request: AnyRequest,
        workspace_id: FromPath[str],
        if_match: Match = None,
        message: Why = "",
    ) -> Response[AcceptedBody]:
        """Ask for the end of a workspace: its file is removed, and then its container.

        Its home is kept for its grace, and comes back with a file of the same id and owner. With
        `If-Match` it happens only if the file still is that revision.
        """
        row = await seen_workspace(request, workspace_id)
        base = revision_of(if_match, None)
        desk = services_of(request).desk
        return _accepted(await desk.delete(row, asker_of(request), base=base, message=message))


async def _new_text(request: AnyRequest, data: CreateBody, asker: Asker) -> str:
    if data.text is not None:
        if data.template is not None or data.fields is not None:
            raise InvalidInputError("Give `text`, or `template` and `fields`, not both.")
        return data.text
    fields = {"owner": asker.visitor.name, **(data.fields or {})}
    desk = services_of(request).desk
    if data.template is None:
        name = file_name(data.id)
        try:
            return await desk.reading(asker, lambda: written(fields, file=name).decode())
        except InvalidSpecError as error:
            raise invalid(error.problems) from error
    for template in await desk.templates(asker):
        if template.name == data.template:
            return await desk.patch(data.id, template.text, fields, asker)
    raise NotFoundError("There is no such template.")


def _accepted(edit: Edit) -> Response[AcceptedBody]:
    return Response(
        AcceptedBody(operation=OperationBody.of(edit)),
        headers={"location": f"/api/v1/operations/{edit.id}"},
    )
