"""The health question: only a 200 within bounds counts, whatever the tenant's socket says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from stacks import health

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


@asynccontextmanager
async def serving(run: Path, *pieces: bytes, hold: bool = False) -> AsyncIterator[list[bytes]]:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if hold:
            await reader.read()
        writer.close()

    (run / "alice").mkdir()
    server = await asyncio.start_unix_server(answer, run / "alice" / "ide.sock")
    async with server:
        yield asked


@pytest.mark.parametrize(
    ("pieces", "healthy"),
    [
        ((b"HTTP/1.1 200 OK\r\n\r\n",), True),
        ((b"HTTP/1.0 200\r\n", b"x: y\r\n\r\n"), True),
        ((b"HTTP/1.1 2", b"00 OK\r\n\r\n"), True),
        ((b"HTTP/1.1 503 Starting\r\n\r\n",), False),
        ((b"HTTP/1.1 2000 OK\r\n\r\n",), False),
        ((b"SSH-2.0-OpenSSH 200\r\n",), False),
        ((b"HTTP/1.1\r\n",), False),
        ((b"",), False),
        ((b"x" * 100_000,), False),
    ],
)
async def test_only_200_is_healthy(
    tmp_path: Path, pieces: tuple[bytes, ...], healthy: bool
) -> None:
    async with serving(tmp_path, *pieces) as asked:
        assert await health.is_healthy(tmp_path, "alice") is healthy
    assert asked[0].startswith(b"GET /healthz HTTP/1.1\r\n")


async def test_a_silent_tenant_costs_only_the_deadline(tmp_path: Path) -> None:
    async with serving(tmp_path, b"HTTP/1.1", hold=True):
        begin = asyncio.get_running_loop().time()
        assert not await health.is_healthy(tmp_path, "alice", within=0.2)
        assert asyncio.get_running_loop().time() - begin < 1.5


async def test_nobody_there_is_not_healthy(tmp_path: Path) -> None:
    assert not await health.is_healthy(tmp_path, "alice")
    async with serving(tmp_path):
        pass
    assert not await health.is_healthy(tmp_path, "alice")
