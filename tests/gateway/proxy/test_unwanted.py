"""What clients may send that nobody wants: filler between the pieces of a body, and its rest.

Counted in bytes that the server took, never in time: what is taken costs the work.
"""

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest

from gateway.proxy import server
from gateway.proxy.unwanted import FILLER_LIMIT, REST_LIMIT, Rest
from tests.gateway.proxy.support import COOKIE, Running, gateway, parsed, recorder
from tests.waiting import until

ONE_READ = 2**18
"""Bytes that the loop reads at once, at most."""

MUCH = 16 * 2**20
"""Bytes that a client has ready: more than all buffers between hold."""

FILLERS = {
    "value of a trailer": (b"0\r\nX: ", b"y" * 2**16),
    "name of a trailer": (b"0\r\n", b"y" * 2**16),
    "trailers": (b"0\r\n", b"X: y\r\n" * 10_000),
    "extension of a chunk": (b"1;", b"x" * 2**16),
    "zeros of a chunk's size": (b"", b"0" * 2**16),
}


class Counting(server.HttpProtocol):
    """Counts what all its connections are fed. Patient, but for what a test is about."""

    head_timeout = rest_timeout = 3600.0
    fed: ClassVar[int]

    def data_received(self, data: bytes) -> None:
        type(self).fed += len(data)
        super().data_received(data)


class Hasty(Counting):
    """Does not wait for rests."""

    rest_timeout = 0.5


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    Counting.fed = Hasty.fed = 0


def head(hub: Running, framing: str, *, path: str = "/w/demo/", cookie: bytes = b"") -> bytes:
    """Return the head of a request that keeps its connection."""
    lines = f"POST {path} HTTP/1.1\r\nHost: {hub.host}\r\nOrigin: {hub.origin}\r\n{framing}\r\n"
    return lines.encode() + cookie + b"\r\n"


CHUNKED = "Transfer-Encoding: chunked"


async def pour(writer: asyncio.StreamWriter, piece: bytes, size: int = MUCH) -> None:
    """Send the same piece again and again, up to so many bytes or until nobody takes them."""
    try:
        for _ in range(size // len(piece)):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        return


async def last(reader: asyncio.StreamReader) -> bytes:
    """Return what comes until the connection ends, be it broken off with bytes on their way."""
    try:
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionError:
        return b""


async def answer(reader: asyncio.StreamReader) -> bytes:
    """Read one answer with an error and no more."""
    return await reader.readuntil(b'"}}')


@pytest.mark.parametrize("name", FILLERS)
async def test_filler_after_an_answer_ends(run: Path, name: str) -> None:
    """Also for somebody who is nobody."""
    begin, filler = FILLERS[name]
    async with gateway(run, http=Counting, timeout_keep_alive=3600) as hub:
        reader, writer = await hub.connect()
        writer.write(head(hub, CHUNKED))
        assert (await answer(reader)).startswith(b"HTTP/1.1 401 ")
        writer.write(begin)
        await pour(writer, filler)
        assert await last(reader) == b"", "and no second answer, which could be taken for another's"
        assert Counting.fed < FILLER_LIMIT + 2 * ONE_READ


@pytest.mark.parametrize("name", FILLERS)
async def test_filler_before_an_answer_ends(run: Path, name: str) -> None:
    begin, filler = FILLERS[name]
    async with recorder(run, answer=None) as workspace, gateway(run, http=Counting) as hub:
        reader, writer = await hub.connect()
        writer.write(head(hub, CHUNKED, cookie=COOKIE))
        await until(lambda: workspace.all, "the head")
        writer.write(begin)
        await pour(writer, filler)
        await last(reader)
        assert Counting.fed < FILLER_LIMIT + 2 * ONE_READ
        await until(lambda: workspace.ended == 1, "the workspace to be told")
        assert not workspace.all.endswith(b"0\r\n\r\n"), "a part must not pass for the whole"


async def test_too_much_filler_is_answered(run: Path) -> None:
    async with recorder(run, answer=None) as workspace, gateway(run) as hub:
        reader, writer = await hub.connect()
        writer.write(head(hub, CHUNKED, cookie=COOKIE))
        await until(lambda: workspace.all, "the head")
        writer.write(b"0\r\nX: " + b"y" * FILLER_LIMIT)
        assert parsed(await last(reader)).status == 431


async def test_empty_lines_behind_an_unanswered_request_end(run: Path) -> None:
    async with recorder(run, answer=None) as workspace, gateway(run, http=Counting) as hub:
        reader, writer = await hub.connect()
        writer.write(head(hub, "Content-Length: 0", cookie=COOKIE))
        await until(lambda: workspace.all, "the request")
        await pour(writer, b"\r\n" * 2**15)
        assert await last(reader) == b""
        assert Counting.fed < FILLER_LIMIT + 2 * ONE_READ


@pytest.mark.parametrize(
    ("body", "passes"),
    [
        (b"2;" + b"x" * 10_000 + b"\r\nhi\r\n0\r\nX: " + b"y" * 10_000 + b"\r\n\r\n", b"hi"),
        (b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n", b"x" * 50_000),
    ],
    ids=["some filler", "more framing than body"],
)
async def test_what_is_no_filler_passes(run: Path, body: bytes, passes: bytes) -> None:
    async with recorder(run, after=b"\r\n0\r\n\r\n") as workspace, gateway(run) as hub:
        reader, writer = await hub.connect()
        writer.write(head(hub, CHUNKED, cookie=COOKIE))
        for begin in range(0, len(body), 5_000):
            writer.write(body[begin : begin + 5_000])
            await writer.drain()
        await reader.readuntil(b"\r\n\r\nok")
        writer.close()
        pieces = workspace.all.partition(b"\r\n\r\n")[2].split(b"\r\n")
        assert b"".join(pieces[1:-3:2]) == passes


@pytest.mark.parametrize(
    ("path", "cookie", "status"),
    [
        ("/w/demo/", b"", 401),
        ("/w/demo/", COOKIE.replace(b"alice", b"bob"), 403),
        ("/w/other/", COOKIE, 404),
    ],
)
async def test_the_rest_of_a_body_is_not_waited_for(
    run: Path, path: str, cookie: bytes, status: int
) -> None:
    async with gateway(run, http=Hasty, timeout_keep_alive=3600) as hub:
        reader, writer = await hub.connect()
        writer.write(head(hub, "Content-Length: 10", path=path, cookie=cookie) + b"half")
        assert parsed(await answer(reader)).status == status
        assert await last(reader) == b""


async def test_the_rest_of_a_body_is_not_read_without_end(run: Path) -> None:
    async with gateway(run, http=Hasty, timeout_keep_alive=3600) as hub:
        reader, writer = await hub.connect()
        writer.write(head(hub, f"Content-Length: {2**40}"))
        await answer(reader)
        await pour(writer, b"x" * 2**16, 2**30)
        assert await last(reader) == b""
        assert Hasty.fed < REST_LIMIT + 2 * ONE_READ


async def test_after_a_rest_that_comes_the_connection_goes_on(run: Path) -> None:
    async with recorder(run), gateway(run, http=Hasty, timeout_keep_alive=3600) as hub:
        reader, writer = await hub.connect()
        for _ in range(2):
            writer.write(head(hub, f"Content-Length: {2**20}"))
            await answer(reader)
            await pour(writer, b"x" * 2**16, 2**20)
        await until(lambda: Hasty.fed > 2 * 2**20, "the last of the rest")
        writer.write(hub.get())
        assert parsed(await last(reader)).status == 200


async def test_a_rest_that_is_over_closes_nothing() -> None:
    closed: list[str] = []
    over, late = Rest(), Rest()
    over.begin(0.01, lambda: closed.append("over"))
    late.begin(0.02, lambda: closed.append("late"))
    over.over()
    await until(lambda: closed, "the late one to be closed")
    assert closed == ["late"]
    assert not over.expected


async def test_a_broken_rest_is_not_answered_again(run: Path) -> None:
    async with gateway(run, timeout_keep_alive=3600) as hub:
        reader, writer = await hub.connect()
        writer.write(head(hub, CHUNKED))
        assert parsed(await answer(reader)).status == 401
        writer.write(b"nonsense\r\n")
        assert await last(reader) == b""
