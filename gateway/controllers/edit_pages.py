"""The pages on which workspaces are made, changed and removed by their files.

They work without scripts: each button sends the whole form, also the tabs and what checks it. A form
page carries the file's text beside the fields, so nothing of a draft is kept here.
"""

import asyncio
from dataclasses import replace
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from gateway.answers import response
from gateway.controllers.common import (
    AnyRequest,
    asker_of,
    seen_operation,
    seen_workspace,
    services_of,
    visitor_of,
)
from gateway.controllers.drafts import STAND_IN, Sent, draft_of, editor_of, sent_of
from gateway.controllers.files import EDIT_MAX
from gateway.controllers.pages import see_other
from gateway.controllers.translate import translated
from gateway.edit_checks import Asker, conflicting, file_name, known_id
from gateway.errors import (
    EditConflictError,
    InvalidInputError,
    NotFoundError,
    RequestError,
    RunnerUnavailableError,
)
from gateway.files import FileSeen, Template
from gateway.forms import Draft, FormView, checked, form_of
from gateway.line_ends import with_line_ends_of
from gateway.pages.files import Editor, compared
from spec import Problem
from spec.edit import edited
from spec.errors import InvalidSpecError
from state_index.edits import Edit
from state_index.errors import RequestRefusedError
from state_index.models import Published

_BEGINNING = """\
owner: {owner}
image: codehub/code-server
"""
_NOT_TYPED = "Type the id exactly as it stands there."
_UNSEEN = "The page does not say which revision of the file it is about. Open it again."


@get("/workspaces/new", include_in_schema=False)
async def new(request: AnyRequest) -> Response[bytes]:
    """Show the form of a new workspace, with a template's values if one is named."""
    asker = asker_of(request)
    query = request.query_params
    wanted, chosen = query.get("id", "")[:64], query.get("template", "")
    templates, notice = await _templates(request, asker)
    beginning = _BEGINNING.format(owner=asker.visitor.name)
    source = next((one.text for one in templates if one.name == chosen), beginning)
    again = await _again(request, query.get("again", ""), "create")

    def begun() -> tuple[str, FormView]:
        text = again.text or "" if again is not None else _owned(source, asker)
        return text, form_of(text, file=file_name(STAND_IN))

    wanted = again.workspace_id if again is not None else wanted
    text, form = await services_of(request).desk.reading(asker, begun)
    tab = "form" if form.shown else "text"
    editor = Editor(id=wanted, tab=tab, text=text, form=form, notice=notice)
    pages = services_of(request).pages.files
    return response(pages.new(editor, visitor=asker.visitor, templates=templates, template=chosen))


@post("/workspaces/new", include_in_schema=False, request_max_body_size=EDIT_MAX)
async def make(request: AnyRequest) -> Response[bytes]:
    """Make the workspace, or show the form again with what is wrong."""
    asker, sent = asker_of(request), await sent_of(request)
    draft = await draft_of(request, sent, asker)
    problem: RequestError | None = None
    if sent.go == "save" and not draft.problems:
        try:
            desk = services_of(request).desk
            edit = await desk.create(sent.id, draft.text, asker, sent.message)
            return _followed(edit)
        except (RequestError, RequestRefusedError) as error:
            problem = translated(error)
    editor = await editor_of(request, sent, draft, problem)
    templates, _ = await _templates(request, asker)
    pages = services_of(request).pages.files
    return response(
        pages.new(editor, visitor=asker.visitor, templates=templates, template=sent.template)
    )


@post("/workspaces/new/check", include_in_schema=False, request_max_body_size=EDIT_MAX)
async def check(request: AnyRequest) -> Response[bytes]:
    """Tell what is wrong with a form or text that is being written; nothing is kept."""
    asker, sent = asker_of(request), await sent_of(request)
    draft = await draft_of(request, sent, asker)
    problems = list(draft.problems)
    if sent.id:
        try:
            known_id(sent.id)
        except InvalidInputError as error:
            told = error.details["problems"][0]
            problems.insert(0, Problem("", 1, 1, "id", told["message"], told["hint"]))
    pages = services_of(request).pages.files
    places = sent.tab == "text"
    return response(pages.problems(problems, visitor=asker.visitor, places=places))


@get("/workspaces/{workspace_id:str}/edit", include_in_schema=False)
async def edit(request: AnyRequest, workspace_id: FromPath[str]) -> Response[bytes]:
    """Show the file to be changed, as a form or as text."""
    row, asker = await seen_workspace(request, workspace_id), asker_of(request)
    desk, pages = services_of(request).desk, services_of(request).pages.files
    seen = await desk.file(row.id, asker)
    if not seen.editable:
        return _locked(request, seen)
    again = await _again(request, request.query_params.get("again", ""), "change")
    if again is not None and again.workspace_id == row.id:
        return await _edited_again(request, seen, again, asker)
    text = with_line_ends_of(seen.text or "", "")
    form, problems = await desk.reading(asker, lambda: checked(text, file=file_name(row.id)))
    tab = "form" if form.shown and request.query_params.get("tab") != "text" else "text"
    editor = Editor(
        id=row.id, tab=tab, text=text, form=form, base=seen.revision, path=seen.path,
        problems=problems,
    )  # fmt: skip
    return response(pages.edit(editor, visitor=asker.visitor))


@post(
    "/workspaces/{workspace_id:str}/edit", include_in_schema=False, request_max_body_size=EDIT_MAX
)
async def change(request: AnyRequest, workspace_id: FromPath[str]) -> Response[bytes]:
    """Ask for the change; show the form again with what is wrong, or both texts of a conflict."""
    row, asker = await seen_workspace(request, workspace_id), asker_of(request)
    sent = replace(await sent_of(request), id=row.id)
    draft = await draft_of(request, sent, asker)
    problem: RequestError | None = None
    pages = services_of(request).pages.files
    if sent.go == "save" and not draft.problems:
        try:
            return _followed(await _change(request, row, sent, draft, asker))
        except EditConflictError as error:
            return await _conflict(request, row.id, error, asker)
        except (RequestError, RequestRefusedError) as error:
            problem = translated(error)
    editor = await editor_of(request, sent, draft, problem)
    return response(pages.edit(editor, visitor=asker.visitor))


@get("/workspaces/{workspace_id:str}/delete", include_in_schema=False)
async def delete(request: AnyRequest, workspace_id: FromPath[str]) -> Response[bytes]:
    """Ask whether the workspace is to go, and say what goes with it."""
    row, asker = await seen_workspace(request, workspace_id), asker_of(request)
    seen = await services_of(request).desk.file(row.id, asker)
    if not seen.editable:
        return _locked(request, seen)
    pages = services_of(request).pages.files
    return response(pages.delete(row, visitor=asker.visitor, base=seen.revision))


@post("/workspaces/{workspace_id:str}/delete", include_in_schema=False)
async def remove(request: AnyRequest, workspace_id: FromPath[str]) -> Response[bytes]:
    """Remove the workspace whose id was typed."""
    row, asker, sent = (
        await seen_workspace(request, workspace_id),
        asker_of(request),
        await sent_of(request),
    )
    problem: RequestError
    try:
        if not sent.base:
            raise InvalidInputError(_UNSEEN)
        if sent.confirm != row.id:
            raise InvalidInputError(_NOT_TYPED)
        desk = services_of(request).desk
        return _followed(await desk.delete(row, asker, base=sent.base, message=sent.message))
    except (RequestError, RequestRefusedError) as error:
        problem = translated(error)
    pages = services_of(request).pages.files
    return response(pages.delete(row, visitor=asker.visitor, base=sent.base, problem=problem))


@get("/workspaces/{workspace_id:str}/edits/{operation_id:str}", include_in_schema=False)
async def progress(
    request: AnyRequest, workspace_id: FromPath[str], operation_id: FromPath[str]
) -> Response[bytes]:
    """Show how far a change of a file has come."""
    found = await seen_operation(request, operation_id)
    if not isinstance(found, Edit) or found.workspace_id != workspace_id:
        raise NotFoundError
    services = services_of(request)
    followed = await asyncio.to_thread(services.index.repository.followed)
    return response(services.pages.files.progress(found, followed, visitor=visitor_of(request)))


async def _change(
    request: AnyRequest, row: Published, sent: Sent, draft: Draft, asker: Asker
) -> Edit:
    if not sent.base:
        raise InvalidInputError(_UNSEEN)
    desk = services_of(request).desk
    seen = await desk.file(row.id, asker)
    text = await desk.reading(asker, lambda: with_line_ends_of(draft.text, seen.text or ""))
    return await desk.change(row, text, asker, base=sent.base, message=sent.message)


async def _edited_again(
    request: AnyRequest, seen: FileSeen, again: Edit, asker: Asker
) -> Response[bytes]:
    """Show a change that failed: as it was written, or beside what the file says by now."""
    desk, pages = services_of(request).desk, services_of(request).pages.files
    text = with_line_ends_of(again.text or "", "")
    if again.base != seen.revision:
        found = await desk.conflict(seen, text, asker, base=again.base)
        return await _conflict(request, seen.id, conflicting(found), asker)
    editor = Editor(
        id=seen.id,
        tab="text",
        text=text,
        form=await desk.reading(asker, lambda: form_of(text, file=file_name(seen.id))),
        base=seen.revision,
        message=again.message,
        path=seen.path,
        dirty=True,
    )
    return response(pages.edit(editor, visitor=asker.visitor))


async def _conflict(
    request: AnyRequest, workspace_id: str, error: EditConflictError, asker: Asker
) -> Response[bytes]:
    """Show both texts. To compare large ones takes a second."""
    services = services_of(request)
    lines = await services.desk.reading(asker, lambda: compared(error))
    page = services.pages.files.conflict(workspace_id, error, lines=lines, visitor=asker.visitor)
    return response(page)


async def _again(request: AnyRequest, operation_id: str, action: str) -> Edit | None:
    """Return a change of the visitor's own that is to be written once more."""
    if not operation_id:
        return None
    found = await asyncio.to_thread(services_of(request).index.edits.get, operation_id)
    mine = found is not None and found.actor == visitor_of(request).name
    return found if mine and found is not None and found.action == action else None


async def _templates(request: AnyRequest, asker: Asker) -> tuple[list[Template], str]:
    """Return the templates; without a runner there are none, and a word on that."""
    try:
        return await services_of(request).desk.templates(asker), ""
    except RunnerUnavailableError as error:
        return [], error.message


def _owned(text: str, asker: Asker) -> str:
    """Return a template with the visitor as the owner; as it is when that can't be said in it."""
    try:
        changes: dict[str, Any] = {"owner": asker.visitor.name}
        return edited(text.encode(), changes, file=file_name(STAND_IN)).decode()
    except InvalidSpecError:
        return text


def _locked(request: AnyRequest, seen: FileSeen) -> Response[bytes]:
    pages = services_of(request).pages.files
    return response(
        pages.locked(seen.id, visitor=visitor_of(request), reason=seen.reason, path=seen.path)
    )


def _followed(edit: Edit) -> Response[bytes]:
    return see_other(f"/workspaces/{edit.workspace_id}/edits/{edit.id}")


HANDLERS = [new, make, check, edit, change, delete, remove, progress]
