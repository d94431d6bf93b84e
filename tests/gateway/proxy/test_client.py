"""The HTTP client and its pool, against real servers on unix sockets."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import UpstreamUnavailableError
from gateway.proxy.upstream import CONNECTIONS, Upstream, UpstreamResponse, Upstreams
from tests.gateway.proxy.support import PATIENCE, recorder, route, unix_server
from tests.waiting import until

HEADERS = [(b"host", b"hub")]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def way(run: Path) -> AsyncIterator[Upstream]:
    upstreams = Upstreams(run)
    try:
        async with asyncio.timeout(PATIENCE):
            yield upstreams.to(route())
    finally:
        await upstreams.close()


@asynccontextmanager
async def script(run: Path, pieces: Sequence[bytes], *, end: bool = False) -> AsyncIterator[None]:
    """Run a workspace that answers each head with these pieces, one after the other."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                if writer.transport.is_closing():
                    return
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.001)
            if end:
                writer.close()
                return

    async with unix_server(run / "demo/ide.sock", serve):
        yield


async def get(upstream: Upstream, method: str = "GET") -> tuple[int, bytes]:
    response = await upstream.request(method, b"/", HEADERS, None)
    return response.status, await whole(response)


async def whole(response: UpstreamResponse) -> bytes:
    body, last = b"", False
    try:
        while not last:
            piece, last = await response.read()
            body += piece
        return body
    finally:
        response.close()


BODY = bytes(range(256)) * 8
ANSWERS = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 2048\r\n\r\n" + BODY, False),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n"
        + BODY[:1000]
        + b"\r\n418;x=y\r\n"
        + BODY[1000:]
        + b"\r\n0\r\nX-Trailer: y\r\n\r\n",
        False,
    ),
    "end": (b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n" + BODY, True),
    "interim": (
        b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2048\r\n\r\n"
        + BODY,
        False,
    ),
}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(sorted(ANSWERS)), cuts=st.lists(st.integers(1, 2200), max_size=6))
async def test_answers_are_read_in_any_pieces(name: str, cuts: list[int]) -> None:
    answer, end = ANSWERS[name]
    marks = [0, *sorted(min(cut, len(answer)) for cut in cuts), len(answer)]
    pieces = [answer[a:b] for a, b in itertools.pairwise(marks)]
    with TemporaryDirectory(prefix="codehub-test-") as folder:
        async with script(Path(folder), pieces, end=end), way(Path(folder)) as upstream:
            for _ in range(2):
                response = await upstream.request("GET", b"/", HEADERS, None)
                assert response.status == 200
                assert b"X-Trailer" not in dict(response.headers)
                assert b"Link" not in dict(response.headers)
                assert await whole(response) == BODY


async def test_head_and_get_share_a_connection(run: Path) -> None:
    async with recorder(run, answer=OK[:-2]) as workspace, way(run) as upstream:
        assert await get(upstream, "HEAD") == (200, b"")
        assert await get(upstream, "HEAD") == (200, b"")
        assert len(workspace.received) == 1


@pytest.mark.parametrize(
    "surplus",
    [OK, b"x", b"\x00" * 10],
)
async def test_surplus_ends_a_connection(run: Path, surplus: bytes) -> None:
    """An answer that nobody asked for must not become the next request's."""
    evil = OK + surplus
    async with recorder(run, answer=evil) as workspace, way(run) as upstream:
        assert await get(upstream) == (200, b"ok")
        assert await get(upstream) == (200, b"ok")
        assert len(workspace.received) == 2
        await until(lambda: workspace.ended >= 1, "the first to be closed")


async def test_body_after_head_is_surplus(run: Path) -> None:
    async with recorder(run, answer=OK) as workspace, way(run) as upstream:
        for _ in range(2):
            assert await get(upstream, "HEAD") == (200, b"")
        assert len(workspace.received) == 2


async def test_late_surplus_ends_a_connection(run: Path) -> None:
    async with script(run, [OK, b"", b"late"]), way(run) as upstream:
        assert await get(upstream) == (200, b"ok")
        await until(lambda: not upstream._all, "the connection to be closed")
        assert await get(upstream) == (200, b"ok")


async def test_connection_close_is_respected(run: Path) -> None:
    closing = OK.replace(b"Content", b"Connection: close\r\nContent")
    async with recorder(run, answer=closing) as workspace, way(run) as upstream:
        for method in ("GET", "HEAD", "GET"):
            response = await upstream.request(method, b"/", HEADERS, None)
            await whole(response)
        assert len(workspace.received) == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching\r\n\r\n" + OK,
        b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: yyyyyyyyyyyyyyyyyy\r\n" * 5000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000,
        b"HTTP/1.1 103 Early\r\n\r\n" * 10_000,
    ],
)
async def test_nonsense(run: Path, answer: bytes) -> None:
    async with recorder(run, answer=answer) as workspace, way(run) as upstream:
        with pytest.raises(UpstreamUnavailableError):
            await get(upstream)
        await until(lambda: workspace.ended == 1, "the connection to be closed")
        await until(lambda: upstream.busy == 0, "the pool to be clean")


async def test_broken_chunks_end_the_body_with_an_error(run: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
    async with script(run, [head, b"zz\r\n"]), way(run) as upstream:
        response = await upstream.request("GET", b"/", HEADERS, None)
        with pytest.raises(UpstreamUnavailableError):
            await whole(response)


@pytest.mark.parametrize(
    ("begin", "filler"),
    [
        (b"0\r\nX: ", b"y" * 2**16),
        (b"0\r\n", b"y" * 2**16),
        (b"0\r\n", b"X: y\r\n" * 10_000),
        (b"2\r\nok\r\n1;", b"x" * 2**16),
    ],
    ids=["value of a trailer", "name of a trailer", "trailers", "extension of a chunk"],
)
async def test_filler_ends_the_answer(run: Path, begin: bytes, filler: bytes) -> None:
    taken = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + begin)
        while taken < 16 * 2**20:
            writer.write(filler)
            await writer.drain()
            taken += len(filler)

    async with unix_server(run / "demo/ide.sock", pour), way(run) as upstream:
        response = await upstream.request("GET", b"/", HEADERS, None)
        with pytest.raises(UpstreamUnavailableError):
            await whole(response)
        await until(lambda: upstream.busy == 0, "the connection to be closed")
    assert taken < 2 * 2**20, "no more than what buffers hold"


async def test_small_chunks_are_no_filler(run: Path) -> None:
    pieces = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
    pieces += [b"1\r\nx\r\n" * 10_000] * 3 + [b"0\r\nX: " + b"y" * 10_000 + b"\r\n\r\n"]
    async with script(run, pieces), way(run) as upstream:
        for _ in range(2):
            assert await get(upstream) == (200, b"x" * 30_000)
        assert len(upstream._all) == 1, "and the connection serves again"


async def test_unused_connections_are_closed(run: Path) -> None:
    async with recorder(run) as workspace, way(run) as upstream:
        upstream.idle = 0.2
        assert await get(upstream) == (200, b"ok")
        await until(lambda: workspace.ended == 1, "the connection to be closed")
        assert await get(upstream) == (200, b"ok")
        upstream.idle = -1.0  # too old already when it is asked for
        assert await get(upstream) == (200, b"ok")
        assert len(workspace.received) == 3


async def test_recently_used_connections_are_not(run: Path) -> None:
    async with recorder(run) as workspace, way(run) as upstream:
        upstream.idle = 0.4
        for _ in range(8):
            assert await get(upstream) == (200, b"ok")
            await asyncio.sleep(0.1)  # twice the time that one would be kept
        assert len(workspace.received) == 1


async def test_more_requests_than_places_wait(run: Path) -> None:
    async with recorder(run, answer=None) as workspace, way(run) as upstream:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(get(upstream)) for _ in range(CONNECTIONS + 5)]
            await until(lambda: len(workspace.received) == CONNECTIONS, "all places to be taken")
            for task in tasks[: CONNECTIONS // 2]:
                task.cancel()
            await until(lambda: len(workspace.received) == CONNECTIONS + 5, "the others' turn")
            for task in tasks:
                task.cancel()
        await until(lambda: upstream.busy == 0, "the pool to be clean")
        assert upstream._places._value == CONNECTIONS


async def test_who_waits_for_a_place_gets_none_when_the_way_ends(run: Path) -> None:
    async def refused(upstream: Upstream) -> None:
        with pytest.raises(UpstreamUnavailableError):
            await get(upstream)

    async with recorder(run, answer=None) as workspace, way(run) as upstream:
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS + 5):
                group.create_task(refused(upstream))
            await until(lambda: len(workspace.received) == CONNECTIONS, "all places to be taken")
            await upstream.close()  # there is another owner, say
        assert sum(1 for mine in workspace.received if mine) == CONNECTIONS
        assert upstream._places._value == CONNECTIONS


@pytest.mark.parametrize(
    ("method", "with_body", "again"),
    [("GET", False, True), ("DELETE", False, True), ("POST", False, False), ("PUT", True, False)],
)
async def test_dead_kept_connections(
    run: Path, method: str, *, with_body: bool, again: bool
) -> None:
    served = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        await reader.readuntil(b"\r\n\r\n")
        served += 1
        writer.write(OK)
        await reader.readexactly(1)
        writer.transport.abort()

    async def body() -> AsyncGenerator[bytes, None]:
        yield b"x"

    async with unix_server(run / "demo/ide.sock", once), way(run) as upstream:
        assert await get(upstream) == (200, b"ok")
        asked = upstream.request(method, b"/", HEADERS, body() if with_body else None)
        if again:
            assert await whole(await asked) == b"ok"
            assert served == 2
        else:
            with pytest.raises(UpstreamUnavailableError):
                await asked
            assert served == 1


async def test_dead_in_the_middle_of_an_answer_is_not_asked_again(run: Path) -> None:
    served = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        served += 1
        writer.write(b"HTTP/1.1 200")
        writer.close()

    async with unix_server(run / "demo/ide.sock", once), way(run) as upstream:
        assert await get(upstream) == (200, b"ok")
        with pytest.raises(UpstreamUnavailableError):
            await get(upstream)
        assert served == 1


async def test_slow_workspace_slows_the_upload_down(run: Path) -> None:
    asked_for = 0
    go_on = asyncio.Event()

    async def body() -> AsyncGenerator[bytes, None]:
        nonlocal asked_for
        for _ in range(500):
            asked_for += 1
            yield b"x" * 65536

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader._limit = 1024  # type: ignore[attr-defined]  # stops reading soon
        await go_on.wait()
        while await reader.read(2**20):
            pass

    async def stalled() -> bool:
        seen = asked_for
        for _turn in range(1000):  # of the loop, which all who take part share
            await asyncio.sleep(0)
        return seen == asked_for

    async with unix_server(run / "demo/ide.sock", serve), way(run) as upstream:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(upstream.request("PUT", b"/", HEADERS, body()))
            await until(lambda: asked_for, "the first pieces")
            await until(stalled, "the upload to stall")
            assert 0 < asked_for < 100
            go_on.set()
            await until(lambda: asked_for == 500, "the rest to be taken")
            task.cancel()
        await until(lambda: upstream.busy == 0, "the pool to be clean")
