"""The Docker engine's events, as ids of workspaces that something happened to.

One stream, opened again with growing pauses when it ends. What happened in between is not known:
`Gap` says so, and the next list covers it. Events of the network carry no labels, so the engine is
asked for events by kind alone, and what is not ours is left out here.
"""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import aiohttp

from stacks.docker_calls import CALL_TIMEOUT, quoted, translated
from stacks.engine_client import EngineClient, streamed
from stacks.errors import StacksError
from stacks.programs.inputs import LABEL_PREFIX, LABEL_WORKSPACE
from telemetry.logs import get_logger

ACTIONS = (
    "create", "start", "die", "destroy", "update", "rename", "pause", "unpause",
    "connect", "disconnect",
)  # fmt: skip
"""What may make a container another one. Not `exec_*` and `health_status`: those come all day."""

KINDS = ("container", "network")

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds before the stream is opened again."""

LONGEST_LINE = 1 << 20

_log = get_logger(__name__)


@dataclass(frozen=True)
class Happened:
    """Something happened to a container: the workspace's id, or the container's where that is all."""

    workspace: str = ""
    container: str = ""
    action: str = ""


@dataclass(frozen=True)
class Gap:
    """The stream begins (again): what happened before was not told."""


def read(event: Mapping[str, Any], *, name_prefix: str) -> Happened | None:
    """Read one event of the engine; None when it is not about us. Pure."""
    actor = event.get("Actor") or {}
    about = actor.get("Attributes") or {}
    action = str(event.get("Action", ""))
    if action not in ACTIONS:
        return None
    if event.get("Type") == "network":
        container = str(about.get("container", ""))
        return Happened(container=container, action=action) if container else None
    name = str(about.get("name", ""))
    if about.get(LABEL_PREFIX) == name_prefix and about.get(LABEL_WORKSPACE):
        return Happened(workspace=about[LABEL_WORKSPACE], action=action)
    if name.startswith(name_prefix):  # without our labels, in the place of one of ours
        return Happened(workspace=name.removeprefix(name_prefix), action=action)
    return None


class EngineEvents(EngineClient):
    """The stream of one engine; use it as ``async with``."""

    def __init__(self, *, host: str, name_prefix: str) -> None:
        """Prepare; the engine is asked only when events are wanted.

        Args:
            host: The engine's address.
            name_prefix: First part of our names, and the value of our prefix label.
        """
        super().__init__(host)
        self._prefix = name_prefix

    async def follow(self) -> AsyncGenerator[Happened | Gap]:
        """Give what happens, for ever; a `Gap` whenever the stream was opened."""
        pause, warned = FIRST_PAUSE, ""
        while True:
            try:
                async with aclosing(self._once()) as stream:
                    async for found in stream:
                        pause, warned = FIRST_PAUSE, ""
                        yield found
                _log.debug("the engine ended its events")
            except StacksError as error:
                if error.message != warned:
                    _log.warning("no events of the engine, it is listed", problem=error.message)
                warned = error.message
            await asyncio.sleep(pause * random.uniform(0.8, 1.0))  # noqa: S311 - spreads load only
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _once(self) -> AsyncGenerator[Happened | Gap]:
        filters = json.dumps({"type": list(KINDS), "event": list(ACTIONS)})
        unending = aiohttp.ClientTimeout(total=None, sock_connect=CALL_TIMEOUT)
        with translated("events"):
            asked = streamed(self._docker, "events", {"filters": filters}, within=unending)
            async with asked as answer:
                yield Gap()
                async for line in _lines(answer):
                    if found := self._parsed(line):
                        yield found

    def _parsed(self, line: bytes) -> Happened | None:
        try:
            return read(json.loads(line), name_prefix=self._prefix)
        except (ValueError, AttributeError):
            _log.warning(
                "an event that can't be read", said=quoted(line[:200].decode(errors="replace"))
            )
            return None


async def _lines(answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
    """Cut the stream at line ends, whatever the pieces; a line without end is given up."""
    rest = b""
    async for piece in answer.content.iter_any():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.strip():
                yield line
        if len(rest) > LONGEST_LINE:
            rest = b""
