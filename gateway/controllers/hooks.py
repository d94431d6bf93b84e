"""`/api/v1/hooks/...`: where the forge says that something was pushed."""

from typing import Final

import msgspec
from litestar import post
from litestar.params import FromPath
from litestar.status_codes import HTTP_202_ACCEPTED

from gateway.controllers.common import AnyRequest, services_of

DELIVERY_MAX: Final = 4 << 20
"""Bytes: a push of many commits is long. One that is longer is found by the next look."""


class TakenBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook led to: `asked` tells that the repository is looked at for it."""

    asked: bool


@post(
    "/hooks/{forge:str}",
    summary="Take a webhook",
    status_code=HTTP_202_ACCEPTED,
    request_max_body_size=DELIVERY_MAX,
    tags=["hooks"],
)
async def take_hook(request: AnyRequest, forge: FromPath[str]) -> TakenBody:
    """Have the followed repository looked at, for a signed push to its branch.

    `forge` is `github`, `gitea` or `gitlab`. The delivery is believed by its signature alone, and
    taken once.
    """
    body = await request.body()
    asked = await services_of(request).hooks.take(forge, dict(request.headers), body)
    return TakenBody(asked=asked)
