"""WebSockets to a workspace, over real sockets: who gets in, and what the tunnel does to bytes."""

import asyncio
import base64
import fcntl
import hashlib
import json
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from termios import FIONREAD, TIOCOUTQ
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.errors import UpstreamUnavailableError
from gateway.live import Ended
from gateway.proxy.handshake import HandshakeReader
from gateway.proxy.websocket import Tunnel
from tests.gateway.proxy.support import (
    PATIENCE,
    Running,
    gateway,
    recorder,
    route,
    unix_server,
)
from tests.waiting import until

ACCEPT = base64.b64encode(
    hashlib.sha1(b"dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\n"
)


@asynccontextmanager
async def echo(run: Path) -> AsyncIterator[None]:
    """Run a real WebSocket server as a workspace."""

    async def serve(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    (run / "demo").mkdir(exist_ok=True)
    async with unix_serve(serve, str(run / "demo/ide.sock"), max_size=2**26):
        yield


def client(
    hub: Running,
    *,
    cookie: str = "codehub=alice-session",
    origin: str | None = "own",
    compression: str | None = "deflate",
) -> connect:
    headers = {"Cookie": cookie} if cookie else {}
    if origin is not None:
        headers["Origin"] = hub.origin if origin == "own" else origin
    return connect(
        f"ws://{hub.host}/w/demo/ws",
        additional_headers=headers,
        max_size=2**26,
        proxy=None,
        compression=compression,
    )


async def test_messages_go_both_ways(run: Path) -> None:
    async with echo(run), gateway(run) as hub, client(hub) as ws:
        for message in ("hello", b"\x00\xff", "", "x" * 100_000):
            await ws.send(message)
            assert await ws.recv() == message
        assert ws.protocol.extensions, "compression is agreed end to end"


async def test_twenty_mebibytes_in_one_message(run: Path) -> None:
    message = os.urandom(20 * 2**20)
    async with echo(run), gateway(run) as hub, client(hub, compression=None) as ws:
        await ws.send(message)
        assert await ws.recv() == message


async def test_close_goes_across(run: Path) -> None:
    async def bye(connection: ServerConnection) -> None:
        await connection.close(4001, "bye")

    (run / "demo").mkdir()
    async with unix_serve(bye, str(run / "demo/ide.sock")), gateway(run) as hub, client(hub) as ws:
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "bye")
        await until(lambda: hub.context.live.keys() == frozenset(), "the tunnel to be forgotten")


@pytest.mark.parametrize(
    ("cookie", "origin", "status"),
    [
        ("codehub=alice-session", None, 403),
        ("codehub=alice-session", "http://evil.example", 403),
        ("codehub=alice-session", "null", 403),
        ("codehub=bob-session", "own", 403),
        ("codehub=unknown", "own", 401),
        ("", "own", 401),
    ],
)
async def test_strangers_do_not_get_in(
    run: Path, cookie: str, origin: str | None, status: int
) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        with pytest.raises(InvalidStatus) as refused:
            await client(hub, cookie=cookie, origin=origin).__aenter__()
        assert refused.value.response.status_code == status
        assert workspace.received == []


async def test_handshake_reaches_the_workspace_without_our_secrets(run: Path) -> None:
    async with recorder(run, answer=SWITCH + b"\r\n") as workspace, gateway(run) as hub:
        reader, writer = await hub.connect()
        extra = (
            b"Cookie: __Host-codehub=canary; a=1\r\nAuthorization: canary\r\nForwarded: canary\r\n"
            b"X-Forwarded-Host: canary\r\nSec-WebSocket-Protocol: x\r\n"
        )
        writer.write(hub.upgrade("/w/demo/a%2Fb?c=d", extra=extra))
        await reader.readuntil(b"\r\n\r\n")
        lines = workspace.all.lower().split(b"\r\n")
        assert workspace.all.startswith(b"GET /a%2Fb?c=d HTTP/1.1\r\n")
        assert b"canary" not in workspace.all
        assert b"alice-session" not in workspace.all
        for line in (
            b"cookie: a=1",
            b"connection: upgrade",
            b"upgrade: websocket",
            b"sec-websocket-protocol: x",
            b"host: " + hub.host.encode(),
            b"x-forwarded-host: " + hub.host.encode(),
            b"origin: " + hub.origin.encode(),
            b"x-forwarded-for: 127.0.0.1",
        ):
            assert lines.count(line) == 1, line


async def test_answer_to_the_handshake_is_ours(run: Path) -> None:
    answer = SWITCH + (
        b"Set-Cookie: codehub=evil\r\nSet-Cookie: a=1; Path=/\r\nKeep-Alive: 5\r\nServer: x\r\n"
        b"Sec-WebSocket-Protocol: x\r\n\r\n"
    )
    async with recorder(run, answer=answer), gateway(run) as hub:
        reader, writer = await hub.connect()
        writer.write(hub.upgrade())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 101 ")
        assert b"set-cookie: a=1; path=/w/demo/\r\n" in head
        assert b"sec-websocket-protocol: x\r\n" in head
        for name in (b"evil", b"keep-alive", b"server"):
            assert name not in head
        writer.close()


async def test_bytes_right_after_the_heads_are_not_lost(run: Path) -> None:
    """The client need not wait for the 101, nor the workspace after it."""
    async with recorder(run, answer=SWITCH + b"\r\nEARLY-DOWN") as workspace, gateway(run) as hub:
        reader, writer = await hub.connect()
        writer.write(hub.upgrade() + b"EARLY-UP")
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(10) == b"EARLY-DOWN"
        await until(lambda: workspace.all.endswith(b"\r\n\r\nEARLY-UP"), "the early bytes")


@pytest.mark.parametrize(
    "answer",
    [
        SWITCH.replace(ACCEPT, b"AAAA") + b"\r\n",
        SWITCH + b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\n\r\n",
        SWITCH.replace(b"Upgrade: websocket", b"Upgrade: h2c") + b"\r\n",
        SWITCH.replace(b"Connection: Upgrade\r\n", b"") + b"\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 40_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: yyyyyyyyyyyy\r\n" * 2_500,
        b"HTTP/1.1 403 No\r\nContent-Length: 300000\r\n\r\n" + b"y" * 300_000,
        b"HTTP/1.1 403 No\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_wrong_answers_open_nothing(run: Path, answer: bytes) -> None:
    async with recorder(run, answer=answer) as workspace, gateway(run) as hub:
        reply = await hub.ask(hub.upgrade() + b"CANARY")
        assert reply.status == 502
        assert json.loads(reply.body)["error"]["code"] == "UPSTREAM_UNAVAILABLE"
        await until(lambda: workspace.ended == 1, "the workspace to be told")
        assert b"CANARY" not in workspace.all
        assert hub.context.live.keys() == frozenset()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"y" * 600_000,
        b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 600_000,
    ],
    ids=["trailer", "extension of a chunk"],
)
async def test_answers_without_end_open_nothing(run: Path, answer: bytes) -> None:
    async with recorder(run, answer=answer), gateway(run, patience=5.0) as hub:
        assert (await hub.ask(hub.upgrade())).status == 502, "at once: 504 would be too late"


async def test_interim_answers_end() -> None:
    reader = HandshakeReader(asyncio.get_running_loop().create_future())
    for _ in range(10_000):
        reader.feed(b"HTTP/1.1 103 Early\r\n\r\n")
    with pytest.raises(UpstreamUnavailableError):
        await asyncio.wait_for(reader.result, PATIENCE)


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nX-Why: y\r\n\r\nwhat", 404, b"what"),
        (
            b"HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nX: 1\r\n\r\n",
            400,
            b"no",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 426 Up\r\nContent-Length: 0\r\n\r\n", 426, b""),
        (b"HTTP/1.1 299 Odd\r\nContent-Length: 1\r\nX-Why: y\r\n\r\n1", 299, b"1"),
    ],
)
async def test_refusals_are_passed_on(run: Path, answer: bytes, status: int, body: bytes) -> None:
    async with recorder(run, answer=answer), gateway(run) as hub:
        reply = await hub.ask(hub.upgrade())
        assert (reply.status, reply.body, reply.whole) == (status, body, True)
        assert len(reply.all("content-length")) == 1


async def test_refusal_that_ends_with_the_connection(run: Path) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 No\r\n\r\nuntil the end")
        writer.close()

    async with unix_server(run / "demo/ide.sock", refuse), gateway(run) as hub:
        reply = await hub.ask(hub.upgrade())
        assert (reply.status, reply.body) == (403, b"until the end")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 403 No\r\nContent-",
    ],
)
async def test_refusal_that_breaks_off(run: Path, answer: bytes) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with unix_server(run / "demo/ide.sock", refuse), gateway(run) as hub:
        assert (await hub.ask(hub.upgrade())).status == 502


async def test_workspace_that_is_not_there_or_says_nothing(run: Path) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 1")
        writer.close()

    async with gateway(run, patience=0.2) as hub:
        assert (await hub.ask(hub.upgrade())).status == 502
        async with unix_server(run / "demo/ide.sock", mute):
            assert (await hub.ask(hub.upgrade())).status == 504
        async with unix_server(run / "demo/ide.sock", hang_up):
            assert (await hub.ask(hub.upgrade())).status == 502
        assert hub.context.live.keys() == frozenset()


@pytest.mark.parametrize(
    "extra", [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 0\r\n"]
)
async def test_upgrade_with_a_body_is_refused_at_once(run: Path, extra: bytes) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        reply = await hub.ask(hub.upgrade(extra=extra))
        assert (reply.status, workspace.received) == (400, [])


async def test_broken_handshakes_are_refused(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        good = hub.upgrade()
        for bad in (
            good.replace(b"GET ", b"POST "),
            good.replace(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b""),
            hub.upgrade(extra=b"Sec-WebSocket-Key: x\r\n"),
            good.replace(b"Host: ", b"Host: evil.example\r\nHost: "),
            good.replace(b"/w/demo/ws", b"/w/DEMO/ws"),
            good.replace(b"/w/demo/ws", b"http://x/w/demo/ws"),
        ):
            assert (await hub.ask(bad)).status == 400, bad
        assert (await hub.ask(good.replace(hub.host.encode(), b"evil.example"))).status == 421
        assert (await hub.ask(good.replace(b"/w/demo/ws", b"/elsewhere"))).status == 404
        assert workspace.received == []


async def test_target_without_a_slash(run: Path) -> None:
    async with recorder(run, answer=SWITCH + b"\r\n") as workspace, gateway(run) as hub:
        reader, writer = await hub.connect()
        writer.write(hub.upgrade("/w/demo?reconnect=1"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 101 ")
        assert workspace.all.startswith(b"GET /?reconnect=1 HTTP/1.1\r\n")


async def test_store_that_does_not_answer(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        hub.sessions.broken = True
        assert (await hub.ask(hub.upgrade())).status == 503
        assert workspace.received == []


@asynccontextmanager
async def tunnel(
    run: Path, hub: Running
) -> AsyncIterator[
    tuple[asyncio.StreamReader, asyncio.StreamWriter, asyncio.StreamReader, asyncio.StreamWriter]
]:
    """Open a tunnel and give both sides of it: the client's and the workspace's."""
    side: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    side = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCH + b"\r\n")
        side.set_result((reader, writer))

    async with unix_server(run / "demo/ide.sock", serve):
        reader, writer = await hub.connect()
        writer.write(hub.upgrade())
        await reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            far_reader, far_writer = await side
            yield reader, writer, far_reader, far_writer


async def test_each_direction_may_end_alone(run: Path) -> None:
    async with gateway(run) as hub, tunnel(run, hub) as (reader, writer, far_reader, far_writer):
        writer.write(b"question")
        writer.write_eof()
        assert await far_reader.read() == b"question"
        far_writer.write(b"late answer")
        assert await reader.readexactly(11) == b"late answer"
        far_writer.write_eof()
        assert await reader.read() == b""
        await until(lambda: hub.context.live.keys() == frozenset(), "the tunnel to be forgotten")


async def test_workspace_may_end_first(run: Path) -> None:
    async with gateway(run) as hub, tunnel(run, hub) as (reader, writer, far_reader, far_writer):
        far_writer.write_eof()
        assert await reader.read() == b""
        writer.write(b"last words")
        assert await far_reader.readexactly(10) == b"last words"
        writer.write_eof()
        assert await far_reader.read() == b""
        await until(lambda: hub.context.live.keys() == frozenset(), "the tunnel to be forgotten")


async def test_half_open_tunnels_do_not_last(run: Path) -> None:
    async with gateway(run) as hub:
        bound: Any = hub.server.config.ws_protocol_class
        bound.linger = 0.2
        async with tunnel(run, hub) as (reader, writer, far_reader, _):
            writer.write_eof()
            assert await far_reader.read() == b""
            assert await reader.read() == b"", "the workspace never ends its direction: cut off"
            await until(lambda: hub.context.live.keys() == frozenset(), "to be forgotten")


async def test_client_that_breaks_off_closes_the_workspaces_side(run: Path) -> None:
    async with gateway(run) as hub, tunnel(run, hub) as (_, writer, far_reader, _):
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        writer.transport.abort()
        assert await far_reader.read() == b""
        await until(lambda: hub.context.live.keys() == frozenset(), "the tunnel to be forgotten")
        assert not hub.server.server_state.connections


async def test_workspace_that_dies_ends_the_clients_side(run: Path) -> None:
    async with gateway(run) as hub, tunnel(run, hub) as (reader, writer, _, far_writer):
        far_writer.transport.abort()
        assert await reader.read() == b""
        writer.write(b"into the void")  # noticed at the first byte, or when the browser closes
        await until(lambda: hub.context.live.keys() == frozenset(), "the tunnel to be forgotten")
        assert not hub.server.server_state.connections


@pytest.mark.parametrize("slow", ["client", "workspace"])
async def test_slow_side_slows_the_other_down(run: Path, slow: str) -> None:
    async with gateway(run) as hub, tunnel(run, hub) as (reader, writer, far_reader, far_writer):
        taker, giver = (reader, far_writer) if slow == "client" else (far_reader, writer)
        taker._limit = 2**10  # type: ignore[attr-defined]  # stops reading soon
        given_bytes = 0
        chunk = os.urandom(2**16)
        kept = []
        try:
            while given_bytes < 64 * 2**20:
                giver.write(chunk)
                kept.append(chunk)
                given_bytes += len(chunk)
                async with asyncio.timeout(0.5):
                    await giver.drain()
        except TimeoutError:
            pass
        assert given_bytes < 32 * 2**20
        giver.write_eof()
        assert await taker.read() == b"".join(kept), "and nothing is lost"


@pytest.mark.parametrize("leaver", ["client", "workspace"])
async def test_who_leaves_while_the_other_takes_nothing_is_noticed(
    run: Path, leaver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An end that is not read from does not tell by itself that it left."""
    monkeypatch.setattr(Tunnel, "linger", 0.2)
    async with gateway(run) as hub, tunnel(run, hub) as (reader, writer, far_reader, far_writer):
        giver, taker = (writer, far_reader) if leaver == "client" else (far_writer, reader)
        taker._limit = 2**10  # type: ignore[attr-defined]  # stops reading soon
        await fill(giver, hub)
        giver.transport.abort()
        await until(lambda: hub.context.live.keys() == frozenset(), "the tunnel to be forgotten")


async def fill(giver: asyncio.StreamWriter, hub: Running) -> None:
    """Write until the gateway reads no more; only the last piece is left in the system's buffers.

    What the giver's system can't pass on would keep its end back, too: then it is not told that it left.
    """
    near: Any
    (near,) = hub.server.server_state.connections

    def full() -> bool:
        return not (near._transport.is_reading() and near._far._transport.is_reading())

    def taken() -> bool:
        unsent = giver.transport.get_write_buffer_size() + queued(giver.transport, TIOCOUTQ)
        return not unsent and not any(queued(end, FIONREAD) for end in ends)

    ends = (near._transport, near._far._transport)
    for _ in range(1024):
        giver.write(bytes(2**16))
        # Not `drain`: once the gateway reads no more, that may wait for ever.
        await until(lambda: full() or taken(), "it is taken")
        if full():
            return
    raise AssertionError("it reads on and on")


def queued(transport: asyncio.BaseTransport, direction: int) -> int:
    """Bytes that the system keeps for a socket: sent and not passed on, or come and not read."""
    descriptor = transport.get_extra_info("socket").fileno()
    return int.from_bytes(fcntl.ioctl(descriptor, direction, bytes(4)), sys.byteorder)


async def test_end_of_session_closes_tunnels(run: Path) -> None:
    async with gateway(run) as hub, tunnel(run, hub) as (reader, _writer, far_reader, _far_writer):
        assert hub.context.live.end("key-alice", Ended.LOGOUT) == 1
        assert await reader.read() == b""
        assert await far_reader.read() == b""


async def test_end_of_a_way_closes_tunnels(run: Path) -> None:
    async with gateway(run) as hub, tunnel(run, hub) as (reader, _writer, far_reader, _far_writer):
        await hub.context.upstreams.end([route()])
        assert await reader.read() == b""
        assert await far_reader.read() == b""
        await until(lambda: hub.context.live.keys() == frozenset(), "the tunnel to be forgotten")


async def test_server_that_stops_closes_tunnels(run: Path) -> None:
    async with gateway(run) as hub, tunnel(run, hub) as (reader, _writer, far_reader, _far_writer):
        hub.server.should_exit = True
        assert await reader.read() == b""
        assert await far_reader.read() == b""
        await until(lambda: not hub.server.server_state.connections, "the server to have none")


async def test_server_that_stops_does_not_wait_for_handshakes(run: Path) -> None:
    async with recorder(run, answer=None) as workspace, gateway(run) as hub:
        reader, writer = await hub.connect()
        writer.write(hub.upgrade())
        await until(lambda: workspace.all, "the handshake")
        hub.server.should_exit = True
        assert await reader.read() == b""
        await until(lambda: workspace.ended == 1, "the workspace to be told")
        assert hub.context.live.keys() == frozenset()


async def test_end_of_session_during_the_handshake(run: Path) -> None:
    async with recorder(run, answer=None) as workspace, gateway(run) as hub:
        reader, writer = await hub.connect()
        writer.write(hub.upgrade())
        await until(lambda: workspace.all, "the handshake")
        assert hub.context.live.end("key-alice", Ended.REVOKED) == 1
        assert await reader.read() == b""
        await until(lambda: workspace.ended == 1, "the workspace to be told")


async def test_many_tunnels_leave_nothing_behind(run: Path) -> None:
    async with echo(run), gateway(run) as hub:

        async def one(number: int) -> None:
            async with client(hub) as ws:
                await ws.send(str(number))
                assert await ws.recv() == str(number)

        async with asyncio.TaskGroup() as group:
            for number in range(50):
                group.create_task(one(number))
        await until(lambda: not hub.server.server_state.connections, "all to be closed")
        assert hub.context.live.keys() == frozenset()
        assert hub.way().closers == set()


async def test_bugs_do_not_leave_connections_open(
    run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        async def lookup(self, cookies: object) -> None:
            raise ZeroDivisionError(cookies)

    async with gateway(run) as hub:
        object.__setattr__(hub.context, "sessions", Broken())
        lost = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(context))
        assert await hub.raw(hub.upgrade()) == b""
        assert not hub.server.server_state.connections


pieces = st.lists(st.binary(min_size=1, max_size=3000), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(up=pieces, down=pieces, cut_up=st.integers(0, 400), cut_down=st.integers(0, 150))
async def test_tunnel_is_transparent(
    up: list[bytes], down: list[bytes], cut_up: int, cut_down: int
) -> None:
    """Whatever the pieces in which heads and bytes arrive, both sides get exactly what was sent."""
    all_up, all_down = b"".join(up), b"".join(down)
    got_up: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        answer = SWITCH + b"\r\n" + all_down
        writer.write(answer[:cut_down])
        await asyncio.sleep(0)
        writer.write(answer[cut_down:])
        writer.write_eof()
        got_up.set_result(await reader.read())
        writer.close()

    with TemporaryDirectory(prefix="codehub-test-") as folder:
        run = Path(folder)
        async with unix_server(run / "demo/ide.sock", serve), gateway(run) as hub:
            reader, writer = await hub.connect()
            request = hub.upgrade()
            writer.write(request[:cut_up])
            await asyncio.sleep(0)
            writer.write(request[cut_up:])
            for piece in up:
                writer.write(piece)
                await asyncio.sleep(0)
            writer.write_eof()
            async with asyncio.timeout(PATIENCE):
                head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 101 ")
                assert rest == all_down
                assert await got_up == all_up
