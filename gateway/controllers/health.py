"""`/healthz`: the process lives. `/readyz`: it can serve. For load balancers; open to anybody."""

import asyncio

from litestar import Response, get

from gateway.controllers.common import AnyRequest, services_of
from gateway.errors import StoreError
from state_index.errors import StateIndexError
from telemetry.logs import get_logger

_log = get_logger(__name__)
_HEADERS = {"cache-control": "no-store"}


@get("/healthz", include_in_schema=False)
async def healthz() -> Response[str]:
    """Say that the process lives."""
    return Response("ok\n", media_type="text/plain", headers=_HEADERS)


@get("/readyz", include_in_schema=False)
async def readyz(request: AnyRequest) -> Response[str]:
    """Say whether store and index can be read; why not is in the log only."""
    services = services_of(request)
    try:
        await asyncio.to_thread(services.store.check)
        await asyncio.to_thread(services.index.generation)
    except (StoreError, StateIndexError) as error:
        _log.warning("not_ready", problem=str(error))
        return Response("not ready\n", media_type="text/plain", status_code=503, headers=_HEADERS)
    return Response("ready\n", media_type="text/plain", headers=_HEADERS)
