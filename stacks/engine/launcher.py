"""The runner's side of the fork server: start it, ask it for workers, end it."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from stacks.engine.wire import READY
from stacks.errors import OperationKilledError, ToolchainError

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60.0
PID_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker that waits for its request.

    Attributes:
        pid: Leader of its session.
        reader: What it says.
        writer: What it is told.
    """

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class ForkServer:
    """Starts the fork server when it is needed and again when it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._lock = asyncio.Lock()

    @property
    def pid(self) -> int:
        """Its process's id, 0 while there is none."""
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start it and wait until all is imported.

        Raises:
            ToolchainError: It ended instead, or was not ready in time.
        """
        async with self._lock:
            await self._ensure()

    async def worker(self, *, limit: int) -> Worker:
        """Fork a worker.

        Args:
            limit: Most bytes of one line that it may say.

        Raises:
            ToolchainError: The fork server cannot be started.
            OperationKilledError: It died just now.
        """
        ours, theirs = socket.socketpair()
        try:
            pid = await self._fork(theirs)
            ours.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=ours, limit=limit)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return Worker(pid=pid, reader=reader, writer=writer)

    async def stop(self) -> None:
        """End it; workers end themselves when their own sockets close."""
        async with self._lock:
            process, control = self._process, self._control
            self._process = self._control = None
            if control is not None:
                control.close()
            if process is not None:
                await asyncio.to_thread(process.wait)

    async def _fork(self, theirs: socket.socket) -> int:
        async with self._lock:
            control = await self._ensure()
            loop = asyncio.get_running_loop()
            try:
                socket.send_fds(control, [b"f"], [theirs.fileno()])
                answer = await loop.sock_recv(control, PID_BYTES)
            except OSError:
                answer = b""
            except asyncio.CancelledError:
                self._drop()  # or its answer would be taken for that to the next one
                raise
            if len(answer) != PID_BYTES:
                self._drop()
                raise OperationKilledError("the process that workers are forked from was ended")
            return int.from_bytes(answer, "big")

    async def _ensure(self) -> socket.socket:
        if self._control is not None and self._process and self._process.poll() is None:
            return self._control
        self._drop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            self._process = subprocess.Popen(  # noqa: ASYNC220  # returns at once
                [sys.executable, "-m", "stacks.engine.forkserver", str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=dict(os.environ),
            )
        self._control = ours
        try:
            await self._ready(ours)
        except asyncio.CancelledError:
            self._drop()  # or its first word would be taken for a worker's id
            raise
        return ours

    async def _ready(self, control: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        said = b""
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(START_SECONDS):
                said = await loop.sock_recv(control, len(READY))
        if said != READY:
            self._drop()
            raise ToolchainError("Pulumi's SDK cannot be loaded; the log has the traceback")

    def _drop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._control = None
