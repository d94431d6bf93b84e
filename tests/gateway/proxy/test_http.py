"""HTTP to a workspace and back, over real sockets."""

import asyncio
import gzip
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.live import Ended
from tests.gateway.proxy.support import (
    Recorder,
    Running,
    gateway,
    parsed,
    recorder,
    route,
    unix_server,
    web_app,
)
from tests.waiting import until

CHUNK = b"x" * 65536


async def test_target_reaches_the_workspace_byte_for_byte(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        for rest in (
            "/",
            "/a/b?c=d",
            "/%2e%2e/%2F/a%20b",
            "/../../etc/passwd",
            "//evil.example/x",
            "/@user:pw@host/;p=1,2",
            "/a?b?c=%zz&&==",
            "/a?",
            '/"<>{}|^`\\?"<>',
            "/w/demo/w/demo/",
            "/~!$&'()*+,:",
        ):
            reply = await hub.ask(hub.get("/w/demo" + rest))
            assert (reply.status, reply.body) == (200, b"ok"), rest
            assert workspace.all.rpartition(b"GET ")[2].startswith(rest.encode() + b" HTTP/1.1\r\n")


async def test_only_what_a_workspace_may_see_reaches_it(run: Path) -> None:
    extra = (
        b"Cookie: a=1; __Host-codehub=canary; b=2\r\n"
        b"Authorization: Bearer canary\r\nX-Forwarded-For: canary\r\nX-Forwarded-Prefix: canary\r\n"
        b"Forwarded: for=canary\r\nX-Real-IP: canary\r\nProxy-Authorization: canary\r\n"
        b"X-Hop: canary\r\nTE: trailers\r\nConnection: x-hop\r\nAccept: text/plain\r\n"
    )
    async with recorder(run) as workspace, gateway(run) as hub:
        await hub.ask(hub.get(extra=extra))
        lines = workspace.all.lower().split(b"\r\n")
        assert b"canary" not in workspace.all
        assert b"alice-session" not in workspace.all
        assert b"cookie: a=1; b=2" in lines
        assert b"accept: text/plain" in lines
        host = hub.host.encode()
        assert b"host: " + host in lines
        assert b"x-forwarded-host: " + host in lines
        assert b"x-forwarded-proto: http" in lines
        assert b"x-forwarded-for: 127.0.0.1" in lines
        for name in (b"user-agent", b"accept-encoding", b"te", b"content-type", b"content-length"):
            assert not any(line.startswith(name + b":") for line in lines)


async def test_answers_pass_with_what_they_must_not_do_taken_out(run: Path) -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: nginx\r\nAlt-Svc: h3\r\n"
        b"Set-Cookie: codehub=evil\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=1; Domain=x.org\r\n"
        b"Clear-Site-Data: *\r\nService-Worker-Allowed: /\r\nDate: long ago\r\n"
        b"Strict-Transport-Security: max-age=1\r\nContent-Security-Policy: script-src 'sha256-x'\r\n"
        b"X-Own: \xc3\xa9\r\nX-Own: 2\r\n\r\nok"
    )
    async with recorder(run, answer=answer), gateway(run) as hub:
        reply = await hub.ask(hub.get())
        assert reply.all("set-cookie") == ["a=1; Path=/w/demo/"]
        assert reply.all("service-worker-allowed") == ["/w/demo/"]
        assert reply.all("content-security-policy") == ["script-src 'sha256-x'"]
        assert reply.all("x-own") == ["\xc3\xa9", "2"]
        assert reply.all("x-content-type-options") == ["nosniff"]
        assert len(reply.all("date")) == 1
        for name in ("server", "alt-svc", "clear-site-data", "strict-transport-security"):
            assert reply.get(name) is None


@pytest.mark.parametrize(
    ("method", "answer", "status", "body"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", 200, b""),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: x\r\n\r\n", 304, b""),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
        (
            "GET",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n",
            200,
            b"ok",
        ),
        (
            "GET",
            b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1",
            200,
            b"1",
        ),
        ("GET", b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops", 500, b"oops"),
        ("OPTIONS", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
    ],
)
async def test_kinds_of_answers(
    run: Path, method: str, answer: bytes, status: int, body: bytes
) -> None:
    async with recorder(run, answer=answer), gateway(run) as hub:
        reply = await hub.ask(hub.get(method=method))
        assert (reply.status, reply.body, reply.whole) == (status, body, True)
        if method == "HEAD":
            assert reply.get("content-length") == "99"


async def test_compressed_bodies_pass_as_they_are(run: Path) -> None:
    packed = gzip.compress(b"hello" * 1000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    async with recorder(run, answer=head.encode() + packed), gateway(run) as hub:
        reply = await hub.ask(hub.get())
        assert (reply.get("content-encoding"), reply.body) == ("gzip", packed)


async def test_body_ends_with_the_connection_for_http_1_0(run: Path) -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\nays\r\n0\r\n\r\n"
    )
    async with recorder(run, answer=chunked), gateway(run) as hub:
        raw = await hub.raw(hub.get().replace(b"HTTP/1.1", b"HTTP/1.0"))
        head, _, body = raw.partition(b"\r\n\r\n")
        assert body == b"okays"
        assert b"chunked" not in head
    async with recorder(run), gateway(run) as hub:
        assert (await hub.ask(hub.get().replace(b"HTTP/1.1", b"HTTP/1.0"))).body == b"ok"


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_bodies_are_streamed_both_ways(run: Path, framing: str) -> None:
    """Each side gets a piece before the next is sent: nobody waits for the whole."""

    async def echo(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        async for piece in request.content.iter_any():
            await response.write(piece)
        return response

    pieces = [b"one", b"three", b"fifteen" * 1000]
    length = sum(map(len, pieces))
    header = (
        f"Content-Length: {length}\r\n" if framing == "length" else "Transfer-Encoding: chunked\r\n"
    )
    async with web_app(run, echo), gateway(run) as hub:
        reader, writer = await hub.connect()
        origin = f"Origin: {hub.origin}\r\n"
        writer.write(hub.get(method="POST", extra=(header + origin).encode()))
        for piece in pieces:
            writer.write(piece if framing == "length" else b"%x\r\n%b\r\n" % (len(piece), piece))
            if piece == b"one":
                await reader.readuntil(b"\r\n\r\n")
            got = b""
            while len(got) < len(piece):
                size = int(await reader.readline(), 16)
                got += await reader.readexactly(size)
                await reader.readexactly(2)
            assert got == piece
        if framing == "chunked":
            writer.write(b"0\r\nX-Trailer: dropped\r\n\r\n")
        assert await reader.read() == b"0\r\n\r\n"
        writer.close()


async def test_trailers_do_not_become_headers(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        extra = f"Origin: {hub.origin}\r\nTransfer-Encoding: chunked\r\n".encode()
        body = b"2\r\nhi\r\n0\r\nX-Late: canary\r\nHost: canary\r\n\r\n"
        reply = await hub.ask(hub.get(method="POST", extra=extra) + body)
        assert reply.status == 200
        assert b"canary" not in workspace.all
        assert workspace.all.endswith(b"\r\n\r\n2\r\nhi\r\n0\r\n\r\n")


async def test_expect_continue(run: Path) -> None:
    async with recorder(run, after=b"body") as workspace, gateway(run) as hub:
        reader, writer = await hub.connect()
        extra = f"Origin: {hub.origin}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n".encode()
        writer.write(hub.get(method="PUT", extra=extra))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"body")
        assert parsed(await reader.read()).body == b"ok"
        assert workspace.all.endswith(b"\r\n\r\nbody")
        assert b"expect" not in workspace.all.lower()
        writer.close()


async def test_early_answer_while_the_body_is_still_sent(run: Path) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await reader.read()

    async with unix_server(run / "demo/ide.sock", refuse), gateway(run) as hub:
        reader, writer = await hub.connect()
        extra = f"Origin: {hub.origin}\r\nContent-Length: 1000000000\r\n".encode()
        writer.write(hub.get(method="POST", extra=extra) + b"some")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 413 ")
        assert await reader.readexactly(3) == b"big"
        await until(lambda: hub.way().busy == 0, "the pool to be clean")
        writer.close()


async def test_large_bodies_take_no_memory(run: Path) -> None:
    size = 256 * 2**20

    async def source(request: web.Request) -> web.StreamResponse:
        taken = 0
        async for piece in request.content.iter_any():
            taken += len(piece)
        response = web.StreamResponse(headers={"Content-Length": str(size), "X-Taken": str(taken)})
        await response.prepare(request)
        for _ in range(size // len(CHUNK)):
            await response.write(CHUNK)
        return response

    async with web_app(run, source), gateway(run, patience=60) as hub:
        reader, writer = await hub.connect()
        extra = f"Origin: {hub.origin}\r\nContent-Length: {size}\r\n".encode()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        writer.write(hub.get(method="POST", extra=extra))
        for _ in range(size // len(CHUNK)):
            writer.write(CHUNK)
            await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        assert f"x-taken: {size}".encode() in head.lower()
        got = 0
        while piece := await reader.read(2**20):
            got += len(piece)
        writer.close()
        assert got == size
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        assert grown < 40, f"{grown} MiB"


async def test_a_slow_reader_slows_the_workspace_down(run: Path) -> None:
    written = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(CHUNK)
            await writer.drain()
            written += len(CHUNK)

    async def stalled() -> bool:
        seen = written
        for _turn in range(1000):  # of the loop, which all who take part share
            await asyncio.sleep(0)
        return seen == written

    async with unix_server(run / "demo/ide.sock", pour), gateway(run) as hub:
        reader, writer = await hub.connect()
        reader._limit = 2**10  # type: ignore[attr-defined]  # the client stops reading soon
        writer.write(hub.get())
        await until(lambda: written, "the first bytes")
        await until(stalled, "writing to stall")
        assert written < 32 * 2**20
        writer.transport.abort()
        await until(lambda: hub.way().busy == 0, "the pool to be clean")


async def test_client_that_goes_away_cancels_the_request(run: Path) -> None:
    async with recorder(run, answer=None) as workspace, gateway(run) as hub:
        for _ in range(30):
            _, writer = await hub.connect()
            writer.write(hub.get())
            await until(_more_than(workspace, len(workspace.received)), "the request")
            writer.transport.abort()
        await until(lambda: workspace.ended == 30, "the workspace to be told")
        await until(lambda: hub.way().busy == 0, "the pool to be clean")


async def test_client_that_goes_away_in_its_body(run: Path) -> None:
    """The workspace must not take half a body for a whole one."""
    async with recorder(run, answer=None) as workspace, gateway(run) as hub:
        _, writer = await hub.connect()
        extra = f"Origin: {hub.origin}\r\nTransfer-Encoding: chunked\r\n".encode()
        writer.write(hub.get(method="POST", extra=extra) + b"4\r\nhalf\r\n")
        await until(lambda: b"half" in workspace.all, "the half")
        writer.transport.abort()
        await until(lambda: workspace.ended == 1, "the workspace to be told")
        assert b"0\r\n\r\n" not in workspace.all
        await until(lambda: hub.way().busy == 0, "the pool to be clean")


async def test_cancels_leave_the_pool_usable(run: Path) -> None:
    """More cancelled requests than the pool has places, some in the middle of an answer."""

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if request.path == "/fast":
            return web.Response(text="fast")
        if request.path == "/begun":
            await response.prepare(request)
            await response.write(b"begun")
        await asyncio.sleep(3600)
        return response

    async with web_app(run, slow), gateway(run) as hub:
        for number in range(150):
            reader, writer = await hub.connect()
            writer.write(hub.get("/w/demo/begun" if number % 2 else "/w/demo/never"))
            if number % 2:
                await reader.readuntil(b"begun")
            writer.transport.abort()
        await until(lambda: hub.way().busy == 0, "the pool to be clean")
        assert (await hub.ask(hub.get("/w/demo/fast"))).body == b"fast"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"nonsense\r\n\r\n", 502),
        (b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", 502),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", 502),
        (b"HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n", 502),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 502),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n", 502),
    ],
)
async def test_workspace_talks_nonsense(run: Path, answer: bytes, status: int) -> None:
    async with recorder(run, answer=answer), gateway(run) as hub:
        reply = await hub.ask(hub.get())
        assert reply.status == status
        error = json.loads(reply.body)["error"]
        assert (error["code"], error["details"]["workspace"]) == ("UPSTREAM_UNAVAILABLE", "demo")
        await until(lambda: hub.way().busy == 0, "the pool to be clean")


async def test_errors_are_pages_for_people(run: Path) -> None:
    async with gateway(run) as hub:
        reply = await hub.ask(hub.get(extra=b"Sec-Fetch-Mode: navigate\r\n"))
        assert (reply.status, reply.body) == (502, b"page UPSTREAM_UNAVAILABLE alice")
        assert reply.get("cache-control") == "no-store"


async def test_workspace_that_breaks_off_is_seen_as_broken(run: Path) -> None:
    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        framing = b"Content-Length: 100" if b"/length" in head else b"Transfer-Encoding: chunked"
        writer.write(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n5\r\nhello\r\n")
        await writer.drain()
        writer.close()

    async with unix_server(run / "demo/ide.sock", broken), gateway(run) as hub:
        for path in ("/w/demo/length", "/w/demo/chunked"):
            reply = await hub.ask(hub.get(path))
            assert reply.status == 200
            assert b"hello" in reply.body
            assert not reply.whole
        await until(lambda: hub.way().busy == 0, "the pool to be clean")


async def test_idle_connection_closed_by_the_workspace_is_not_an_error(run: Path) -> None:
    """The race of a kept connection: asked again once, when that is safe."""
    served = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        await reader.readuntil(b"\r\n\r\n")
        served += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.readexactly(1)  # the next request has begun to come: too late
        writer.transport.abort()

    async with unix_server(run / "demo/ide.sock", once), gateway(run) as hub:
        for _ in range(3):
            assert (await hub.ask(hub.get())).status == 200
        extra = f"Origin: {hub.origin}\r\nContent-Length: 1\r\n".encode()
        reply = await hub.ask(hub.get(method="POST", extra=extra) + b"x")
        assert reply.status == 502, "a body that was sent is not sent again"


async def test_connections_are_kept(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        for _ in range(5):
            assert (await hub.ask(hub.get())).status == 200
        assert len(workspace.received) == 1


async def test_stopped_workspace_times_out(run: Path) -> None:
    """A process that does not run any more still has its socket: the kernel accepts for it."""
    program = (
        "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen()\n"
        "print(flush=True)\nwhile 1:\n c,_=s.accept(); c.recv(9999); c.close()"
    )
    (run / "demo").mkdir()
    path = run / "demo/ide.sock"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(path), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        await process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        async with gateway(run, patience=0.3) as hub:
            reply = await hub.ask(hub.get())
            assert reply.status == 504
            error = json.loads(reply.body)["error"]
            assert (error["code"], error["details"]) == ("UPSTREAM_TIMEOUT", {"workspace": "demo"})
            extra = f"Origin: {hub.origin}\r\nContent-Length: 9000000\r\n".encode()
            reader, writer = await hub.connect()
            request = hub.get(method="PUT", extra=extra)
            writer.write(request.replace(b"close", b"keep-alive") + b"x" * 9_000_000)
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 504 ")
            writer.transport.abort()
            await until(lambda: hub.way().busy == 0, "the pool to be clean")
            process.kill()
            await process.wait()
            assert (await hub.ask(hub.get())).status == 502
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_slow_upload_is_not_a_timeout(run: Path) -> None:
    """The deadline moves with each piece that the workspace takes."""
    async with recorder(run, answer=None) as workspace, gateway(run, patience=0.5) as hub:
        reader, writer = await hub.connect()
        extra = f"Origin: {hub.origin}\r\nContent-Length: 6\r\n".encode()
        writer.write(hub.get(method="PUT", extra=extra))
        for count in range(1, 7):
            writer.write(b"x")
            await until(_ends_with(workspace, b"\r\n\r\n" + b"x" * count), "a byte")
            await asyncio.sleep(0.2)  # the pace of the client, together longer than the timeout
        assert parsed(await reader.read()).status == 504
        writer.close()


async def test_end_of_session_cuts_answers_off(run: Path) -> None:
    async with (
        recorder(run, answer=b"HTTP/1.1 200 OK\r\n\r\nbegun") as workspace,
        gateway(run) as hub,
    ):
        reader, writer = await hub.connect()
        writer.write(hub.get())
        await reader.readuntil(b"begun")
        assert hub.context.live.end("key-alice", Ended.LOGOUT) == 1
        assert await reader.read() == b"\r\n", "no end of chunks: not a whole answer"
        await until(lambda: workspace.ended == 1, "the workspace to be told")
        assert hub.context.live.keys() == frozenset()
        writer.close()


async def test_end_of_a_way_closes_what_uses_it(run: Path) -> None:
    async with (
        recorder(run, answer=b"HTTP/1.1 200 OK\r\n\r\nbegun") as workspace,
        gateway(run) as hub,
    ):
        reader, writer = await hub.connect()
        writer.write(hub.get())
        await reader.readuntil(b"begun")
        ended = hub.context.routes.replace([route(owner="bob")], generation=2)
        await hub.context.upstreams.end(ended)
        await hub.context.upstreams.end(ended)
        await until(lambda: workspace.ended == 1, "the workspace to be told")
        assert not parsed(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + await reader.read()
        ).whole
        assert (await hub.ask(hub.get())).status == 403
        writer.close()


async def test_server_that_stops_lets_answers_end(run: Path) -> None:
    go_on = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        await go_on.wait()
        return web.Response(text="late")

    async with web_app(run, slow), gateway(run) as hub:
        reader, writer = await hub.connect()
        writer.write(hub.get())
        await until(lambda: hub.way().busy == 1, "the request")
        hub.server.should_exit = True
        await until(lambda: not hub.server.servers[0].is_serving(), "the server to stop")
        go_on.set()
        assert parsed(await reader.read()).body == b"late"
        writer.close()


async def test_server_that_must_stop_cancels(run: Path) -> None:
    async with recorder(run, answer=None), gateway(run, timeout_graceful_shutdown=0) as hub:
        reader, writer = await hub.connect()
        writer.write(hub.get())
        await until(lambda: hub.way().busy == 1, "the request")
        hub.server.should_exit = True
        assert parsed(await reader.read()).status == 500
        await until(lambda: hub.way().busy == 0, "the pool to be clean")
        writer.close()


async def test_values_pass_byte_for_byte(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        assert (await hub.ask(hub.get(extra=b"X: \xff\xc3\xa9 \t~\r\n"))).status == 200
        assert b"\r\nx: \xff\xc3\xa9 \t~\r\n" in workspace.all


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(sizes=st.lists(st.integers(1, 200_000), max_size=6), chunked=st.booleans())
async def test_bodies_arrive_whole(sizes: list[int], chunked: bool) -> None:
    from tempfile import TemporaryDirectory

    body = os.urandom(sum(sizes))

    async def echo(request: web.Request) -> web.StreamResponse:
        return web.Response(body=await request.read())

    with TemporaryDirectory(prefix="codehub-test-") as folder:
        async with web_app(Path(folder), echo), gateway(Path(folder)) as hub:
            assert (await _post(hub, body, sizes, chunked=chunked)) == body


async def _post(hub: Running, body: bytes, sizes: list[int], *, chunked: bool) -> bytes:
    reader, writer = await hub.connect()
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    writer.write(hub.get(method="POST", extra=f"Origin: {hub.origin}\r\n{framing}\r\n".encode()))
    at = 0
    for size in sizes:
        piece = body[at : at + size]
        at += size
        writer.write(b"%x\r\n%b\r\n" % (size, piece) if chunked else piece)
        await writer.drain()
    if chunked:
        writer.write(b"0\r\n\r\n")
    try:
        return parsed(await reader.read()).body
    finally:
        writer.close()


def _more_than(workspace: Recorder, count: int) -> Callable[[], bool]:
    return lambda: len(workspace.received) > count


def _ends_with(workspace: Recorder, end: bytes) -> Callable[[], bool]:
    return lambda: workspace.all.endswith(end)
