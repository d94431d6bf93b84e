"""Ends commands whose runner was killed before it could: nobody reads them any more.

A daemon's are told from those of `docker exec`, and of a `codehub exec` that needs no daemon, by their
detach keys (`SERVED_KEYS`), which nobody types.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable
from typing import Any

import aiodocker
from aiodocker.exceptions import DockerError

from stacks.docker_calls import NOT_FOUND, translated
from stacks.streams.hangup import hang_up

_AT_HAND = 8
_SERVED = 9


def _pressed(times: int) -> str:
    return ",".join(["ctrl-@"] * times)


DETACH_KEYS = _pressed(_AT_HAND)
"""What makes the engine let go of a terminal: it can't be turned off, and its default holds back
each Ctrl-P until the next key."""

SERVED_KEYS = _pressed(_SERVED)
"""The same for commands that a daemon runs for others: they have no reader once it was killed."""

_SIGN = base64.b64encode(bytes(_SERVED)).decode()
"""The last as the engine tells them."""


async def end_left(docker: aiodocker.Docker, containers: Iterable[str]) -> int:
    """Hang up all commands of a daemon that run in these containers; call it before any is started.

    Args:
        docker: A client.
        containers: Whole ids.

    Returns:
        How many were hung up.

    Raises:
        EngineUnavailableError: The engine does not answer.
    """
    found = [(pid, id_) for id_ in containers async for pid in _left(docker, id_)]
    # Together: each that does not mind takes a second.
    return sum(await asyncio.gather(*(hang_up(pid, container_id=id_) for pid, id_ in found)))


async def _left(docker: aiodocker.Docker, container_id: str) -> AsyncIterator[int]:
    found = await _asked(docker, f"containers/{container_id}/json")
    for exec_id in found.get("ExecIDs") or []:
        one = await _asked(docker, f"exec/{exec_id}/json")
        if one.get("Running") and one.get("DetachKeys") == _SIGN:
            yield int(one.get("Pid") or 0)


async def _asked(docker: aiodocker.Docker, path: str) -> dict[str, Any]:
    with translated("exec"):
        try:
            answer: dict[str, Any] = await docker._query_json(path)  # noqa: SLF001 - it has no typed way
        except DockerError as error:
            if error.status != NOT_FOUND:
                raise
            return {}  # it ended meanwhile
    return answer
