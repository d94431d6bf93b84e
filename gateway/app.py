"""Puts the gateway's application together: front, proxy, pages and API.

The front gets every HTTP request and sends what is below `/w/` to the proxy, as plain ASGI on the
raw path, before the framework. The framework serves pages and API; its session, CSRF and logging
parts are not used, for reasons given in docs/explanation/security.md.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from gateway.answers import API, refusal_for, response
from gateway.commands import CommandPassage
from gateway.controllers import edit_pages, pages
from gateway.controllers.common import request_id_of, services_of, visitor_or_none
from gateway.controllers.events import events
from gateway.controllers.files import FilesController
from gateway.controllers.health import healthz, readyz
from gateway.controllers.hooks import take_hook
from gateway.controllers.repository import repository
from gateway.controllers.session import SessionController
from gateway.controllers.translate import translated
from gateway.controllers.workspaces import OperationsController, WorkspacesController
from gateway.errors import ForbiddenError, HiddenError, OriginRefusedError, UnauthenticatedError
from gateway.follow import follow_index, forever, prune_store, sweep_sessions
from gateway.front import ASGIApp, Front, wants_page
from gateway.guards import Refuse
from gateway.head import RequestHead, command_target, workspace_target
from gateway.passwords import dummy_hash
from gateway.proxy.app import WorkspaceProxy
from gateway.proxy.context import ProxyContext
from gateway.proxy.upstream import Upstreams
from gateway.services import Clocks, Services, build
from gateway.store import Store
from settings.model import GatewaySettings
from state_index.index import Index

BODY_MAX: Final = 64 * 1024
"""Bytes that a request to a page or the API may have; nothing there needs more."""

_FIRST_LOOK: Final = 5.0
_GET: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Gateway:
    """The application, and what the server below it needs.

    Attributes:
        asgi: The ASGI application.
        site: The pages and the API, behind the front.
        proxy: What the server's protocols need.
        services: What handlers work with.
    """

    asgi: Front
    site: Litestar
    proxy: ProxyContext
    services: Services


def create_app(
    settings: GatewaySettings, *, index: Index, store: Store, clocks: Clocks | None = None
) -> Gateway:
    """Make the gateway; it serves once the server runs its lifespan.

    Args:
        settings: The settings; `port` is the one that is really listened on.
        index: The open state index. The caller closes it.
        store: The open store. The caller closes it.
        clocks: Other clocks than the real ones.
    """
    services = build(settings, index=index, store=store, clocks=clocks)
    upstreams = Upstreams(settings.paths.run)
    context = ProxyContext(
        site=services.site,
        sessions=services.lookup,
        pages=services.pages,
        live=services.live,
        routes=services.routes,
        upstreams=upstreams,
        trusted=settings.trusted_proxies,
        timeout=settings.upstream_timeout,
        commands=partial(
            CommandPassage,
            runner=services.runner,
            upstreams=upstreams,
            places=services.streaming,
            trail=services.trail,
        ),
        refused=partial(_note_refusal, services),
    )
    site = create_site(services, lifespan=_lifespan(services, upstreams))
    # Its scope is a TypedDict; ours is the plain mapping that it is at run time.
    front = Front(services, site=cast("ASGIApp", site), proxy=WorkspaceProxy(context))
    return Gateway(front, site, context, services)


def create_site(
    services: Services, *, lifespan: Callable[[Litestar], AbstractAsyncContextManager[None]]
) -> Litestar:
    """Make the pages and the API. They need the front before them."""
    return Litestar(
        [_api(), healthz, readyz, *pages.HANDLERS, *edit_pages.HANDLERS],
        state=State({"services": services}),
        lifespan=[lifespan],
        exception_handlers={HTTPException: _failed, Exception: _failed},
        request_max_body_size=BODY_MAX,
        openapi_config=openapi_config(),
        logging_config=None,
        debug=False,
    )


def create_schema() -> dict[str, Any]:
    """Return the API's OpenAPI document, without a running gateway."""
    return Litestar([_api()], openapi_config=openapi_config()).openapi_schema.to_schema()


def _api() -> Router:
    return Router(
        "/api/v1",
        route_handlers=[
            SessionController,
            WorkspacesController,
            FilesController,
            OperationsController,
            events,
            repository,
            take_hook,
        ],
        response_headers={"cache-control": "no-store"},
    )


def openapi_config() -> OpenAPIConfig:
    """Return how the API describes itself: as JSON only, since viewers come from other hosts."""
    return OpenAPIConfig(
        title="CodeHub",
        version="1",
        summary="See, start, stop, make, change and remove your workspaces.",
        # Its own folder: the framework answers for every path below with a page of its own.
        path="/api/v1/openapi.json",
        render_plugins=[JsonRenderPlugin(path="/")],
        use_handler_docstrings=True,
    )


def _failed(request: Request[Any, Any, Any], exception: Exception) -> Response[bytes]:
    error = translated(exception)
    path: bytes = request.scope["raw_path"]
    person = not path.startswith(API)
    if isinstance(error, UnauthenticatedError) and person and request.method in _GET:
        return pages.to_login(request)
    answer = refusal_for(
        error,
        pages=services_of(request).pages,
        wants_page=wants_page(dict(request.scope)),
        path=path,
        visitor=visitor_or_none(request),
        request_id=request_id_of(request),
    )
    return response(answer)


def _note_refusal(services: Services, refuse: Refuse, head: RequestHead, request_id: str) -> None:
    """Write down who was refused whose workspace; what fails otherwise is in the logs."""
    if isinstance(refuse.error, ForbiddenError | HiddenError | OriginRefusedError):
        target = command_target(head.target) or workspace_target(head.target)
        hidden = isinstance(refuse.error, HiddenError)
        services.trail.refused_soon(
            user=refuse.visitor.name if refuse.visitor else "",
            workspace=target.id if target else "",
            code=ForbiddenError.code if hidden else refuse.error.code,
            request_id=request_id,
        )


def _lifespan(
    services: Services, upstreams: Upstreams
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def running(_: Litestar) -> AsyncIterator[None]:
        ready = asyncio.Event()
        await asyncio.to_thread(dummy_hash)
        try:
            async with asyncio.TaskGroup() as tasks:
                work = [
                    tasks.create_task(
                        forever("index", lambda: follow_index(services, upstreams, ready))
                    ),
                    tasks.create_task(forever("sessions", lambda: sweep_sessions(services))),
                    tasks.create_task(forever("prune", lambda: prune_store(services))),
                ]
                await _wait_a_little(ready)
                yield
                for task in work:
                    task.cancel()
        finally:
            await upstreams.close()
            services.verifier.close()

    return running


async def _wait_a_little(ready: asyncio.Event) -> None:
    """Serve with routes from the first request on; without an index serve all the same."""
    try:
        async with asyncio.timeout(_FIRST_LOOK):
            await ready.wait()
    except TimeoutError:
        return
