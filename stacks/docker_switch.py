"""Starting and stopping containers of one Docker engine, and watching one until its IDE answers.

Which container, and whether it may be started, says `stacks.power_docker`.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiodocker.exceptions import DockerError

from stacks import health
from stacks.docker_calls import (
    CALL_TIMEOUT,
    NOT_FOUND,
    may_be_broken,
    quoted,
    translated,
    unstartable,
)
from stacks.docker_reads import DockerReads
from stacks.errors import EngineRefusedError, StaleContainerError, StartFailedError
from stacks.fence import Fence
from stacks.power import RUNNING_STATES, Container
from telemetry.words import plain

WATCH_INTERVAL = 0.25
"""Seconds between two looks at a container whose IDE does not answer yet."""

MAX_RESTARTS = 3
"""Restarts after which a starting container is given up."""

FAILED_START_GRACE = 2.0
"""Seconds that a container gets to end when its start failed."""

REFUSED_PAUSE = 2.0
"""Seconds after which a refused start is tried once more: what passes by itself is over by then."""

TOLD_LOG_LINES = 5
"""Lines of the log that go into the error of a failed start."""


@dataclass
class _Watched:
    """A container that is watched while it starts.

    Attributes:
        found: It, as it was found.
        restarts: How often the engine had restarted it by then.
        started: Whether we started it since, and so are to end it should that fail.
    """

    found: Container
    restarts: int
    started: bool = False

    def restarted(self, data: Mapping[str, Any]) -> int:
        """How often the engine restarted it since: by itself, after it had ended."""
        return int(data["RestartCount"]) - (0 if self.started else self.restarts)


class DockerSwitch(DockerReads):
    """On and off, of containers that were looked at."""

    def __init__(self, host: str, *, run: Path, fence: Fence) -> None:
        """Prepare.

        Args:
            host: The engine's address.
            run: Parent of the run folders.
            fence: Says whether anything may be changed.
        """
        super().__init__(host, timeout=aiohttp.ClientTimeout(total=CALL_TIMEOUT))
        self._run = run
        self._fence = fence

    async def limit(self, container_id: str, *, pids: int, restart: str) -> None:
        """Set the most processes and the restart policy of a container; see `Power`."""
        body = {"PidsLimit": pids, "RestartPolicy": {"Name": restart}}
        with translated("limits"):
            self._fence.check("limits")
            path = f"containers/{container_id}/update"
            await self._docker._query_json(path, method="POST", data=body)  # noqa: SLF001

    async def _may_start(self, found: Container) -> None:
        """Make sure that a container may be started now: asked right before each start."""
        raise NotImplementedError

    async def _start_and_watch(self, found: Container, *, within: float) -> None:
        """Start a container unless it runs, and return when its IDE answers.

        One that ends by itself is started anew by the engine, as its policy says: it is given up when
        that goes on. So one that stays ended was stopped, as by an engine that is itself restarted:
        it is started once more.
        """
        is_on = found.running
        restarts = (await self._there(found))["RestartCount"] if is_on else 0
        watched = _Watched(found, restarts=restarts)
        for last in (False, True):
            if not is_on:
                await self._start(watched)
            if await self._answers(watched, within=within, last=last):
                return
            is_on = False

    async def _start(self, watched: _Watched) -> None:
        found = watched.found
        error = await self._refused(found)
        again = error is not None and may_be_broken(error)
        if again:
            await asyncio.sleep(REFUSED_PAUSE)
            error = await self._refused(found)
        if error is not None:
            again = again and may_be_broken(error)
            raise unstartable(error, again=again) from error
        watched.started = True

    async def _refused(self, found: Container) -> DockerError | None:
        """Start it; gives what the engine refused that with."""
        await self._may_start(found)
        with translated("start"):
            self._fence.check("start")
            try:
                await self._docker.containers.container(found.id).start()
            except DockerError as error:
                return error
        return None

    async def _answers(self, watched: _Watched, *, within: float, last: bool) -> bool:
        """Whether its IDE answers; not, when it was stopped and may be started once more."""
        workspace = watched.found.workspace
        try:
            async with asyncio.timeout(within):
                return await self._watch(watched, last=last)
        except TimeoutError:
            told = f"the IDE of {workspace} did not answer within {within:g} s"
            raise await self._start_failed(watched, told, loops=False) from None

    async def _watch(self, watched: _Watched, *, last: bool) -> bool:
        workspace, loop = watched.found.workspace, asyncio.get_running_loop()
        look = loop.time() + WATCH_INTERVAL
        while not await health.is_healthy(self._run, workspace):
            if loop.time() >= look:
                data = await self._there(watched.found)
                loops = watched.restarted(data) >= MAX_RESTARTS
                ended = data["State"]["Status"] in {"exited", "dead"}
                if loops or (ended and last):
                    raise await self._start_failed(watched, _end(workspace, data), loops=loops)
                if ended:
                    return False
                look = loop.time() + WATCH_INTERVAL
            await asyncio.sleep(health.POLL_INTERVAL)
        return True

    async def _there(self, found: Container) -> dict[str, Any]:
        data = await self._inspect(found.id)
        if data is None:
            told = f"the container of {found.workspace} went away"
            raise StaleContainerError(told, step="start")
        return data

    async def _start_failed(self, watched: _Watched, what: str, *, loops: bool) -> StartFailedError:
        """Give the error, and end what we started or what ends again and again: it would for ever.

        Raises:
            StaleContainerError: It went away meanwhile.
        """
        found = watched.found
        data = await self._there(found)
        if data["State"]["Status"] in RUNNING_STATES:
            loops = loops or watched.restarted(data) > 1 or data["State"]["Restarting"]
            if watched.started or loops:
                await self._stop(found.id, grace=FAILED_START_GRACE)
        log = ""
        with contextlib.suppress(EngineRefusedError), translated("logs"):
            log = await self._tail(found.id, TOLD_LOG_LINES)
        told = f"{what}; it said: {quoted(log)}" if plain(log).strip() else what
        return StartFailedError(told, step="start")

    async def _stop(self, container_id: str, *, grace: float) -> None:
        deadline = aiohttp.ClientTimeout(total=grace + CALL_TIMEOUT)
        with translated("stop"):
            self._fence.check("stop")
            try:
                container = self._docker.containers.container(container_id)
                await container.stop(t=round(grace), timeout=deadline)
            except DockerError as error:
                if error.status != NOT_FOUND:
                    raise


def _end(workspace: str, data: Mapping[str, Any]) -> str:
    """Say how a container ended; while it runs once more, its former code is not known any more."""
    code, restarts = data["State"]["ExitCode"], data["RestartCount"]
    if data["State"]["Status"] == "running":
        return f"the container of {workspace} ended again and again, {restarts} times by now"
    return f"the container of {workspace} ended with exit code {code}"
