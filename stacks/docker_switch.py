"""Starting and stopping containers of one Docker engine, and watching one until its IDE answers.

Which container, and whether it may be started, says `stacks.power_docker`.
"""

import asyncio
from pathlib import Path

import aiohttp
from aiodocker.exceptions import DockerError

from stacks import health
from stacks.docker_calls import (
    CALL_TIMEOUT,
    NOT_FOUND,
    UNREACHABLE,
    quoted,
    translated,
    unstartable,
)
from stacks.docker_reads import DockerReads
from stacks.errors import StaleContainerError, StartFailedError
from stacks.fence import Fence
from stacks.power import RUNNING_STATES, Container

WATCH_INTERVAL = 0.25
"""Seconds between two looks at a container whose IDE does not answer yet."""

MAX_RESTARTS = 3
"""Restarts after which a starting container is given up."""

FAILED_START_GRACE = 2.0
"""Seconds that a container gets to end when its start failed."""

TOLD_LOG_LINES = 5
"""Lines of the log that go into the error of a failed start."""


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
        self._refused: dict[str, str] = {}
        """The container that the engine refused to start the last time, by its workspace."""

    async def limit(self, container_id: str, *, pids: int, restart: str) -> None:
        """Set the most processes and the restart policy of a container; see `Power`."""
        body = {"PidsLimit": pids, "RestartPolicy": {"Name": restart}}
        with translated("limits"):
            self._fence.check("limits")
            path = f"containers/{container_id}/update"
            await self._docker._query_json(path, method="POST", data=body)  # noqa: SLF001

    async def _start_and_watch(self, workspace_id: str, found: Container) -> None:
        if not found.running:
            await self._start(found)
        loop = asyncio.get_running_loop()
        look, again = loop.time() + WATCH_INTERVAL, True
        while not await health.is_healthy(self._run, workspace_id):
            if loop.time() >= look:
                if await self._has_ended(workspace_id, found, again=again):
                    again = False
                    await self._start(found)
                look = loop.time() + WATCH_INTERVAL
            await asyncio.sleep(health.POLL_INTERVAL)

    async def _start(self, found: Container) -> None:
        again = self._refused.pop(found.workspace, "") == found.id
        with translated("start"):
            self._fence.check("start")
            try:
                await self._docker.containers.container(found.id).start()
            except DockerError as error:
                if error.status != UNREACHABLE:
                    self._refused[found.workspace] = found.id
                raise unstartable(error, again=again) from error

    async def _has_ended(self, workspace_id: str, found: Container, *, again: bool) -> bool:
        """Whether the container ended, and may be started once more.

        One that ends by itself is started anew by the engine, as its policy says: it is given up when
        that goes on. So one that stays ended was stopped, as by an engine that is itself restarted.

        Raises:
            StaleContainerError: It went away.
            StartFailedError: It ends again and again, or ended once more.
        """
        data = await self._inspect(found.id)
        if data is None:
            raise StaleContainerError(f"the container of {workspace_id} went away", step="start")
        ended = data["State"]["Status"] in {"exited", "dead"}
        if data["RestartCount"] >= MAX_RESTARTS or (ended and not again):
            code = data["State"]["ExitCode"]
            told = f"the container of {workspace_id} ended with exit code {code}"
            raise await self._start_failed(found, told)
        return ended

    async def _start_failed(self, found: Container, what: str) -> StartFailedError:
        """Give the error, and end what we started: it would restart for ever."""
        with translated("logs"):
            log = await self._tail(found.id, TOLD_LOG_LINES)
        if not found.running and await self._runs(found.id):
            await self._stop(found.id, grace=FAILED_START_GRACE)
        told = f"{what}; it said: {quoted(log)}" if log.strip() else what
        return StartFailedError(told, step="start")

    async def _runs(self, container_id: str) -> bool:
        data = await self._inspect(container_id)
        return data is not None and data["State"]["Status"] in RUNNING_STATES

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
