"""Answers that are sent piece by piece, each when the client has taken what came before.

What an answer holds on to (a place, a connection) is held in a context that is entered before the
first byte and left after the last one, also when the client goes away or its session ends. What
fails before the first byte is an error like any other; what fails later breaks the connection off,
so that nobody takes a part for the whole.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from litestar import Response
from litestar.response.base import ASGIResponse

from gateway.controllers.common import AnyRequest, services_of, visitor_of
from gateway.errors import RequestError
from gateway.live import Ended, LiveSessions
from gateway.proxy.seams import Answer
from gateway.proxy.server import HttpProtocol, incoming

PIECE: Final = 64 * 1024
"""Bytes of a whole answer that are handed to the connection at once."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """An answer whose body comes in pieces.

    Attributes:
        status: The HTTP status.
        headers: Without the framing.
        body: The pieces. A `RequestError` ends the connection.
    """

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: AsyncIterator[bytes]


Opening = Callable[[], AbstractAsyncContextManager[Pieces]]


def in_pieces(answer: Answer) -> Pieces:
    """Return a whole answer as pieces."""

    async def body() -> AsyncIterator[bytes]:
        for begin in range(0, len(answer.body), PIECE):
            yield answer.body[begin : begin + PIECE]

    return Pieces(answer.status, answer.headers, body())


class Piecewise(Response[bytes]):
    """What a handler returns to answer piece by piece."""

    def __init__(self, request: AnyRequest, opening: Opening) -> None:
        """Make the answer.

        Args:
            request: A request of somebody who is logged in.
            opening: Gives the answer; entered once the framework lets the answer be sent.
        """
        super().__init__(b"")
        self._request = request
        self._opening = opening

    def to_asgi_response(
        self, *_: Any, headers: dict[str, str] | None = None, **__: Any
    ) -> "_Sent":
        """Return what sends it; of the framework's wishes only the router's headers count."""
        return _Sent(self._request, self._opening, headers or {})


class _Sent(ASGIResponse):
    _should_set_content_length = False

    def __init__(self, request: AnyRequest, opening: Opening, headers: dict[str, str]) -> None:
        super().__init__(headers=headers)
        self._opening = opening
        self._live: LiveSessions = services_of(request).live
        self._session = visitor_of(request).session

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002 - ASGI's
        connection = incoming(scope).connection
        async with (
            _cut_short(connection, self._live, self._session),
            self._opening() as pieces,
        ):
            self.status_code = pieces.status
            for name, value in pieces.headers:
                self.headers[name.decode("latin-1")] = value.decode("latin-1")
            await self.start_response(send)
            try:
                async for piece in pieces.body:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            except RequestError:  # whoever raised it has logged it
                connection.drop(flush=True)
                return
            await send({"type": "http.response.body", "body": b"", "more_body": False})


@asynccontextmanager
async def _cut_short(
    connection: HttpProtocol, live: LiveSessions, session: str
) -> AsyncIterator[None]:
    """End the block, quietly, when the client goes away or the session ends."""
    task = asyncio.current_task()
    assert task is not None  # the server runs each request in one
    cut = False

    def lost() -> None:
        nonlocal cut
        cut = True
        task.cancel()

    def over(_: Ended) -> None:
        connection.watch(None)
        connection.drop(flush=False)
        lost()

    connection.watch(lost)
    try:
        with live.held(session, over):
            yield
    except asyncio.CancelledError:
        if not cut:
            raise
        task.uncancel()
    finally:
        connection.watch(None)
