"""Turns errors and pages into answers: JSON under `/api`, pages for people, JSON for the rest."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from litestar import Response

from gateway.errors import RequestError
from gateway.pages import Pages
from gateway.proxy.seams import Answer, Visitor

API: Final = b"/api/"


def refusal_for(
    error: RequestError,
    *,
    pages: Pages,
    wants_page: bool,
    path: bytes,
    visitor: Visitor | None,
    request_id: str,
) -> Answer:
    """Return the answer for an error, in the form that the client reads."""
    if wants_page and not path.startswith(API):
        return pages.refusal(error, visitor=visitor, request_id=request_id)
    return envelope(error, request_id)


def envelope(error: RequestError, request_id: str) -> Answer:
    """Return an error as the API gives it."""
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    headers |= {name.lower(): value for name, value in error.headers.items()}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return Answer(error.status, raw, msgspec.json.encode(error.envelope(request_id)))


async def send_answer(answer: Answer, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Send a whole answer; the server leaves the body out for HEAD."""
    headers = [*answer.headers, (b"content-length", str(len(answer.body)).encode("ascii"))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def response(answer: Answer) -> Response[bytes]:
    """Return an answer as the framework wants it."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
    media_type = headers.pop("content-type").partition(";")[0]  # it adds the charset itself
    return Response(answer.body, status_code=answer.status, media_type=media_type, headers=headers)
