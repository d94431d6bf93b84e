"""Bodies of any size, and trailers without end, to a real gateway process: in bounded memory.

The reader begins when the writer can write no more: so what the gateway holds is as much as it ever
holds, and a gateway that takes all that comes would hold the whole body.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import httpx
import pytest

from state_index.index import Index
from state_index.phases import Event
from tests.gateway.harness import ALICE, login_of, seed, settings_for
from tests.gateway.process import process
from tests.gateway.proxy.support import unix_server
from tests.waiting import until

MIB = 2**20
ROOM = 24 * MIB
"""What the process may grow by: some buffers, and what the allocator does not give back."""

SIZES = [
    pytest.param(64 * MIB, id="64M"),
    pytest.param(2**30, id="1G", marks=[pytest.mark.long, pytest.mark.timeout(600)]),
]
PIECE = bytes(range(256)) * 1024

MUCH = 64 * MIB
"""Of a trailer without end: more than all buffers between hold."""

TRAILER = b"0\r\nX: "
FILLER = b"y" * 2**16
CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass
class Flow:
    """What was written and read of a body."""

    size: int
    written: int = 0
    read: int = 0
    same: bool = True

    async def write(self, writer: asyncio.StreamWriter) -> None:
        """Write the body as fast as it is taken."""
        while self.written < self.size:
            writer.write(PIECE)
            await writer.drain()
            self.written += len(PIECE)

    async def take(self, reader: asyncio.StreamReader) -> None:
        """Read the body, once nothing more of it is taken."""
        await self._standstill()
        found, wanted = blake2b(), blake2b()
        while self.read < self.size and (data := await reader.read(MIB)):
            begin = self.read % len(PIECE)
            found.update(data)
            wanted.update((PIECE * (len(data) // len(PIECE) + 2))[begin : begin + len(data)])
            self.read += len(data)
        self.same = found.digest() == wanted.digest()

    async def _standstill(self) -> None:
        seen: list[int] = []

        def still() -> bool:
            seen.append(self.written)
            return len(seen) > 20 and 0 < seen[-20] == seen[-1]

        await until(still, "the writer is held up")


@dataclass
class Workspace:
    """Sends a body to whoever gets, and takes the body of whoever posts."""

    flow: Flow
    filler: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            if head.startswith(b"POST"):
                await self.flow.take(reader)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
            elif b"/endless" in head.partition(b"\r\n")[0]:
                writer.write(CHUNKED_HEAD + b"2\r\nok\r\n" + TRAILER)
                while self.filler < MUCH:
                    writer.write(FILLER)
                    await writer.drain()
                    self.filler += len(FILLER)
                writer.close()
                return
            elif b"/big" in head.partition(b"\r\n")[0]:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self.flow.size)
                await self.flow.write(writer)
            else:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@dataclass
class Gateway:
    """A process, and alice's requests to it."""

    pid: int
    url: httpx.URL
    cookie: str

    async def open(
        self, line: str, *lines: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Send a head."""
        reader, writer = await asyncio.open_connection(self.url.host, self.url.port, limit=2**16)
        host = f"{self.url.host}:{self.url.port}"
        head = [f"{line} HTTP/1.1", f"Host: {host}", f"Origin: http://{host}", *lines]
        writer.write("\r\n".join([*head, f"Cookie: {self.cookie}"]).encode() + b"\r\n\r\n")
        return reader, writer

    def peak(self) -> int:
        """Bytes that the process had resident at most since `forget_peak`."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def forget_peak(self) -> None:
        """Have the kernel begin anew with what is resident now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


@asynccontextmanager
async def gateway(folder: Path, workspace: Workspace) -> AsyncIterator[Gateway]:
    """A gateway process with a workspace behind it, warmed up by a small request."""
    settings = settings_for(folder)
    seed(settings.paths)
    with Index.open(settings.index_url) as index:
        index.publish("alice-a", event=Event.BOOTING, cause="test", owner="alice")
        index.publish("alice-a", event=Event.READY, cause="test", upstream="unix:alice-a/ide.sock")
    path = settings.paths.run / "alice-a" / "ide.sock"
    async with unix_server(path, workspace.serve):
        with process(folder) as (running, url):
            async with httpx.AsyncClient(base_url=url, headers={"Origin": url}) as client:
                answer = await client.post("/api/v1/session", json=login_of(ALICE))
                assert (await client.get("/w/alice-a/small")).text == "ok"
                cookie = f"codehub={answer.cookies['codehub']}"
            made = Gateway(running.pid, httpx.URL(url), cookie)
            made.forget_peak()
            yield made


@pytest.mark.parametrize("size", SIZES)
async def test_a_large_answer_takes_no_memory(tmp_path: Path, size: int) -> None:
    flow = Flow(size)
    async with gateway(tmp_path, Workspace(flow)) as at:
        before = at.peak()
        reader, writer = await at.open("GET /w/alice-a/big")
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        await flow.take(reader)
        grown = at.peak() - before
        writer.close()
    assert (flow.read, flow.same) == (size, True)
    assert grown < ROOM


@pytest.mark.parametrize("size", SIZES)
async def test_a_large_request_takes_no_memory(tmp_path: Path, size: int) -> None:
    flow = Flow(size)
    async with gateway(tmp_path, Workspace(flow)) as at:
        before = at.peak()
        reader, writer = await at.open("POST /w/alice-a/big", f"Content-Length: {size}")
        await flow.write(writer)
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        grown = at.peak() - before
        writer.close()
    assert (flow.read, flow.same) == (size, True)
    assert grown < ROOM


async def test_a_stranger_s_trailer_ends(tmp_path: Path) -> None:
    """Also after the answer: whoever isn't logged in must not cost memory or work."""
    sent = 0
    async with gateway(tmp_path, Workspace(Flow(0))) as at:
        before = at.peak()
        reader, writer = await asyncio.open_connection(at.url.host, at.url.port)
        host = f"{at.url.host}:{at.url.port}"
        line = f"POST /api/v1/workspaces/alice-a/stop HTTP/1.1\r\nHost: {host}\r\n"
        writer.write(f"{line}Origin: http://{host}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        assert b" 401 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(TRAILER)
        with suppress(ConnectionError):
            while sent < MUCH:
                writer.write(FILLER)
                await writer.drain()
                sent += len(FILLER)
        assert at.peak() - before < ROOM
    assert sent < MUCH / 4, "no more than what buffers hold"


async def test_a_workspace_s_trailer_ends(tmp_path: Path) -> None:
    workspace = Workspace(Flow(0))
    async with gateway(tmp_path, workspace) as at:
        before = at.peak()
        reader, writer = await at.open("GET /w/alice-a/endless")
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        answer = await reader.read()
        assert not answer.endswith(b"0\r\n\r\n"), "a part must not pass for the whole"
        assert at.peak() - before < ROOM
        writer.close()
    assert workspace.filler < MUCH / 4, "no more than what buffers hold"
