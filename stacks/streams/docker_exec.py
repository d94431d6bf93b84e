"""One command in a container of a Docker engine: its connection, its terminal, its end."""

import asyncio
from contextlib import suppress
from typing import Any

import aiodocker
import aiohttp
from aiodocker.exceptions import DockerError
from aiodocker.execs import Exec
from aiodocker.stream import Message, Stream

from stacks.docker_calls import translated
from stacks.errors import StacksError, StreamIdleError
from stacks.streams.frames import Channel, Size
from stacks.streams.hangup import hang_up
from stacks.streams.model import ExecOptions
from telemetry.logs import get_logger

FIRST_LOOK = 0.01
LAST_LOOK = 0.5
"""Seconds between two looks whether a command that says nothing more has ended; doubled each time."""

RESIZE_TRIES = 50
RESIZE_AGAIN = 0.02
"""The engine takes sizes only once the process is there, and says so too early."""

PID_TRIES = 100
PID_AGAIN = 0.02
"""The engine tells a process's number only some time after what the process said first."""

_REFUSED = b"OCI runtime exec failed"
"""What the engine writes into stdout when there is no such program."""

_log = get_logger(__name__)


class DockerProcess:
    """A command that the engine runs; see `Process`."""

    def __init__(
        self,
        docker: aiodocker.Docker,
        exec_id: str,
        *,
        container_id: str,
        wanted: ExecOptions,
        idle: float,
    ) -> None:
        """Prepare; `start` starts it.

        Args:
            docker: The engine.
            exec_id: The engine's name for it, made and not started.
            container_id: Where it runs.
            wanted: As which it was made.
            idle: Seconds without output or input after which it is given up.
        """
        self._exec = Exec(docker, exec_id, tty=wanted.tty)
        self._stream: Stream = self._exec.start(detach=False)
        self._container = container_id
        self._wanted = wanted
        self._idle = idle
        self._spoke = self._now()
        self._began = False
        self._ended = False

    async def start(self) -> None:
        """Start it, with a terminal of the wanted size."""
        await self._stream._init()  # noqa: SLF001 - entering it would tie its end to a block
        if self._wanted.size is not None:
            await self.resize(self._wanted.size)

    async def read(self) -> tuple[Channel, bytes] | None:
        """Wait for output; see `Process`."""
        with translated("exec"):
            message = await self._message()
        if message is None:
            return None
        refused = not self._began and message.data.startswith(_REFUSED)
        self._began = True
        stderr = message.stream == Channel.STDERR or refused
        return Channel.STDERR if stderr else Channel.STDOUT, message.data

    async def write(self, data: bytes) -> None:
        """Send input; what comes after the command's end is dropped."""
        if self._transport is None or self._transport.is_closing():
            return
        self._spoke = self._now()
        # It may end while this waits for room: reading says how.
        with suppress(OSError, aiohttp.ClientError):
            await self._stream.write_in(data)

    async def close_stdin(self) -> None:
        """Say that there is no more input."""
        transport = self._transport
        if transport is not None and not transport.is_closing() and transport.can_write_eof():
            transport.write_eof()

    async def resize(self, size: Size) -> None:
        """Tell the terminal's size, once there is one; see `Process`."""
        if not self._wanted.tty:
            return
        for _ in range(RESIZE_TRIES):
            try:
                await self._exec.resize(h=size.rows, w=size.cols)
            except DockerError:
                if await self._code() is not None:
                    return
                await asyncio.sleep(RESIZE_AGAIN)
            else:
                return

    async def exit_code(self) -> int:
        """Wait for the end; also of a command that closed its output and goes on."""
        pause = FIRST_LOOK
        while (code := await self._code()) is None:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_LOOK)
        self._ended = True
        return code

    async def close(self) -> None:
        """Let go of the connection; a command that has not ended is hung up."""
        try:
            if not self._ended:
                pid = await self._pid()
                await hang_up(pid, container_id=self._container)
        except StacksError as error:
            _log.info("command not hung up", reason=error.reason)
        finally:
            await self._stream.close()

    async def _message(self) -> Message | None:
        while True:
            try:
                async with asyncio.timeout_at(self._spoke + self._idle):
                    message = await self._stream.read_out()
            except TimeoutError:
                # Its input may have come later than the wait began.
                if self._now() >= self._spoke + self._idle:
                    raise StreamIdleError(
                        "neither the command nor its client said anything"
                    ) from None
            else:
                self._spoke = self._now()
                return message

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _pid(self) -> int:
        """Give the number of its process; 0 when it has ended, or none becomes known."""
        for _ in range(PID_TRIES):
            found = await self._inspect()
            if not found["Running"] or found.get("Pid"):
                return int(found.get("Pid") or 0) if found["Running"] else 0
            await asyncio.sleep(PID_AGAIN)
        return 0

    async def _code(self) -> int | None:
        found = await self._inspect()
        return None if found["Running"] or found["ExitCode"] is None else int(found["ExitCode"])

    async def _inspect(self) -> dict[str, Any]:
        with translated("exec"):
            return await self._exec.inspect()

    @property
    def _transport(self) -> asyncio.Transport | None:
        # aiodocker has no way to end stdin alone.
        response = self._stream._resp  # noqa: SLF001
        connection = response.connection if response is not None else None
        return connection.transport if connection is not None else None
