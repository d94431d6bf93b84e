"""Upstreams and a steady load, as one process: `python -m benchmarks.load FOLDER PORT RATE ID ...`.

It serves `FOLDER/<id>/ide.sock` for each id and asks the gateway on PORT for the first one's page, RATE
times a second over a few connections, until its standard input ends or `LONGEST` is over. Then it
prints how many answers a second it got. The session's cookie comes by the environment.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

CONNECTIONS = 32
LONGEST = 600.0
COOKIE = "BENCH_COOKIE"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Caller:
    """One connection to the gateway that is kept."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        self._reader, self._writer, self._head = reader, writer, head

    @classmethod
    @asynccontextmanager
    async def to(cls, port: int, workspace: str, cookie: str) -> AsyncIterator[Self]:
        """Connect, to ask for a workspace's page as its scripts do: nothing is woken by it."""
        head = (
            f"GET /w/{workspace}/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
            "Sec-Fetch-Mode: cors\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield cls(reader, writer, head.encode())
        finally:
            writer.close()

    async def status(self) -> int:
        """Ask once; the answer's status."""
        self._writer.write(self._head)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        _, found, length = answer.partition(b"content-length:")
        assert found, answer
        await self._reader.readexactly(int(length.partition(b"\r\n")[0]))
        return int(answer.split(None, 2)[1])


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request of one connection alike."""
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(_ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        writer.close()  # cancelled at the end, of which asyncio's server would make an error


async def press(port: int, workspace: str, every: float, counts: list[int]) -> None:
    """Ask again and again, `every` seconds or as soon as it was answered."""
    async with Caller.to(port, workspace, os.environ[COOKIE]) as caller:
        due = time.monotonic()
        while True:
            status = await caller.status()
            assert status == 200, status
            counts[0] += 1
            due = max(due + every, time.monotonic() - every)
            await asyncio.sleep(due - time.monotonic())


async def main(folder: Path, port: int, rate: float, workspaces: list[str]) -> None:
    """Serve, press, tell."""
    async with AsyncExitStack() as stack:
        for workspace in workspaces:
            socket = folder / workspace / "ide.sock"
            socket.parent.mkdir(mode=0o770, exist_ok=True)
            await stack.enter_async_context(await asyncio.start_unix_server(answer, socket))
        counts, began = [0], time.monotonic()
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(press(port, workspaces[0], CONNECTIONS / rate, counts))
                for _ in range(CONNECTIONS if rate else 0)
            ]
            await asyncio.wait([loop.run_in_executor(None, sys.stdin.read)], timeout=LONGEST)
            for task in tasks:
                task.cancel()
        print(counts[0] / (time.monotonic() - began), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]))
