"""The one decision on a request for a workspace: HTTP and WebSockets ask the same function. Pure.

`authorize` says what to do and does nothing: no I/O, no clock, no memory. The order of its rows
matters and is the order below: a head that can be read in two ways is refused before anybody asks
who sent it; a stranger learns nothing about workspaces; only then does the phase count.

The owner alone gets through. On one origin a workspace's scripts act as whoever looks at them, so
not even an admin opens somebody else's workspace.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from gateway.errors import (
    BadRequestError,
    ForbiddenError,
    HiddenError,
    NotFoundError,
    NotRunningError,
    OriginRefusedError,
    RequestError,
    UnauthenticatedError,
    UnavailableError,
)
from gateway.head import (
    PREFIX,
    CommandTarget,
    RequestHead,
    WorkspaceTarget,
    malformed,
    workspace_target,
)
from gateway.origin import handshake_problem, unsafe_request_problem
from gateway.proxy.seams import View, Visitor
from gateway.routing import Route
from gateway.site import Site
from state_index.phases import Phase

LOGIN: Final = "/login"

_STARTING: Final = frozenset(
    {Phase.PENDING, Phase.PROVISIONING, Phase.STARTING, Phase.UPDATING, Phase.RESTORING}
)
_FAILED: Final = frozenset({Phase.ERROR, Phase.UNKNOWN})
_NAVIGATION_METHODS: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Forward:
    """Let it through, to this workspace, with this target."""

    route: Route
    target: bytes
    visitor: Visitor


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the browser elsewhere on this origin."""

    status: int
    location: bytes


@dataclass(frozen=True, slots=True)
class ShowWorkspace:
    """Show the page of a workspace that is not running."""

    view: View
    status: int
    route: Route
    visitor: Visitor


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with an error, as a page for a person or as JSON for a program."""

    error: RequestError
    page: bool
    visitor: Visitor | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """Let a command be run in this workspace, as this query asks."""

    route: Route
    query: bytes
    visitor: Visitor


Decision = Forward | Redirect | ShowWorkspace | Refuse


def authorize(
    head: RequestHead,
    *,
    visitor: Visitor | None,
    routes: Mapping[str, Route] | None,
    site: Site,
) -> Decision:
    """Decide on a request below `/w/`.

    Args:
        head: The request, as it came in.
        visitor: Who is logged in, if anybody.
        routes: Every workspace by its id; None when what is known may be outdated.
        site: Our own hosts and origins.
    """
    problem = malformed(head, site)
    if problem is not None:
        return Refuse(problem, page=False)
    try:
        target = workspace_target(head.target)
    except BadRequestError as error:
        return Refuse(error, page=is_navigation(head), visitor=visitor)
    if target is None:
        return Refuse(NotFoundError(), page=is_navigation(head), visitor=visitor)
    if not target.rest.startswith(b"/") and not head.upgrade:
        return Redirect(308, PREFIX + target.id.encode("ascii") + b"/" + target.rest)
    return _by_visitor(head, target, visitor, routes, site)


def authorize_command(
    head: RequestHead,
    target: CommandTarget,
    *,
    visitor: Visitor | None,
    routes: Mapping[str, Route] | None,
    site: Site,
) -> Command | Refuse:
    """Decide on a request for a WebSocket that runs a command, in the same order.

    Args:
        head: The request, as it came in.
        target: What its target says.
        visitor: Who is logged in, if anybody.
        routes: Every workspace by its id; None when what is known may be outdated.
        site: Our own hosts and origins.
    """
    problem = malformed(head, site)
    if problem is not None:
        return Refuse(problem, page=False)
    if visitor is None:
        return Refuse(UnauthenticatedError(), page=False)
    refused = _stranger(target.id, visitor, routes, site) or _foreign(head, site)
    if refused is not None:
        return Refuse(refused, page=False, visitor=visitor)
    assert routes is not None  # _stranger answers for that
    route = routes[target.id]
    if route.phase is not Phase.RUNNING:
        return Refuse(_not_running(route), page=False, visitor=visitor)
    return Command(route, target.query, visitor)


def is_navigation(head: RequestHead) -> bool:
    """Return whether a person is waiting for a page: not a script, an image, a frame, a prefetch.

    Browsers say so in Sec-Fetch-Mode on HTTPS and on loopback; elsewhere `Accept` has to do.
    """
    if head.upgrade or head.method not in _NAVIGATION_METHODS:
        return False
    if any(b"prefetch" in value for value in head.values(b"sec-purpose") + head.values(b"purpose")):
        return False
    modes = head.values(b"sec-fetch-mode")
    if modes:
        return modes == [b"navigate"] and head.values(b"sec-fetch-dest") in ([], [b"document"])
    accepts = any(b"text/html" in value for value in head.values(b"accept"))
    return head.method == "GET" and accepts and not head.values(b"x-requested-with")


def _by_visitor(
    head: RequestHead,
    target: WorkspaceTarget,
    visitor: Visitor | None,
    routes: Mapping[str, Route] | None,
    site: Site,
) -> Decision:
    if visitor is None:
        return _log_in(head)
    refused = _stranger(target.id, visitor, routes, site) or _foreign(head, site)
    if refused is not None:
        return Refuse(refused, page=is_navigation(head), visitor=visitor)
    assert routes is not None  # _stranger answers for that
    rest = target.rest if target.rest.startswith(b"/") else b"/" + target.rest
    return _by_phase(head, routes[target.id], rest, visitor)


def _log_in(head: RequestHead) -> Decision:
    if not is_navigation(head):
        return Refuse(UnauthenticatedError(), page=False)
    back = quote(head.target, safe="/")
    return Redirect(303, f"{LOGIN}?next={back}".encode("ascii"))


def _stranger(
    workspace_id: str, visitor: Visitor, routes: Mapping[str, Route] | None, site: Site
) -> RequestError | None:
    if routes is None:
        return UnavailableError("What CodeHub knows of its workspaces is outdated.")
    route = routes.get(workspace_id)
    if route is None or route.phase is Phase.DELETED:
        return NotFoundError("There is no such workspace.")
    if route.owner == visitor.name:
        return None
    if site.hide_existence:
        return HiddenError("There is no such workspace.")
    return ForbiddenError("This workspace is not yours.")


def _foreign(head: RequestHead, site: Site) -> RequestError | None:
    own = site.origin(head.values(b"host")[0])
    assert own is not None  # malformed() has seen to that
    origins = head.texts(b"origin")
    if head.upgrade:
        problem = handshake_problem(own=own, origins=origins)
    else:
        problem = unsafe_request_problem(
            method=head.method,
            own=own,
            origins=origins,
            fetch_sites=head.texts(b"sec-fetch-site"),
            has_cookie=True,
        )
    return None if problem is None else OriginRefusedError(f"The request is refused: {problem}.")


def _by_phase(head: RequestHead, route: Route, target: bytes, visitor: Visitor) -> Decision:
    if route.phase is Phase.RUNNING:
        if route.upstream:
            return Forward(route, target, visitor)
        error: RequestError = UnavailableError("The workspace runs, but has no address yet.")
        return Refuse(error, page=is_navigation(head), visitor=visitor)
    if is_navigation(head):
        view = _view(route.phase)
        return ShowWorkspace(view, 200 if view is View.STOPPED else 503, route, visitor)
    return Refuse(_not_running(route), page=False, visitor=visitor)


def _not_running(route: Route) -> NotRunningError:
    return NotRunningError(
        details={"workspace": route.id, "phase": str(route.phase), "reason": route.reason}
    )


def _view(phase: Phase) -> View:
    if phase in _STARTING:
        return View.STARTING
    return View.FAILED if phase in _FAILED else View.STOPPED
