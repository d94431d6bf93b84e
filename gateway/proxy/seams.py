"""What the proxy needs from the rest of the gateway: who the visitor is, and how answers look.

`app` hands in the real ones; tests have small ones of their own. No logic here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.errors import RequestError
from gateway.routing import Route


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is logged in.

    Attributes:
        name: The user's name, which is also the `owner` of workspaces.
        admin: Whether the user may see everybody's workspaces in the portal. Opens none.
        session: The session's key in `gateway.live`, not its id.
    """

    name: str
    admin: bool
    session: str


class View(StrEnum):
    """The pages that stand in for a workspace that is not running."""

    STARTING = "starting"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of our own.

    Attributes:
        status: The HTTP status.
        headers: Without Content-Length, Connection and Date.
        body: All of it.
    """

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


class SessionLookup(Protocol):
    """Finds out who sends a request. Asked for every request: must mostly answer from memory."""

    async def lookup(self, cookies: Sequence[bytes]) -> Visitor | None:
        """Return who is logged in by these `Cookie` values, or None.

        Raises:
            UnavailableError: The store does not answer.
        """
        ...


class Pages(Protocol):
    """Renders answers for people. Must not wait for anything."""

    def workspace(
        self, view: View, *, status: int, route: Route, visitor: Visitor, request_id: str
    ) -> Answer:
        """Return the page of a workspace that is not running."""
        ...

    def refusal(self, error: RequestError, *, visitor: Visitor | None, request_id: str) -> Answer:
        """Return the page for an error: 400, 403, 404, 421, 502, 503, 504."""
        ...
