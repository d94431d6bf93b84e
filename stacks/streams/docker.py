"""`Streams` from a Docker engine.

By a client of its own: streams last, and must not use up the connections of the runner's short
calls. Whose a container is, `Power` decides. What an engine sends is passed on as it comes, a piece
at a time: who does not take it makes the engine wait.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import Any, Self

import aiodocker
import aiohttp
from aiodocker.exceptions import DockerError

from stacks.docker_calls import CONFLICT, NOT_FOUND, quoted, translated
from stacks.engine_client import streamed
from stacks.errors import NotRunningError, TooManyStreamsError, UnknownWorkspaceError
from stacks.power import Container, Power
from stacks.programs.inputs import HOME_PATH
from stacks.streams.docker_exec import DockerProcess
from stacks.streams.left import DETACH_KEYS, SERVED_KEYS, end_left
from stacks.streams.model import ExecOptions, LogOptions, Process
from stacks.streams.multiplex import Demultiplexer
from telemetry.logs import get_logger

MAX_STREAMS = 256
"""Logs and execs that one runner serves at once."""

MAX_OVER_TCP = 40
"""The same where the client's pool of 100 connections bounds them too."""

UNIX = "unix://"

USER = "1000:1000"
"""As the container's own process."""

CONNECT_TIMEOUT = 30.0
"""Seconds for the engine to take a connection, and to answer the short calls here."""

CLOSE_WITHIN = 3.0
"""Seconds that open streams, whose callers were told to end, have for it."""

_log = get_logger(__name__)


class DockerStreams:
    """Logs and exec on one Docker engine."""

    def __init__(
        self,
        power: Power,
        *,
        host: str,
        idle: float,
        most: int = MAX_STREAMS,
        serves: bool = False,
    ) -> None:
        """Prepare; the engine is asked only when needed.

        Args:
            power: Finds containers, and refuses those that are not ours.
            host: Address of the engine.
            idle: Seconds of silence after which an exec is ended.
            most: How many streams may be open at once.
            serves: Whether a daemon runs commands for others, which its successor may have to end.
        """
        self._keys = SERVED_KEYS if serves else DETACH_KEYS
        self._power = power
        self._host = host
        self._idle = idle
        if not host.startswith(UNIX):
            most = min(most, MAX_OVER_TCP)
        self._free = self._most = most
        self._none_open = asyncio.Event()
        self._none_open.set()
        self._client: aiodocker.Docker | None = None
        self._connector: aiohttp.UnixConnector | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=CONNECT_TIMEOUT)
        if self._host.startswith(UNIX):
            # Each stream holds a connection and needs another one at its end: a pool's bound (100)
            # would have all of them wait for each other. `most` bounds them.
            path = self._host.removeprefix(UNIX)
            self._connector = aiohttp.UnixConnector(path, limit=0)
            self._client = aiodocker.Docker(
                f"{UNIX}localhost", connector=self._connector, timeout=timeout
            )
        else:
            self._client = aiodocker.Docker(self._host, timeout=timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Commands that are being hung up still need the engine.
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN):
                await self._none_open.wait()
        if self._client is not None:
            await self._client.close()
            self._client = None
        if self._connector is not None:
            await self._connector.close()
            self._connector = None

    @asynccontextmanager
    async def logs(
        self, workspace_id: str, wanted: LogOptions
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give a log in pieces; see `Streams`."""
        with self._place():
            found = await self._container(workspace_id, step="logs")
            async with AsyncExitStack() as opened:
                with translated("logs"):
                    terminal = await self._has_terminal(found.id)
                    answer = await opened.enter_async_context(self._log(found.id, wanted))
                pieces = await opened.enter_async_context(aclosing(_pieces(answer, terminal)))
                yield pieces

    @asynccontextmanager
    async def exec(self, workspace_id: str, wanted: ExecOptions) -> AsyncIterator[Process]:
        """Run a command in a running workspace; see `Streams`."""
        wanted.check()
        with self._place():
            found = await self._container(workspace_id, step="exec")
            if not found.running:
                raise NotRunningError.of(workspace_id, found.state)
            with translated("exec"):
                process = await self._start(workspace_id, found, wanted)
            _log.info("exec began", workspace=workspace_id)
            try:
                yield process
            finally:
                # To the end also when the caller is cancelled: the command must not be left.
                await process.close()
                _log.info("exec ended", workspace=workspace_id)

    async def end_left(self) -> None:
        """End what a killed runner left; see `Streams`."""
        listed = await self._power.inventory()
        running = [found.id for found in listed.containers.values() if found.running]
        if ended := await end_left(self._docker, running):
            _log.info("commands of a former runner hung up", number=ended)

    async def _container(self, workspace_id: str, *, step: str) -> Container:
        found = await self._power.container(workspace_id)
        if found is None:
            raise UnknownWorkspaceError(f"{workspace_id} has no container", step=step)
        return found

    async def _has_terminal(self, container_id: str) -> bool:
        data = await self._docker.containers.container(container_id).show()
        return bool(data["Config"]["Tty"])

    @asynccontextmanager
    async def _log(
        self, container_id: str, wanted: LogOptions
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        params: dict[str, Any] = {
            "stdout": 1,
            "stderr": 1,
            "follow": int(wanted.follow),
            "timestamps": int(wanted.timestamps),
            "tail": "all" if wanted.tail is None else wanted.tail,
        }
        if wanted.since is not None:
            params["since"] = f"{wanted.since:.9f}"
        path = f"containers/{container_id}/logs"
        async with streamed(self._docker, path, params, within=_unending()) as answer:
            yield answer

    async def _start(
        self, workspace_id: str, found: Container, wanted: ExecOptions
    ) -> DockerProcess:
        container = self._docker.containers.container(found.id)
        try:
            environment = (await container.show())["Config"].get("Env") or []
            made = await self._docker._query_json(  # noqa: SLF001 - its own `exec` knows no Cmd of detach keys
                f"containers/{found.id}/exec",
                method="POST",
                data=_asked(wanted, environment, self._keys),
            )
            process = DockerProcess(
                self._docker,
                made["Id"],
                container_id=found.id,
                wanted=wanted,
                idle=self._idle,
            )
            await process.start()
        except DockerError as error:
            if error.status == NOT_FOUND:
                raise UnknownWorkspaceError(
                    f"{workspace_id} has no container", step="exec"
                ) from error
            if error.status == CONFLICT:  # it ended, or is paused or restarting
                raise NotRunningError.of(workspace_id, quoted(str(error.message))) from error
            raise
        return process

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._free <= 0:
            raise TooManyStreamsError("too many logs and execs are open on this runner")
        self._free -= 1
        self._none_open.clear()
        try:
            yield
        finally:
            self._free += 1
            if self._free == self._most:
                self._none_open.set()

    @property
    def _docker(self) -> aiodocker.Docker:
        assert self._client is not None, "use it as `async with DockerStreams(...)`"
        return self._client


def _asked(wanted: ExecOptions, environment: list[str], keys: str) -> dict[str, Any]:
    """Give what the engine is asked to run."""
    asked = {
        "Cmd": list(wanted.command),
        "AttachStdin": wanted.stdin,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": wanted.tty,
        "User": USER,
        "WorkingDir": HOME_PATH,
        "DetachKeys": keys,
    }
    # Without it the engine looks into the image's list of users, where 1000 may not be.
    if not any(one.startswith("HOME=") for one in environment):
        asked["Env"] = [f"HOME={HOME_PATH}"]
    return asked


def _unending() -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)


async def _pieces(answer: aiohttp.ClientResponse, terminal: bool) -> AsyncGenerator[bytes, None]:
    frames = Demultiplexer()
    while True:
        with translated("logs"):
            data = await answer.content.readany()
        if not data:
            return
        printed = data if terminal else b"".join(piece for _, piece in frames.feed(data))
        if printed:
            yield printed
