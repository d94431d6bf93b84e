"""Standard input and output of a command that streams, on threads of their own.

Reading and writing wait as long as the other side likes, without the event loop waiting with them:
Ctrl-C and window sizes come through meanwhile. The files are left in the mode in which they came
(others may share them), and threads that still wait are no reason not to end.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from queue import SimpleQueue

PIECE = 64 << 10
AHEAD = 4
"""Pieces that are read before anybody takes them."""


class Reader:
    """What comes in by a file descriptor."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._room = threading.Semaphore(AHEAD)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give what comes, until its end."""
        threading.Thread(target=self._read, name="stdin", daemon=True).start()
        while piece := await self._pieces.get():
            yield piece
            self._room.release()

    def _read(self) -> None:
        while True:
            self._room.acquire()
            try:
                piece = os.read(self._fd, PIECE)
            except OSError:  # a terminal that was hung up
                piece = b""
            try:
                self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)
            except RuntimeError:  # the loop has ended before us
                return
            if not piece:
                return


class Writer:
    """What goes out by a file descriptor."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._pieces: SimpleQueue[tuple[bytes, asyncio.Future[None]]] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def write(self, data: bytes) -> None:
        """Write all of it; returns when that is done.

        Raises:
            OSError: Nobody reads any more, or the disk is full.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="stdout", daemon=True)
            self._thread.start()
        written: asyncio.Future[None] = self._loop.create_future()
        self._pieces.put((data, written))
        await written

    def _write(self) -> None:
        while True:
            data, written = self._pieces.get()
            error: OSError | None = None
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError as failed:
                error = failed
            try:
                self._loop.call_soon_threadsafe(_settle, written, error)
            except RuntimeError:
                return


def _settle(written: "asyncio.Future[None]", error: OSError | None) -> None:
    if written.done():  # who waited was cancelled
        return
    if error is None:
        written.set_result(None)
    else:
        written.set_exception(error)
