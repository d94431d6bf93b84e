"""The TLS edge alone, by `deploy/edge.Caddyfile`: how long a body may take. Without an engine.

It alone proves that who sends slowly holds no buffer of the edge for ever, and that the bound cuts neither
uploads to workspaces nor pages that stay open.
"""

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.deploy.house import DEPLOY
from tools.cache import Cache
from tools.dev import free_port

# The engine is not asked: who has none has no Caddy of ours either.
pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

PAUSE = 0.2
"""Seconds between two bytes of a body."""
LONG = 12
"""Bytes that take longer than the bound, which is a second here."""
LONGEST = 100
OPEN = 3.0
"""Seconds that a page stays open."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer what a gateway would: a page that stays open, or how many bytes came."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if head.startswith("get /events"):
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirst")
            await writer.drain()
            await asyncio.sleep(OPEN)
            writer.write(b" last")
        else:
            size = int(head.partition("content-length:")[2].split("\r\n")[0] or 0)
            told = f"{len(await reader.readexactly(size))} bytes".encode()
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + told)
        await writer.drain()
    writer.close()


class Edge:
    def __init__(self, port: int, authority: Path) -> None:
        self._port = port
        self._authority = authority

    async def connect(self) -> Streams:
        trust = ssl.create_default_context(cafile=str(self._authority))
        return await asyncio.open_connection("localhost", self._port, ssl=trust)

    async def ask(self, method: str, path: str, *, size: int, sent: int) -> bytes:
        """Send a head, then a body byte by byte, and give what came until the end."""
        reader, writer = await self.connect()
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: localhost:{self._port}\r\n"
            f"Connection: close\r\nContent-Length: {size}\r\n\r\n".encode()
        )
        async with asyncio.TaskGroup() as group:
            came = group.create_task(_all(reader))
            for _ in range(sent):
                if came.done():
                    break
                with contextlib.suppress(OSError):
                    writer.write(b"x")
                    await writer.drain()
                await asyncio.wait([came], timeout=PAUSE)
        writer.close()
        return came.result()


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    port = free_port("127.0.0.1")
    async with await asyncio.start_server(gateway, "127.0.0.1", 0) as upstream:
        env = os.environ | {
            "CODEHUB_SITE": f"localhost:{port}",
            "CODEHUB_GATEWAY": f"127.0.0.1:{upstream.sockets[0].getsockname()[1]}",
            "CODEHUB_EDGE_MORE": "bind 127.0.0.1",
            "CODEHUB_HTTP_PORT": str(free_port("127.0.0.1")),
            "CODEHUB_EDGE_BODY": "1s",
            "XDG_DATA_HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path),
        }
        with (tmp_path / "log").open("wb") as log:
            caddy = await asyncio.create_subprocess_exec(
                *(Cache.from_env().caddy, "run", "--config", DEPLOY / "edge.Caddyfile"),
                env=env,
                stdout=log,
                stderr=log,
            )
        try:
            made = Edge(port, tmp_path / "caddy" / "pki" / "authorities" / "local" / "root.crt")
            async with asyncio.timeout(30):
                while not await _serves(made):
                    assert caddy.returncode is None, (tmp_path / "log").read_text()[-2000:]
            yield made
        finally:
            with contextlib.suppress(ProcessLookupError):
                caddy.terminate()
            await caddy.wait()


async def _all(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(-1)
    except OSError:
        return b""


async def _serves(edge: Edge) -> bool:
    try:
        _, writer = await edge.connect()
    except OSError:
        await asyncio.sleep(0.05)
        return False
    writer.close()
    return True


async def test_only_bodies_to_the_gateways_own_pages_must_come_in_time(edge: Edge) -> None:
    async with asyncio.timeout(LONGEST * PAUSE):
        slow, slow_get, upload, page = await asyncio.gather(
            edge.ask("POST", "/api/v1/session", size=LONGEST, sent=LONGEST),
            edge.ask("GET", "/api/v1/session", size=LONGEST, sent=LONGEST),
            edge.ask("POST", "/w/alice-a/upload", size=LONG, sent=LONG),
            edge.ask("GET", "/events", size=0, sent=0),
        )
        assert b" bytes" not in slow + slow_get
        assert b"%d bytes" % LONG in upload
        assert b"first" in page
        assert b" last" in page
        quick = await edge.ask("POST", "/api/v1/session", size=1, sent=1)
        assert b"1 bytes" in quick
