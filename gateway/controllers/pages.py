"""The pages: login, the list of workspaces, one workspace, its logs. They work without scripts."""

import asyncio
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath

from gateway.answers import response
from gateway.controllers.common import (
    AnyRequest,
    Power,
    asker_of,
    caller_of,
    change_power,
    fields_of,
    listed_workspaces,
    own_workspace,
    seen_workspace,
    services_of,
    visitor_of,
    visitor_or_none,
)
from gateway.controllers.history import history_of
from gateway.controllers.logs import shown
from gateway.controllers.repository import repository_of
from gateway.controllers.translate import translated
from gateway.controllers.workspaces import TAIL, Changes, Diff, Everybody, Tail
from gateway.cookies import clear_cookie, set_cookie
from gateway.errors import (
    LoginFailedError,
    NotFoundError,
    RequestError,
    ThrottledError,
    UnavailableError,
)
from gateway.history import PHASES
from gateway.origin import local_path
from gateway.pages.views import workspace_url
from state_index.errors import RequestRefusedError
from state_index.models import Published
from state_index.phases import Phase

_YEAR = 31_536_000
_SEE_OTHER = 303


def see_other(location: str, *, cookie: str | None = None) -> Response[bytes]:
    """Return a redirect that is followed by GET."""
    headers = {"location": location, "cache-control": "no-store"}
    if cookie is not None:
        headers["set-cookie"] = cookie
    return Response(b"", status_code=_SEE_OTHER, media_type="text/plain", headers=headers)


def to_login(request: AnyRequest) -> Response[bytes]:
    """Return the way to the login form and back to what was asked for."""
    query = request.scope["query_string"]
    asked = request.scope["raw_path"] + (b"?" + query if query else b"")
    target = local_path(asked.decode("latin-1"))
    return see_other("/login" if target == "/" else f"/login?{urlencode({'next': target})}")


@get("/login", include_in_schema=False)
async def login(request: AnyRequest) -> Response[bytes]:
    """Show the login form; go on at once when somebody is logged in."""
    target = local_path(request.query_params.get("next", "/"))
    if visitor_or_none(request) is not None:
        return see_other(target)
    return response(services_of(request).pages.login(next_path=target))


@post("/login", include_in_schema=False)
async def log_in(request: AnyRequest) -> Response[bytes]:
    """Log in by the form; show it again with what was wrong."""
    services, sent = services_of(request), await fields_of(request)
    target = local_path(sent.get("next", "/"))
    username = sent.get("username")
    try:
        token, _ = await services.logins.log_in(username, sent.get("password"), caller_of(request))
    except (LoginFailedError, ThrottledError, UnavailableError) as error:
        again = services.pages.login(next_path=target, username=username[:64], problem=error)
        return response(again)
    return see_other(target, cookie=set_cookie(token, https=services.https))


@post("/logout", include_in_schema=False)
async def log_out(request: AnyRequest) -> Response[bytes]:
    """Log out by the form; again does no harm."""
    services = services_of(request)
    visitor = visitor_or_none(request)
    if visitor is not None:
        await services.logins.log_out(visitor.name, caller_of(request))
    return see_other("/login", cookie=clear_cookie(https=services.https))


@get("/", include_in_schema=False)
async def portal(request: AnyRequest, all: Everybody = False) -> Response[bytes]:  # noqa: A002 - the name in the URL
    """Show the visitor's workspaces; everybody's to admins who ask for them."""
    rows = await listed_workspaces(request, everybody=all)
    services = services_of(request)
    listed = [row for row in rows if row.phase is not Phase.DELETED]
    runner = await services.runner.reachable()
    reasons = await services.desk.reasons(listed, asker_of(request)) if runner else {}
    return response(
        services.pages.portal(
            listed,
            visitor=visitor_of(request),
            everybody=all,
            runner=runner,
            reasons=reasons,
            repository=await repository_of(request),
        )
    )


@get("/workspaces/{workspace_id:str}", include_in_schema=False)
async def workspace(request: AnyRequest, workspace_id: FromPath[str]) -> Response[bytes]:
    """Show one workspace; with `next`, go there once it runs."""
    row = await seen_workspace(request, workspace_id)
    visitor = visitor_of(request)
    target = _inside(row.id, request.query_params.get("next", ""))
    if target and row.phase is Phase.RUNNING:
        return see_other(target)
    reason = await _reason(request, row)
    pages = services_of(request).pages
    return response(pages.state(row, visitor=visitor, target=target, reason=reason))


@get("/workspaces/{workspace_id:str}/card", include_in_schema=False)
async def card(request: AnyRequest, workspace_id: FromPath[str]) -> Response[bytes]:
    """Give one card of the list, for its script."""
    row = await seen_workspace(request, workspace_id)
    reason = await _reason(request, row)
    pages = services_of(request).pages
    return response(pages.card(row, visitor=visitor_of(request), reason=reason))


@get("/workspaces/{workspace_id:str}/details", include_in_schema=False)
async def details(
    request: AnyRequest, workspace_id: FromPath[str], limit: Changes = PHASES, diff: Diff = False
) -> Response[bytes]:
    """Show what is asked of a workspace, what runs, and how it came to be."""
    row = await seen_workspace(request, workspace_id)
    services, visitor = services_of(request), visitor_of(request)
    followed = await asyncio.to_thread(services.index.repository.followed)
    history = await history_of(request, row, limit=limit, diff=diff)
    return response(
        services.pages.details(
            row, history, visitor=visitor, followed=bool(followed.url), limit=limit
        )
    )


@get("/workspaces/{workspace_id:str}/logs", include_in_schema=False)
async def logs(
    request: AnyRequest, workspace_id: FromPath[str], tail: Tail = TAIL
) -> Response[bytes]:
    """Show the last lines that a workspace wrote."""
    row = await own_workspace(request, workspace_id)
    return shown(request, row.id, tail)


@post("/workspaces/{workspace_id:str}/start", include_in_schema=False)
async def start(request: AnyRequest, workspace_id: FromPath[str]) -> Response[bytes]:
    """Start by the form, then show the progress until it runs."""
    sent = await fields_of(request)
    target = _inside(workspace_id, sent.get("next")) or workspace_url(workspace_id)
    return await _power(request, workspace_id, "start", target)


@post("/workspaces/{workspace_id:str}/stop", include_in_schema=False)
async def stop(request: AnyRequest, workspace_id: FromPath[str]) -> Response[bytes]:
    """Stop by the form, then show how it goes."""
    await fields_of(request)
    return await _power(request, workspace_id, "stop", "")


@get("/static/{digest:str}/{name:str}", include_in_schema=False)
async def static(
    request: AnyRequest, digest: FromPath[str], name: FromPath[str]
) -> Response[bytes]:
    """Give a style sheet, script or icon; a path with the right digest never changes."""
    assets = services_of(request).pages.assets
    asset = assets.files.get(name)
    if asset is None:
        raise NotFoundError
    fresh = digest == assets.digest
    cache = f"public, max-age={_YEAR}, immutable" if fresh else "no-store"
    return Response(asset.body, media_type=asset.media_type, headers={"cache-control": cache})


async def _power(
    request: AnyRequest, workspace_id: str, kind: Power, target: str
) -> Response[bytes]:
    try:
        await change_power(request, workspace_id, kind)
    except RequestRefusedError as refused:
        return await _refused(request, workspace_id, translated(refused))
    query = f"?{urlencode({'next': target})}" if target else ""
    return see_other(f"/workspaces/{workspace_id}{query}")


async def _refused(
    request: AnyRequest, workspace_id: str, problem: RequestError
) -> Response[bytes]:
    row = await own_workspace(request, workspace_id)
    pages = services_of(request).pages
    return response(pages.state(row, visitor=visitor_of(request), problem=problem))


async def _reason(request: AnyRequest, row: Published) -> str | None:
    reasons = await services_of(request).desk.reasons([row], asker_of(request))
    return reasons.get(row.id)


def _inside(workspace_id: str, target: str) -> str:
    """Return a target only when it is inside the workspace."""
    path = local_path(target, default="")
    return path if path.startswith(workspace_url(workspace_id)) else ""


HANDLERS = [
    login, log_in, log_out, portal, workspace, card, details, logs, start, stop, static,
]  # fmt: skip
