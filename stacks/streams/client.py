"""Logs and exec of a daemon, over its unix socket: the other end of `stacks.streams.server`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    aclosing,
    asynccontextmanager,
    contextmanager,
)

import aiohttp

from stacks.errors import RunnerUnreachableError, from_json
from stacks.streams import frames
from stacks.streams.frames import Channel, Size
from stacks.streams.model import ExecOptions, LogOptions, Process

Call = Callable[..., AbstractAsyncContextManager[aiohttp.ClientResponse]]
Connect = Callable[..., AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]]

_BROKE_OFF = "the runner broke off before the end"


class ClientStreams:
    """A daemon's `Streams`; made by `RunnerClient`, which connects."""

    def __init__(self, call: Call, connect: Connect) -> None:
        """Prepare.

        Args:
            call: Sends a request for a path with a query, and raises its refusal.
            connect: Opens a WebSocket likewise.
        """
        self._call = call
        self._connect = connect

    @asynccontextmanager
    async def logs(
        self, workspace_id: str, wanted: LogOptions
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give a log in pieces; see `Streams`."""
        path = f"/v1/workspaces/{workspace_id}/logs"
        async with (
            self._call("GET", path, query=wanted.query()) as response,
            aclosing(_pieces(response)) as pieces,
        ):
            yield pieces

    @asynccontextmanager
    async def exec(self, workspace_id: str, wanted: ExecOptions) -> AsyncIterator[Process]:
        """Run a command in a running workspace; see `Streams`."""
        wanted.check()
        path = f"/v1/workspaces/{workspace_id}/exec"
        async with self._connect(path, query=wanted.query()) as socket:
            yield ClientProcess(socket)


class ClientProcess:
    """A command that a daemon runs for us; see `Process`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._code: int | None = None

    async def read(self) -> tuple[Channel, bytes] | None:
        """Wait for output; see `Process`."""
        with broken():
            message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.BINARY:
            raise RunnerUnreachableError(_BROKE_OFF)
        channel, data = frames.parse(message.data)
        if channel is not Channel.END:
            return channel, data
        told = frames.parse_json(data)
        if "error" in told:
            raise from_json(told["error"])
        self._code = int(told["exit_code"])
        return None

    async def write(self, data: bytes) -> None:
        """Send input; returns when there is room for more."""
        for begin in range(0, len(data), frames.PIECE):
            await self._send(frames.frame(Channel.STDIN, data[begin : begin + frames.PIECE]))

    async def close_stdin(self) -> None:
        """Say that there is no more input."""
        await self._send(frames.frame(Channel.CLOSE, bytes([Channel.STDIN])))

    async def resize(self, size: Size) -> None:
        """Tell the terminal's size."""
        told = {"cols": size.cols, "rows": size.rows}
        await self._send(frames.json_frame(Channel.RESIZE, told))

    async def exit_code(self) -> int:
        """Give what came last."""
        assert self._code is not None, "read until there is no more"
        return self._code

    async def _send(self, message: bytes) -> None:
        # After the end of the command nobody takes it, and reading says how it ended.
        if not self._socket.closed:
            try:
                await self._socket.send_bytes(message)
            except (ConnectionError, aiohttp.ClientError):
                return


@contextmanager
def broken() -> Iterator[None]:
    """Turn what a broken connection raises into our error."""
    try:
        yield
    except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
        raise RunnerUnreachableError(_BROKE_OFF) from error


async def _pieces(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    while True:
        with broken():
            piece = await response.content.readany()
        if not piece:
            return
        yield piece
