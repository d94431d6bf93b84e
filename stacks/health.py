"""Asks an IDE whether it is ready, over the unix socket in its run folder.

One bare HTTP request per question: the answer comes from the tenant, so only the status line is
read, within a fixed number of bytes and a deadline. Docker's own health interval is too coarse.
"""

import asyncio
import os
import socket
from pathlib import Path

from stacks import rundir

HEALTH_PATH = "/healthz"
POLL_INTERVAL = 0.01
"""Seconds between two questions: a refused connection costs some 50 microseconds."""

ANSWER_TIMEOUT = 2.0
"""Seconds that one answer may take."""

MAX_ANSWER = 4096

_REQUEST = f"GET {HEALTH_PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()


async def is_healthy(run: Path, workspace_id: str, *, within: float = ANSWER_TIMEOUT) -> bool:
    """Tell whether the IDE answers its health path with 200 now."""
    try:
        async with asyncio.timeout(within):
            return await _ask(run, workspace_id)
    except (OSError, TimeoutError):
        return False


async def _ask(run: Path, workspace_id: str) -> bool:
    loop = asyncio.get_running_loop()
    target = rundir.open_socket(run, workspace_id)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.setblocking(False)
            await loop.sock_connect(client, f"/proc/self/fd/{target}")
            await loop.sock_sendall(client, _REQUEST)
            return _is_ok(await _status_line(client))
    finally:
        os.close(target)


async def _status_line(client: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    answer = b""
    while b"\r\n" not in answer and len(answer) < MAX_ANSWER:
        chunk = await loop.sock_recv(client, MAX_ANSWER)
        if not chunk:
            break
        answer += chunk
    return answer.split(b"\r\n", 1)[0]


def _is_ok(status_line: bytes) -> bool:
    parts = status_line.split(b" ", 2)
    return len(parts) > 1 and parts[0].startswith(b"HTTP/1.") and parts[1] == b"200"
