"""Renders the pages. Nothing here waits: it is called on the event loop with all that it needs."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.errors import RequestError, UpstreamTimeoutError, UpstreamUnavailableError
from gateway.headers import security_headers
from gateway.history import PHASES_MAX, HistoryBody
from gateway.pages import details, words
from gateway.pages.assets import Assets
from gateway.pages.files import FilePages
from gateway.pages.views import counts, view_of, workspace_url
from gateway.proxy.seams import Answer, View, Visitor
from gateway.repository import RepositoryBody
from gateway.routing import Route
from state_index.models import Published, utc_now
from state_index.phases import Sync

_TEMPLATES: Final = Path(__file__).parent / "templates"
_RETRY_SECONDS: Final = 2
TAILS: Final = (200, 1000, 5000)
"""How many log lines the logs page offers."""

_TITLES: Final = {
    400: ("That request makes no sense", "error", "warn"),
    401: ("Log in first", "lock", "warn"),
    403: ("This is not yours", "lock", "warn"),
    404: ("Nothing here", "unknown", "rest"),
    405: ("Not that way", "error", "warn"),
    409: ("Not like that", "error", "warn"),
    413: ("That is too large", "error", "warn"),
    421: ("Wrong address", "error", "warn"),
    422: ("The file is not right", "invalid", "warn"),
    429: ("A little slower", "waiting", "warn"),
    500: ("That was our mistake", "error", "bad"),
    502: ("The runner could not do it", "error", "bad"),
    503: ("Not at the moment", "waiting", "warn"),
    504: ("That took too long", "waiting", "bad"),
}

_OF_WORKSPACES: Final = {
    502: (
        "The workspace does not answer",
        "Its editor may be busy, just starting, or ended. Try again in a moment; its logs say more.",
    ),
    504: (
        "The workspace took too long",
        "It may be busy. Try again in a moment; if it stays so, stop and start it.",
    ),
}
"""Title and advice where it is the workspace's own fault."""


class Pages:
    """Every page of the gateway."""

    def __init__(
        self, *, https: bool, find: Callable[[str], Published | None] = lambda _id: None
    ) -> None:
        """Read templates and assets.

        Args:
            https: Whether the public address is HTTPS.
            find: Gives what is published of a workspace, from memory; the proxy knows less.
        """
        self.assets = Assets.load()
        self._find = find
        self._headers = security_headers(https=https) | {
            "content-type": "text/html; charset=utf-8",
            "cache-control": "no-store",
        }
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.filters["ticked"] = words.ticked
        self._templates.globals.update(
            asset=self.assets.url, ago=words.ago, elapsed=words.elapsed, clock=words.clock
        )
        self.files = FilePages(self._page)

    def login(
        self, *, next_path: str, username: str = "", problem: RequestError | None = None
    ) -> Answer:
        """Return the login form, after a failed attempt with what was wrong."""
        return self._page(
            "login.html",
            status=problem.status if problem else 200,
            headers=problem.headers if problem else {},
            visitor=None,
            next=next_path,
            username=username,
            problem=problem.message if problem else "",
        )

    def portal(
        self,
        rows: Sequence[Published],
        *,
        visitor: Visitor,
        everybody: bool,
        runner: bool,
        repository: RepositoryBody,
        reasons: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        """Return the list of workspaces; for `reasons` see `Desk.reasons`."""
        return self._page(
            "portal.html",
            visitor=visitor,
            views=[view_of(row) for row in rows],
            counts=counts(rows),
            everybody=everybody,
            runner=runner,
            repository=repository,
            reasons=reasons,
        )

    def card(self, row: Published, *, visitor: Visitor, reason: str | None = None) -> Answer:
        """Return one card of the portal, for the script to swap in; for `reason` see `state`."""
        return self._page(
            "fragment.html",
            visitor=visitor,
            view=view_of(row),
            mine=row.owner == visitor.name,
            reason=reason,
        )

    def state(
        self,
        row: Published,
        *,
        visitor: Visitor,
        target: str = "",
        status: int = 200,
        problem: RequestError | None = None,
        reason: str | None = None,
    ) -> Answer:
        """Return the page of one workspace.

        Args:
            row: The workspace.
            visitor: Who looks.
            target: Where the visitor wants to go when it runs; empty when nowhere.
            status: The HTTP status.
            problem: Why what was asked for did not happen.
            reason: Why its file can't be changed here, "" when it can, None when that is not known.
        """
        view = view_of(row)
        retry = {"retry-after": str(_RETRY_SECONDS)} if view.busy and status != 200 else {}  # noqa: PLR2004
        return self._page(
            "workspace.html",
            status=problem.status if problem else status,
            headers=retry,
            visitor=visitor,
            view=view,
            mine=row.owner == visitor.name,
            target=target or workspace_url(row.id),
            follow=bool(target),
            reason=reason,
            notice=problem.message if problem else "",
        )

    def details(
        self, row: Published, history: HistoryBody, *, visitor: Visitor, followed: bool, limit: int
    ) -> Answer:
        """Return the page of what is asked of a workspace, what runs, and how it came to be.

        Args:
            row: The workspace.
            history: Its phases, and the commits of its file.
            visitor: Who looks.
            followed: Whether a repository is followed.
            limit: How many phases were asked for.
        """
        return self._page(
            "details.html",
            visitor=visitor,
            view=view_of(row),
            properties=details.properties(row),
            steps=details.steps(history.phases),
            commits=details.commits(history.commits),
            diffs=details.has_diffs(history),
            problem=history.commits_error,
            followed=followed,
            more=len(history.phases) == limit < PHASES_MAX,
        )

    def logs(
        self,
        workspace_id: str,
        *,
        visitor: Visitor,
        tail: int,
        text: str = "",
        empty: bool = False,
        cut: bool = False,
        problem: RequestError | None = None,
    ) -> Answer:
        """Return the page with the last log lines.

        Args:
            workspace_id: Whose.
            visitor: Who looks.
            tail: How many lines were asked for.
            text: The lines.
            empty: Whether nothing was written: what steers a terminal is no text, and was written.
            cut: Whether older ones of these are left out.
            problem: Why there are none.
        """
        return self._page(
            "logs.html",
            status=problem.status if problem else 200,
            visitor=visitor,
            id=workspace_id,
            tail=tail,
            choices=sorted({*TAILS, tail}),
            text=text,
            empty=empty,
            cut=cut,
            problem=problem.message if problem else "",
        )

    def workspace(
        self, view: View, *, status: int, route: Route, visitor: Visitor, request_id: str
    ) -> Answer:
        """Return the page that stands in for a workspace that is not running."""
        del view, request_id  # the phase says which; nothing went wrong that needs an id
        row = self._find(route.id) or _row(route)
        return self.state(row, visitor=visitor, target=workspace_url(route.id), status=status)

    def refusal(self, error: RequestError, *, visitor: Visitor | None, request_id: str) -> Answer:
        """Return the page for an error."""
        title, symbol, tone = _TITLES.get(error.status, _TITLES[500])
        message = error.message
        upstream = isinstance(error, UpstreamUnavailableError | UpstreamTimeoutError)
        if upstream:
            title, message = _OF_WORKSPACES[error.status]
        return self._page(
            "error.html",
            status=error.status,
            headers=error.headers,
            visitor=visitor,
            title=title,
            symbol=symbol,
            tone=tone,
            code=error.status,
            message=message,
            retry=upstream,
            workspace=error.details.get("workspace", ""),
            request_id=request_id,
        )

    def _page(
        self,
        name: str,
        *,
        visitor: Visitor | None,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> Answer:
        body = self._templates.get_template(name).render(visitor=visitor, **context)
        every = self._headers | {key.lower(): value for key, value in (headers or {}).items()}
        raw = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in every.items()]
        return Answer(status, raw, body.encode("utf-8"))


def _row(route: Route) -> Published:
    return Published(
        id=route.id,
        owner=route.owner,
        phase=route.phase,
        sync=Sync.SYNCED,
        reason=route.reason,
        message=route.message,
        step=route.step,
        since=route.since or utc_now(),
        retry_at=route.retry_at,
        generation=route.generation,
    )
