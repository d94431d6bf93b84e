"""What a workspace wrote: streamed whole by the API, its newest part, without colours, on the page.

No answer holds more than a piece of the whole, and the page no more than `PAGE_BYTES` of it; each
user reads only so many at once. What is not taken by the client is not read from the runner.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gateway.controllers.common import AnyRequest, request_id_of, services_of, visitor_of
from gateway.controllers.piecewise import Pieces, Piecewise, in_pieces
from gateway.errors import NotFoundError, RunnerUnavailableError
from gateway.proxy.seams import Answer
from gateway.runner import LogsWanted
from telemetry.words import plain

PAGE_BYTES: Final = 2**20
"""How much of the newest the page shows; browsers get slow with more."""

_HEADERS: Final = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"x-accel-buffering", b"no"),  # a followed log is of use only as it comes
)


def streamed(request: AnyRequest, workspace_id: str, wanted: LogsWanted) -> Piecewise:
    """Return lines as plain text, as they come from the runner."""
    services = services_of(request)
    # Who follows, holds a place for long: readers must not wait for that.
    places = services.streaming if wanted.follow else services.reading

    @asynccontextmanager
    async def opening() -> AsyncIterator[Pieces]:
        with places.taken(visitor_of(request).name):
            async with services.runner.logs(
                workspace_id, wanted, request_id=request_id_of(request)
            ) as pieces:
                yield Pieces(200, _HEADERS, pieces)

    return Piecewise(request, opening)


def shown(request: AnyRequest, workspace_id: str, tail: int) -> Piecewise:
    """Return the page with the newest of the last lines.

    The place is held until the page is sent: it is large while it waits for a slow client.
    """

    @asynccontextmanager
    async def opening() -> AsyncIterator[Pieces]:
        with services_of(request).reading.taken(visitor_of(request).name):
            yield in_pieces(await _page(request, workspace_id, tail))

    return Piecewise(request, opening)


async def newest(pieces: AsyncIterator[bytes], limit: int) -> tuple[bytes, bool]:
    """Return the last bytes of a log, from the beginning of a line, and whether that is not all."""
    kept = bytearray()
    cut = False
    async for piece in pieces:
        kept += piece
        if len(kept) > limit:
            cut = True
            del kept[:-limit]
    if cut:
        del kept[: kept.find(b"\n") + 1]
    return bytes(kept), cut


async def _page(request: AnyRequest, workspace_id: str, tail: int) -> Answer:
    services = services_of(request)
    raw, cut, problem = b"", False, None
    try:
        async with services.runner.logs(
            workspace_id, LogsWanted(tail=tail), request_id=request_id_of(request)
        ) as pieces:
            raw, cut = await newest(pieces, PAGE_BYTES)
    except RunnerUnavailableError as error:
        problem = error
    except NotFoundError:
        pass  # never started: the page says so
    return services.pages.logs(
        workspace_id,
        visitor=visitor_of(request),
        tail=tail,
        text=plain(raw.decode("utf-8", "replace")),
        empty=not raw and not cut,
        cut=cut,
        problem=problem,
    )
