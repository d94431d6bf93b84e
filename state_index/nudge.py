"""Nudges between processes on one machine: "look at the index now", nothing more.

Each listener binds a unix datagram socket in one folder; a sender writes a byte to all whose name
begins with a prefix. A nudge may be lost: whoever waits for one also polls. No content is sent, so
none is trusted.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from errno import EADDRINUSE
from pathlib import Path
from uuid import uuid4

SUFFIX = ".sock"


class Nudge:
    """Nudges in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def listen(self, name: str) -> AsyncIterator[asyncio.Event]:
        """See `listen`."""
        async with listen(self._folder, name) as event:
            yield event

    def send(self, prefix: str) -> int:
        """See `send`."""
        return send(self._folder, prefix)


@asynccontextmanager
async def listen(folder: Path, name: str) -> AsyncIterator[asyncio.Event]:
    """Be nudged as `name`: the event is set by each nudge; clear it before you look.

    A socket that a dead process left under the name is replaced; when a live one holds it, a
    suffix is appended, so several processes may listen under one name.

    Args:
        folder: where the sockets are; made (0700) when missing.
        name: a file name without `.sock`.

    Raises:
        OSError: the folder can't be used.
    """
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    with _bound(folder, name) as listener:
        loop.add_reader(listener, _drain, listener, event)
        try:
            yield event
        finally:
            loop.remove_reader(listener)


def send(folder: Path, prefix: str) -> int:
    """Nudge every listener whose name begins with a prefix; never blocks, never fails.

    Returns:
        How many were reached.
    """
    try:
        names = [name for name in os.listdir(folder) if name.startswith(prefix)]  # noqa: PTH208
    except OSError:
        return 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        return sum(_reach(sender, folder, name) for name in names if name.endswith(SUFFIX))


def _reach(sender: socket.socket, folder: Path, name: str) -> bool:
    try:
        with _short(folder) as near:
            sender.sendto(b"!", f"{near}/{name}")
    except BlockingIOError:
        return True  # its queue is full of nudges that it has not read yet
    except OSError:
        return False
    return True


@contextmanager
def _bound(folder: Path, name: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.setblocking(False)
        own = _bind(listener, folder, name)
        try:
            yield listener
        finally:
            own.unlink(missing_ok=True)


def _bind(listener: socket.socket, folder: Path, name: str) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(folder, name)
    try:
        return _bind_to(listener, folder, f"{name}{SUFFIX}")
    except OSError as error:
        if error.errno != EADDRINUSE:
            raise
    return _bind_to(listener, folder, f"{name}-{os.getpid()}-{uuid4().hex[:8]}{SUFFIX}")


def _bind_to(listener: socket.socket, folder: Path, name: str) -> Path:
    with _short(folder) as near:
        listener.bind(f"{near}/{name}")
    return folder / name


def _sweep(folder: Path, name: str) -> None:
    for path in folder.glob(f"{name}*{SUFFIX}"):
        if not _alive(folder, path.name):
            path.unlink(missing_ok=True)


def _alive(folder: Path, name: str) -> bool:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe,
        _short(folder) as near,
        contextlib.suppress(OSError),
    ):
        probe.connect(f"{near}/{name}")
        return True
    return False


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    # A socket's path ends at 108 bytes; the folder's descriptor is a short name for it.
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _drain(listener: socket.socket, event: asyncio.Event) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.recv(1)
    event.set()
