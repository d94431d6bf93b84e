"""How calls to the daemon are made and told: their headers, and its silence as an error of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from stacks.errors import RunnerUnreachableError
from stacks.operator import REQUEST_ID
from telemetry import context


def headers_of(request_id: str) -> dict[str, str]:
    """Give the headers that carry a request's id."""
    found = request_id or context.request_id()
    return {REQUEST_ID: found} if found else {}


@contextmanager
def unreachable() -> Iterator[None]:
    """Turn what a daemon that is gone leads to into an error of ours."""
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        raise RunnerUnreachableError(f"the runner does not answer: {error}") from error
