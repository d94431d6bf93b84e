"""What HTTP requests and WebSockets on their way to a workspace share: the deciding and the answers.

Both ask `decide` and write what `answer` gives, so that they can't come to differ.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import RequestError
from gateway.guards import (
    Command,
    Decision,
    Forward,
    Redirect,
    Refuse,
    ShowWorkspace,
    authorize,
    authorize_command,
    is_navigation,
)
from gateway.head import RequestHead, command_target, loggable_path
from gateway.live import LiveSessions
from gateway.peer import Network, client_address
from gateway.proxy.passage import Passage, WorkspacePassage
from gateway.proxy.seams import Answer, Pages, SessionLookup
from gateway.proxy.upstream import Upstreams
from gateway.routing import Routes
from gateway.site import Site
from telemetry.context import new_request_id
from telemetry.logs import get_logger

_log = get_logger(__name__)

_ALWAYS: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyContext:
    """Everything the proxy works with.

    Attributes:
        site: Our own hosts and origins.
        sessions: Who is logged in.
        pages: How answers for people look.
        live: Whose connections to close when a session ends.
        routes: What the index says.
        upstreams: The ways to the workspaces.
        trusted: The networks of the proxies before us, whose X-Forwarded-For counts.
        timeout: Seconds in which a workspace must take up a request, go on reading it and begin to
            answer. An answer that has begun may take any time.
        commands: Gives the way of a tunnel that runs a command; None: there is none.
        new_id: Makes the name of a request.
        refused: Told of each refusal, with the request's head and name; for the audit log.
    """

    site: Site
    sessions: SessionLookup
    pages: Pages
    live: LiveSessions
    routes: Routes
    upstreams: Upstreams
    trusted: Sequence[Network] = ()
    timeout: float = 60.0
    commands: Callable[[Command], Passage] | None = None
    new_id: Callable[[], str] = field(default=new_request_id)
    refused: Callable[[Refuse, RequestHead, str], None] = field(default=lambda *_: None)

    async def decide(self, head: RequestHead) -> Decision:
        """Decide on a request below `/w/`; a store that does not answer refuses it."""
        try:
            visitor = await self.sessions.lookup(head.values(b"cookie"))
        except RequestError as error:
            return Refuse(error, page=is_navigation(head))
        return authorize(head, visitor=visitor, routes=self.routes.current(), site=self.site)

    async def passage(self, head: RequestHead, *, request_id: str) -> Passage | Answer:
        """Decide on a request for a WebSocket: the way that it goes, or what it is answered."""
        decision = await self._decide_tunnel(head)
        if isinstance(decision, Forward):
            return WorkspacePassage(decision, self.upstreams)
        if isinstance(decision, Command):
            assert self.commands is not None  # else it is not decided so
            return self.commands(decision)
        return self.answer(decision, head=head, request_id=request_id)

    async def _decide_tunnel(self, head: RequestHead) -> Decision | Command:
        target = command_target(head.target)
        if target is None or self.commands is None:
            return await self.decide(head)
        try:
            visitor = await self.sessions.lookup(head.values(b"cookie"))
        except RequestError as error:
            return Refuse(error, page=False)
        return authorize_command(
            head, target, visitor=visitor, routes=self.routes.current(), site=self.site
        )

    def answer(
        self, decision: Redirect | ShowWorkspace | Refuse, *, head: RequestHead, request_id: str
    ) -> Answer:
        """Return what to send for anything but `Forward`."""
        answer = self._rendered(decision, request_id)
        if isinstance(decision, Refuse):
            self.refused(decision, head, request_id)
        _log.debug(
            "workspace_request_answered",
            request_id=request_id,
            method=head.method,
            path=loggable_path(head.target),
            status=answer.status,
            decision=type(decision).__name__,
        )
        names = {name for name, _ in answer.headers}
        added = [pair for pair in _ALWAYS if pair[0] not in names]
        return Answer(answer.status, [*answer.headers, *added], answer.body)

    def client(self, peer: str, head: RequestHead) -> str:
        """Return the client's address as far as it can be believed."""
        if not self.trusted:
            return peer
        return client_address(peer, head.texts(b"x-forwarded-for"), self.trusted)

    def origin(self, head: RequestHead) -> str:
        """Return our own origin under which a request came; its head must have passed."""
        return self.site.origin(head.values(b"host")[0]) or ""

    def _rendered(self, decision: Redirect | ShowWorkspace | Refuse, request_id: str) -> Answer:
        if isinstance(decision, Redirect):
            return Answer(decision.status, [(b"location", decision.location)], b"")
        if isinstance(decision, ShowWorkspace):
            return self.pages.workspace(
                decision.view,
                status=decision.status,
                route=decision.route,
                visitor=decision.visitor,
                request_id=request_id,
            )
        if decision.page:
            return self.pages.refusal(
                decision.error, visitor=decision.visitor, request_id=request_id
            )
        return json_answer(decision.error, request_id)


def json_answer(error: RequestError, request_id: str) -> Answer:
    """Return an error in the envelope of the whole API."""
    headers = [(b"content-type", b"application/json")]
    headers += [
        (name.lower().encode("ascii"), value.encode("ascii"))
        for name, value in error.headers.items()
    ]
    return Answer(error.status, headers, json.dumps(error.envelope(request_id)).encode())


def log_outcome(
    event: str, *, forward: Forward | Passage, head: RequestHead, **details: object
) -> None:
    """Log how something that was let through went wrong or was cut off."""
    _log.info(
        event,
        workspace=forward.route.id,
        user=forward.visitor.name,
        method=head.method,
        path=loggable_path(head.target),
        **details,
    )
