"""Requests that two parsers might read differently, over raw sockets: the workspace sees nothing.

Each case is what an attacker would send; a recorder stands where the workspace is. What the gateway
does let through must have the same one meaning for everybody behind it.
"""

import asyncio
import json
import re
from pathlib import Path

import h11
import httptools
import pytest

from gateway.proxy import server
from tests.gateway.proxy.support import COOKIE, gateway, recorder, unix_server
from tests.waiting import until

HOST = b"Host: {host}\r\n"
END = b"Connection: close\r\n" + COOKIE + b"\r\n"
POST = b"POST /w/demo/ HTTP/1.1\r\n" + HOST + b"Origin: {origin}\r\n"
HIDDEN = b"GET /w/demo/hidden HTTP/1.1\r\n" + HOST + END
BODY = HIDDEN.replace(HOST, b"")

REFUSED = {
    "no host": b"GET /w/demo/ HTTP/1.1\r\n" + END,
    "two hosts": b"GET /w/demo/ HTTP/1.1\r\n" + HOST + HOST + END,
    "two different hosts": b"GET /w/demo/ HTTP/1.1\r\n" + HOST + b"Host: evil\r\n" + END,
    "absolute form": b"GET http://{host}/w/demo/ HTTP/1.1\r\n" + HOST + END,
    "absolute form, other host": b"GET http://evil/w/demo/ HTTP/1.1\r\n" + HOST + END,
    "connect": b"CONNECT {host} HTTP/1.1\r\n" + HOST + END + b"GET / HTTP/1.1\r\n\r\n",
    "trace": b"TRACE /w/demo/ HTTP/1.1\r\n" + HOST + END,
    "asterisk": b"OPTIONS * HTTP/1.1\r\n" + HOST + END,
    "length and chunked": POST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"
    + END
    + b"0\r\n\r\n"
    + HIDDEN,
    "chunked and length": POST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"
    + END
    + b"0\r\n\r\n"
    + HIDDEN,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 44\r\n" + END + HIDDEN,
    "two equal lengths": POST + b"Content-Length: 1\r\nContent-Length: 1\r\n" + END + b"x",
    "list of lengths": POST + b"Content-Length: 1, 1\r\n" + END + b"x",
    "signed length": POST + b"Content-Length: +1\r\n" + END + b"x",
    "negative length": POST + b"Content-Length: -1\r\n" + END + b"x",
    "hex length": POST + b"Content-Length: 0x1\r\n" + END + b"x",
    "empty length": POST + b"Content-Length: \r\n" + END,
    "huge length": POST + b"Content-Length: 99999999999999999999\r\n" + END,
    "space before colon": POST + b"Content-Length : 1\r\n" + END + b"x",
    "unknown coding": POST + b"Transfer-Encoding: gzip\r\n" + END + HIDDEN,
    "coding list": POST + b"Transfer-Encoding: gzip, chunked\r\n" + END + b"0\r\n\r\n",
    "coding twice": POST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
    + END
    + b"0\r\n\r\n",
    "coding with tail": POST + b"Transfer-Encoding: chunkedx\r\n" + END + b"0\r\n\r\n",
    "coding with vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n" + END + b"0\r\n\r\n",
    "coding on http/1.0": POST.replace(b"1.1", b"1.0")
    + b"Transfer-Encoding: chunked\r\n"
    + END
    + b"0\r\n\r\n",
    "bad chunk size": POST + b"Transfer-Encoding: chunked\r\n" + END + b"zz\r\n",
    "signed chunk size": POST + b"Transfer-Encoding: chunked\r\n" + END + b"+2\r\nhi\r\n0\r\n\r\n",
    "huge chunk size": POST + b"Transfer-Encoding: chunked\r\n" + END + b"f" * 17 + b"\r\nhi",
    "chunk without end": POST + b"Transfer-Encoding: chunked\r\n" + END + b"2\r\nhiXX0\r\n\r\n",
    "chunk with bare lf": POST + b"Transfer-Encoding: chunked\r\n" + END + b"2\nhi\n0\n\n",
    "bare lf": b"GET /w/demo/ HTTP/1.1\n" + HOST.replace(b"\r", b"") + b"\n",
    "bare cr in a value": b"GET /w/demo/ HTTP/1.1\r\n" + HOST + b"X: a\rY: b\r\n" + END,
    "nul in a value": b"GET /w/demo/ HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n" + END,
    "folded header": b"GET /w/demo/ HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n" + END,
    "leading space": b"GET /w/demo/ HTTP/1.1\r\n X: a\r\n" + HOST + END,
    "no colon": b"GET /w/demo/ HTTP/1.1\r\n" + HOST + b"nonsense\r\n" + END,
    "empty name": b"GET /w/demo/ HTTP/1.1\r\n" + HOST + b": x\r\n" + END,
    "underscore alias": b"GET /w/demo/ HTTP/1.1\r\n" + HOST + b"X_Forwarded_For: x\r\n" + END,
    "dot alias": b"GET /w/demo/ HTTP/1.1\r\n" + HOST + b"X.Forwarded.For: x\r\n" + END,
    "odd token name": b"GET /w/demo/ HTTP/1.1\r\n" + HOST + b"X!: x\r\n" + END,
    "http/2.0": b"GET /w/demo/ HTTP/2.0\r\n" + HOST + END,
    "http/1.2": b"GET /w/demo/ HTTP/1.2\r\n" + HOST + END,
    "http/0.9": b"GET /w/demo/\r\n\r\n",
    "lower case method": b"get /w/demo/ HTTP/1.1\r\n" + HOST + END,
    "unknown method": b"BREW /w/demo/ HTTP/1.1\r\n" + HOST + END,
    "space in target": b"GET /w/demo/a b HTTP/1.1\r\n" + HOST + END,
    "tab in target": b"GET /w/demo/a\tb HTTP/1.1\r\n" + HOST + END,
    "fragment": b"GET /w/demo/#x HTTP/1.1\r\n" + HOST + END,
    "bytes in target": b"GET /w/demo/\xc3\xa9 HTTP/1.1\r\n" + HOST + END,
    "dots before": b"GET /w/../w/demo/ HTTP/1.1\r\n" + HOST + END,
    "slashes before": b"GET //w/demo/ HTTP/1.1\r\n" + HOST + END,
    "encoded prefix": b"GET /%77/demo/ HTTP/1.1\r\n" + HOST + END,
    "encoded slash": b"GET /w%2fdemo/ HTTP/1.1\r\n" + HOST + END,
    "encoded slash after the id": b"GET /w/demo%2f HTTP/1.1\r\n" + HOST + END,
    "encoded id": b"GET /w/%64emo/ HTTP/1.1\r\n" + HOST + END,
    "backslash": b"GET /w\\demo/ HTTP/1.1\r\n" + HOST + END,
    "semicolon": b"GET /w/demo;x/ HTTP/1.1\r\n" + HOST + END,
    "other upgrade with a body": POST
    + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n"
    + COOKIE
    + b"\r\nhello"
    + HIDDEN,
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "http/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("name", REFUSED)
async def test_workspace_sees_nothing(run: Path, name: str) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        request = REFUSED[name].replace(b"{host}", hub.host.encode())
        raw = await hub.raw(request.replace(b"{origin}", hub.origin.encode()))
        assert raw.startswith(b"HTTP/1.1 400 "), raw[:80]
        assert json.loads(raw.partition(b"\r\n\r\n")[2].partition(b"\r\n")[0])["error"]["code"]
        assert len(re.findall(rb"HTTP/1.1 \d", raw)) == 1, "and what follows is not answered"
        assert b"GET" not in workspace.all, workspace.all
        if workspace.received:  # the head of a body that turned out broken, never its end
            assert b"0\r\n\r\n" not in workspace.all
            await until(lambda: workspace.ended == len(workspace.received), "to be told")


ACCEPTED = {
    "plain": b"GET /w/demo/ HTTP/1.1\r\n" + HOST + END,
    "empty lines first": b"\r\n\r\nGET /w/demo/ HTTP/1.1\r\n" + HOST + END,
    "length": POST + b"Content-Length: 2\r\n" + END + b"hi",
    "length with zeros": POST + b"Content-Length: 0002\r\n" + END + b"hi",
    "chunked": POST + b"Transfer-Encoding: chunked\r\n" + END + b"2\r\nhi\r\n0\r\n\r\n",
    "chunked in capitals": POST + b"Transfer-Encoding: CHUNKED\r\n" + END + b"2\r\nhi\r\n0\r\n\r\n",
    "chunk extension": POST + b"Transfer-Encoding: chunked\r\n" + END + b"2;x=y\r\nhi\r\n0\r\n\r\n",
    "trailers": POST + b"Transfer-Encoding: chunked\r\n" + END + b"2\r\nhi\r\n0\r\nA: b\r\n\r\n",
    "body with a get": b"GET /w/demo/ HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n" + END + b"hi",
    "length named by connection": POST
    + b"Content-Length: 2\r\nConnection: content-length\r\n"
    + END
    + b"hi",
    "body like a request": POST + b"Content-Length: %d\r\n" % len(BODY) + END + BODY,
    "other upgrade": b"GET /w/demo/ HTTP/1.1\r\n"
    + HOST
    + b"Connection: Upgrade, close\r\nUpgrade: h2c\r\n"
    + COOKIE
    + b"\r\n",
    "upgrade without connection": b"GET /w/demo/ HTTP/1.1\r\n"
    + HOST
    + b"Upgrade: websocket\r\n"
    + END,
}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_workspace_sees_one_request(run: Path, name: str) -> None:
    """And two other parsers agree on where it ends and what its body is."""
    end = b"session\r\n\r\n" if name == "body like a request" else b"\r\n\r\n"
    async with recorder(run, after=end) as workspace, gateway(run) as hub:
        request = ACCEPTED[name].replace(b"{host}", hub.host.encode())
        reply = await hub.ask(request.replace(b"{origin}", hub.origin.encode()))
        assert reply.status == 200
        seen = workspace.all
        body = b"" if b"hi" not in request.partition(b"\r\n\r\n")[2] else b"hi"
        if name == "body like a request":
            body = request.partition(b"\r\n\r\n")[2]
        assert _by_h11(seen) == [body]
        assert _by_llhttp(seen) == [body]
        assert b"upgrade" not in seen.lower()


def _by_h11(data: bytes) -> list[bytes]:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    bodies = []
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            bodies.append(b"")
        elif isinstance(event, h11.Data):
            bodies[-1] += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert connection.trailing_data[0] == b""
            return bodies
        else:
            pytest.fail(f"{event}")


class _Bodies:
    def __init__(self) -> None:
        self.open: list[bytes] = []
        self.done: list[bytes] = []

    def on_message_begin(self) -> None:
        self.open.append(b"")

    def on_body(self, body: bytes) -> None:
        self.open[-1] += body

    def on_message_complete(self) -> None:
        self.done.append(self.open.pop())


def _by_llhttp(data: bytes) -> list[bytes]:
    bodies = _Bodies()
    httptools.HttpRequestParser(bodies).feed_data(data)
    assert bodies.open == []
    return bodies.done


async def test_pipelined_requests_are_answered_in_order(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        one = hub.get("/w/demo/1").replace(b"Connection: close\r\n", b"")
        raw = await hub.raw(one + one.replace(b"demo/1", b"demo/2") + hub.get("/w/demo/3"))
        assert raw.count(b"HTTP/1.1 200 OK") == 3
        order = [workspace.all.index(b"GET /%d " % number) for number in (1, 2, 3)]
        assert order == sorted(order)


async def test_request_after_a_declined_upgrade_is_not_lost(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        first = hub.get("/w/demo/1", extra=b"Upgrade: h2c\r\n")
        first = first.replace(b"Connection: close", b"Connection: Upgrade")
        raw = await hub.raw(first + hub.get("/w/demo/2"))
        assert raw.count(b"HTTP/1.1 200 OK") == 2
        assert b"GET /2 " in workspace.all


async def test_upgrade_behind_an_unanswered_request_is_refused(run: Path) -> None:
    """Its bytes and the answer's would mix."""
    async with recorder(run, answer=None) as workspace, gateway(run) as hub:
        reader, writer = await hub.connect()
        writer.write(hub.get("/w/demo/1").replace(b"Connection: close\r\n", b""))
        await until(lambda: workspace.all, "the first request")
        writer.write(hub.upgrade())
        assert await reader.read() == b""
        await until(lambda: workspace.ended == 1, "the workspace to be told")
        assert b"websocket" not in workspace.all


async def test_nonsense_behind_an_unanswered_request_ends_both(run: Path) -> None:
    async with recorder(run, answer=None) as workspace, gateway(run) as hub:
        reader, writer = await hub.connect()
        writer.write(hub.get("/w/demo/1").replace(b"Connection: close\r\n", b""))
        await until(lambda: workspace.all, "the first request")
        writer.write(b"nonsense\r\n\r\n")
        assert await reader.read() == b""
        await until(lambda: workspace.ended == 1, "the workspace to be told")


@pytest.mark.parametrize(
    "head",
    [
        b"X: " + b"y" * (server.HEAD_LIMIT + 1) + b"\r\n",
        b"X: y\r\n" * (server.HEADERS_LIMIT + 1),
        b"X: " + b"y" * 300_000,
        b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 20_000,
    ],
)
async def test_heads_have_limits(run: Path, head: bytes) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        reader, writer = await hub.connect()
        writer.write(hub.get()[:-2] + head)
        line = await reader.readline()
        assert line == b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
        assert workspace.received == []


async def test_long_target_is_refused(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        _, writer = connection = await hub.connect()
        writer.write(hub.get("/w/demo/" + "x" * 70_000))
        assert (await connection[0].readline()).startswith(b"HTTP/1.1 431 ")
        assert workspace.received == []


async def test_heads_up_to_the_limits_pass(run: Path) -> None:
    async with recorder(run), gateway(run) as hub:
        assert (await hub.ask(hub.get(extra=b"X: " + b"y" * 60_000 + b"\r\n"))).status == 200
        assert (await hub.ask(hub.get(extra=b"X: y\r\n" * 120))).status == 200
        assert (await hub.ask(hub.get("/w/demo/" + "x" * 60_000))).status == 200


class Impatient(server.HttpProtocol):
    head_timeout = 0.2


async def test_slow_heads_are_cut_off(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run, http=Impatient) as hub:
        for sent in (b"", b"\r\n", b"GET /w/demo/ HTTP/1.1\r\nX:"):
            reader, writer = await hub.connect()
            writer.write(sent)
            assert await reader.read() == b""
        reader, writer = await hub.connect()
        kept = hub.get().replace(b"Connection: close\r\n", b"")
        writer.write(kept)
        await reader.readuntil(b"ok")
        writer.write(kept[:20])
        assert await reader.read() == b""
        assert len(workspace.all.split(b"GET ")) == 2


async def test_slow_answers_are_no_slow_heads(run: Path) -> None:
    go_on = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await go_on.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.read()

    async with unix_server(run / "demo/ide.sock", serve), gateway(run, http=Impatient) as hub:
        reader, writer = await hub.connect()
        kept = hub.get().replace(b"Connection: close\r\n", b"")
        writer.write(kept + kept[:20])
        slow, writing = await hub.connect()
        writing.write(kept[:20])
        assert await slow.read() == b"", "the time for a head is over"
        go_on.set()
        await reader.readuntil(b"ok")
        assert await reader.read() == b"", "and now the head's time runs"


async def test_empty_lines_do_not_keep_a_connection(run: Path) -> None:
    async with recorder(run), gateway(run, timeout_keep_alive=1) as hub:
        reader, writer = await hub.connect()
        writer.write(hub.get().replace(b"Connection: close\r\n", b""))
        await reader.readuntil(b"ok")

        async def trickle() -> None:
            while True:
                writer.write(b"\r\n")
                await asyncio.sleep(0.1)

        async with asyncio.TaskGroup() as group, asyncio.timeout(5):
            task = group.create_task(trickle())
            assert await reader.read() == b""
            task.cancel()


async def test_other_paths_go_elsewhere(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        assert (await hub.ask(hub.get("/elsewhere"))).body == b"inner"
        assert workspace.received == []
