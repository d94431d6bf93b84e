"""When an answer is sent that does not need the request's body: not before a small one is here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.front import SMALL_BODY
from state_index.phases import Phase
from tests.gateway.harness import DEADLINE, Running, serving
from tests.waiting import until

BODY = b'{"username":"alice","password":"x"}'


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path) as running:
        running.publish("alice-a", Phase.WARM)
        yield running


Both = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def asked(hub: Running, path: str, *lines: str) -> AsyncIterator[Both]:
    """Send a head that is refused whatever follows."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.settings.port)
    host = f"Host: 127.0.0.1:{hub.settings.port}"
    every = [f"POST {path} HTTP/1.1", host, "Origin: http://evil.example", *lines]
    writer.write(("\r\n".join(every) + "\r\n\r\n").encode())
    yield reader, writer
    writer.close()
    await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(DEADLINE):
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(it for it in head.lower().split(b"\r\n") if it.startswith(b"content-length:"))
        return head.split(b"\r\n")[0] + await reader.readexactly(int(size.split(b":")[1]))


async def others_are_answered(hub: Running) -> None:
    async with hub.client() as client:
        for _ in range(3):
            assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/session", "/w/alice-a/x"])
async def test_a_refusal_waits_for_a_small_body_and_the_connection_goes_on(
    hub: Running, path: str
) -> None:
    """A proxy in Go that is answered while it sends a body takes the connection for broken."""
    size = f"Content-Length: {len(BODY)}"
    async with asked(hub, path, size) as (reader, writer):
        writer.write(BODY[:5])
        await others_are_answered(hub)
        assert reader._buffer == b"", "what came after it was answered before it"  # type: ignore[attr-defined]
        writer.write(BODY[5:])
        assert b" 40" in await answer(reader)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await answer(reader)).endswith(b"ok\n")


@pytest.mark.parametrize(
    "lines",
    [
        (f"Content-Length: {len(BODY)}", "Expect: 100-continue"),
        (f"Content-Length: {SMALL_BODY + 1}",),
        ("Transfer-Encoding: chunked",),
    ],
    ids=["it waits to be asked", "large", "of unknown length"],
)
async def test_other_bodies_are_not_waited_for(
    hub: Running, lines: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.front.SMALL_BODY_TIMEOUT", 10 * DEADLINE)
    async with asked(hub, "/api/v1/session", *lines) as (reader, _):
        assert b" 403 " in await answer(reader)


async def test_a_small_body_that_does_not_come_is_not_waited_for_long(
    hub: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.front.SMALL_BODY_TIMEOUT", 0.05)
    async with asked(hub, "/api/v1/session", f"Content-Length: {len(BODY)}") as (reader, _):
        assert b" 403 " in await answer(reader)


async def test_who_goes_away_meanwhile_ends_it(
    hub: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.front.SMALL_BODY_TIMEOUT", 10 * DEADLINE)
    async with asked(hub, "/api/v1/session", f"Content-Length: {len(BODY)}") as (_, writer):
        await others_are_answered(hub)
        assert hub.server.server_state.tasks
        writer.transport.abort()
        await until(lambda: not hub.server.server_state.tasks, "the request is over")
