"""Asks the runner for what only it can see: a workspace's logs. Over its unix socket.

The runner publishes its address in the index. A runner that is not there is an answer like any
other: RUNNER_UNAVAILABLE. Nothing of the workspace's text is interpreted here.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import aiohttp

from gateway.errors import NotFoundError, RunnerUnavailableError
from state_index.index import Index
from telemetry.logs import get_logger

_PREFIX: Final = "unix:"
_CONNECT_SECONDS: Final = 2.0
_NOT_FOUND: Final = 404
_OK: Final = 200

_log = get_logger(__name__)


class RunnerClient:
    """The runner's API as the gateway uses it."""

    def __init__(self, index: Index, data: Path, *, timeout: float) -> None:
        """Make a client; it connects when it is asked something.

        Args:
            index: Says where the runner listens.
            data: The data tree, to which that address is relative.
            timeout: Seconds for one answer to begin, and between its parts.
        """
        self._index = index
        self._data = data
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=timeout
        )

    @asynccontextmanager
    async def logs(
        self, workspace_id: str, *, tail: int, request_id: str
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the last lines that a workspace wrote, in pieces, as they come.

        What is not taken is not read: at most 128 KiB wait here, the rest is the runner's.

        Raises:
            RunnerUnavailableError: The runner is not there, or failed; also between two pieces.
            NotFoundError: The runner knows no container of this workspace.
        """
        path = f"/v1/workspaces/{workspace_id}/logs"
        async with self._get(path, {"tail": str(tail)}, request_id) as response:
            if response.status == _NOT_FOUND:
                raise NotFoundError("The workspace has no container yet, so it has no logs.")
            if response.status != _OK:
                _log.warning("runner_refused", status=response.status, path=path)
                raise RunnerUnavailableError("The runner could not give the logs.")
            async with aclosing(_pieces(response)) as pieces:
                yield pieces

    async def reachable(self) -> bool:
        """Return whether something listens at the runner's address."""
        info = await asyncio.to_thread(self._index.runner)
        if info is None or not info.address.startswith(_PREFIX):
            return False
        try:
            with _near(self._data / info.address.removeprefix(_PREFIX)) as near:
                _, writer = await asyncio.open_unix_connection(near)
        except OSError:
            return False
        writer.close()
        return True

    @asynccontextmanager
    async def _get(
        self, path: str, params: dict[str, str], request_id: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        info = await asyncio.to_thread(self._index.runner)
        if info is None or not info.address.startswith(_PREFIX):
            raise RunnerUnavailableError
        async with AsyncExitStack() as opened:
            with _translated():
                near = opened.enter_context(_near(self._data / info.address.removeprefix(_PREFIX)))
                session = await opened.enter_async_context(
                    aiohttp.ClientSession(
                        connector=aiohttp.UnixConnector(near), timeout=self._timeout
                    )
                )
                asked = session.get(
                    f"http://runner{path}",
                    params=params,
                    headers={"X-Request-Id": request_id},
                    allow_redirects=False,
                )
                response = await opened.enter_async_context(asked)
            yield response


async def _pieces(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    with _translated():
        async for piece in response.content.iter_any():
            yield piece


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
        _log.warning("runner_unavailable", problem=type(error).__name__)
        raise RunnerUnavailableError from error


@contextmanager
def _near(path: Path) -> Iterator[str]:
    """Give a short path to a socket: socket addresses end at 108 bytes."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
