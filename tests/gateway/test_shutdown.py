"""The end of a gateway process while people are at work: clean, quiet, and not put off by anybody."""

import asyncio
import base64
import hashlib
import json
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from state_index.index import Index
from state_index.models import RunnerInfo
from state_index.phases import Event
from tests.gateway.fake_runner import FakeRunner, fake_runner
from tests.gateway.harness import ALICE, login_of, seed, settings_for
from tests.gateway.process import process
from tests.gateway.proxy.support import unix_server
from tests.waiting import until

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FLOOD = b"x" * 2**16


@dataclass
class Workspace:
    """What it was asked; `flooded` counts the bytes that were taken from it."""

    asked: list[str] = field(default_factory=list)
    flooded: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer by path: `/flood` without end, `/silent` never; WebSockets alike."""
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ")[1].decode()
        self.asked.append(path)
        key = re.search(rb"sec-websocket-key: (\S+)", head)
        if key:
            digest = base64.b64encode(hashlib.sha1(key[1] + GUID).digest())
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n")
            writer.write(b"Upgrade: websocket\r\nSec-WebSocket-Accept: " + digest + b"\r\n\r\n")
        elif path != "/silent":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        while path == "/flood":
            writer.write(FLOOD)
            await writer.drain()
            self.flooded += len(FLOOD)
        await reader.read()


@dataclass
class Visitor:
    """Raw connections of alice's, which are not read from."""

    url: httpx.URL
    cookie: str
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def send(self, line: str, *lines: str, body: bytes = b"") -> asyncio.StreamReader:
        """Send a request, or a part of one."""
        reader, writer = await asyncio.open_connection(self.url.host, self.url.port, limit=2**16)
        self.writers.append(writer)
        host = f"{self.url.host}:{self.url.port}"
        head = [f"{line} HTTP/1.1", f"Host: {host}", f"Origin: http://{host}", *lines]
        writer.write("\r\n".join([*head, f"Cookie: {self.cookie}"]).encode() + b"\r\n\r\n" + body)
        return reader

    async def tunnel(self, path: str) -> asyncio.StreamReader:
        """Open a WebSocket."""
        reader = await self.send(
            f"GET {path}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        )
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        return reader


@dataclass
class Hub:
    """A gateway process with all that it talks to."""

    running: subprocess.Popen[str]
    visitor: Visitor
    workspace: Workspace
    runner: FakeRunner


@asynccontextmanager
async def hub(folder: Path) -> AsyncIterator[Hub]:
    settings = settings_for(folder)
    seed(settings.paths)
    workspace = Workspace()
    with Index.open(settings.index_url) as index:
        index.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="0.1"))
        index.publish("alice-a", event=Event.BOOTING, cause="test", owner="alice")
        index.publish("alice-a", event=Event.READY, cause="test", upstream="unix:alice-a/ide.sock")
    async with (
        fake_runner(settings.paths.runner_sock) as runner,
        unix_server(settings.paths.run / "alice-a" / "ide.sock", workspace.serve),
    ):
        with process(folder) as (running, url):
            async with httpx.AsyncClient(base_url=url, headers={"Origin": url}) as client:
                answer = await client.post("/api/v1/session", json=login_of(ALICE))
                cookie = f"codehub={answer.cookies['codehub']}"
            visitor = Visitor(httpx.URL(url), cookie)
            try:
                yield Hub(running, visitor, workspace, runner)
            finally:
                for writer in visitor.writers:
                    writer.transport.abort()


async def open_everything(at: Hub) -> None:
    """Have everything open that can hold an end up, each at work."""
    visitor = at.visitor
    at.runner.logs, at.runner.gate = b"x" * 200_000, asyncio.Event()
    await visitor.tunnel("/w/alice-a/flood")
    await visitor.tunnel("/w/alice-a/quiet")
    await visitor.send("GET /w/alice-a/flood")
    await visitor.send("GET /w/alice-a/silent")
    await visitor.send("POST /w/alice-a/silent", "Content-Length: 99999999", body=FLOOD)
    await visitor.send("GET /api/v1/workspaces/alice-a/logs")
    await visitor.send(
        "POST /api/v1/session", "Content-Type: application/json", "Content-Length: 99", body=b"{"
    )
    events = await visitor.send("GET /api/v1/events")
    await events.readuntil(b"event: counts")
    _, part = await asyncio.open_connection(visitor.url.host, visitor.url.port)
    visitor.writers.append(part)
    part.write(b"GET /login HT")
    asked = ["/flood", "/flood", "/quiet", "/silent", "/silent"]
    await until(lambda: sorted(at.workspace.asked) == asked, "the workspace was asked")
    await until(lambda: at.runner.under_way == 1, "the runner was asked")
    await standstill(at.workspace)


async def refuses(url: httpx.URL) -> bool:
    """Whether nobody listens there any more.

    Where the socket ends its listening while this connection waits to be accepted, the kernel resets it.
    """
    try:
        _, writer = await asyncio.open_connection(url.host, url.port)
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    writer.transport.abort()
    return False


async def standstill(workspace: Workspace) -> None:
    """Wait until every buffer on the way to a client that does not read is full."""
    seen: list[int] = []

    def still() -> bool:
        seen.append(workspace.flooded)
        return len(seen) > 30 and 0 < seen[-30] == seen[-1]

    await until(still, "the clients' buffers are full")


@pytest.mark.parametrize(
    "signals",
    [[signal.SIGTERM], [signal.SIGINT], [signal.SIGINT, signal.SIGINT]],
    ids=["term", "interrupt", "interrupt-twice"],
)
async def test_open_tunnels_and_streams_are_ended_quietly(
    tmp_path: Path, signals: list[signal.Signals]
) -> None:
    async with hub(tmp_path) as at:
        await open_everything(at)
        for number in signals:
            at.running.send_signal(number)
            await until(lambda: refuses(at.visitor.url), "it begins to end")
        _, errors = await asyncio.to_thread(at.running.communicate, timeout=30)
    assert at.running.returncode == 0, errors
    for one in [line for line in errors.splitlines() if "Traceback" in line]:
        pytest.fail(json.loads(one)["exception"][-2500:])
    lines = [json.loads(line) for line in errors.splitlines()]
    assert lines[-1]["event"] == "gateway_ended"
    assert [line for line in lines if line["level"] in {"warning", "error", "critical"}] == []
    cut = {line["event"] for line in lines if line.get("by") == "shutdown"}
    assert cut == {"workspace_tunnel_cut", "workspace_request_cut"}
