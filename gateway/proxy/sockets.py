"""Connects to a workspace's socket, in a folder that the workspace itself may write to.

So nothing in there is trusted: every step from the run folder on is opened relative to the one
before, links are not followed, nothing is opened for reading (a FIFO or device can't block us), and
what is connected to is the very inode that was checked, through `/proc/self/fd`, which also keeps
the path below the 108 bytes that a socket address may have.
"""

import asyncio
import errno
import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from gateway.errors import UpstreamUnavailableError

_UPSTREAM: Final = re.compile(r"unix:([a-z0-9-]{1,63})/([a-z0-9][a-z0-9._-]{0,63})")
_OURS: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_FOLDER: Final = _OURS | os.O_NOFOLLOW
_LEAF: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_BACKLOG_RETRY: Final = 0.01


async def connect(run: Path, upstream: str, *, workspace: str) -> socket.socket:
    """Connect to a workspace; waits while its queue of connections is full.

    Args:
        run: The folder that holds every workspace's run folder. Ours, and trusted.
        upstream: The address in the index, `unix:<id>/<name>`.
        workspace: The id that the address must be for.

    Raises:
        UpstreamUnavailableError: There is no such socket, or nobody listens.
    """
    while True:
        connected = _try_connect(run, upstream, workspace)
        if connected is not None:
            return connected
        # The loop's own sock_connect takes a full queue for a connection: EAGAIN means
        # something else for unix sockets than EINPROGRESS does for TCP.
        await asyncio.sleep(_BACKLOG_RETRY)


def _try_connect(run: Path, upstream: str, workspace: str) -> socket.socket | None:
    """Return a connected socket, or None when the queue is full."""
    try:
        with _pinned(run, upstream, workspace) as path, ExitStack() as on_failure:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            on_failure.callback(sock.close)
            sock.setblocking(False)
            sock.connect(path)
            on_failure.pop_all()
            return sock
    except BlockingIOError:
        return None
    except OSError as error:
        reason = errno.errorcode.get(error.errno or 0, "unknown")
        raise UpstreamUnavailableError(details={"reason": reason}) from error


@contextmanager
def _pinned(run: Path, upstream: str, workspace: str) -> Iterator[str]:
    """Give a path to the socket's inode, which no rename can change while the block runs."""
    address = _UPSTREAM.fullmatch(upstream)
    if address is None or address[1] != workspace:
        raise UpstreamUnavailableError(details={"reason": "address"})
    with ExitStack() as opened:
        fd = -1
        steps = [(os.fspath(run), _OURS), (address[1], _FOLDER), (address[2], _LEAF)]
        for name, flags in steps:
            fd = os.open(name, flags, dir_fd=fd if fd >= 0 else None)
            opened.callback(os.close, fd)
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            raise UpstreamUnavailableError(details={"reason": "not a socket"})
        yield f"/proc/self/fd/{fd}"
