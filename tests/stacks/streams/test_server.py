"""Both ends of the runner's socket, around streams that do as they are told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from stacks import api
from stacks.client import RunnerClient
from stacks.errors import (
    BadRequestError,
    EngineUnavailableError,
    NotRunningError,
    RunnerUnreachableError,
    UnknownWorkspaceError,
)
from stacks.streams.frames import MAX_MESSAGE, SUBPROTOCOL, Channel, Size, frame, json_frame, parse
from stacks.streams.model import ExecOptions, LogOptions, Process
from tests.stacks.streams.box import done, run, whole_log
from tests.stacks.test_api import Told, raw
from tests.waiting import until

SH = ExecOptions(command=("sh",), stdin=True, tty=True)


@dataclass
class Echo:
    """A command that says what it is told, and ends with the code 5 when its input does."""

    said: "asyncio.Queue[bytes | None]" = field(default_factory=asyncio.Queue)
    sizes: list[Size] = field(default_factory=list)
    failure: Exception | None = None

    async def read(self) -> tuple[Channel, bytes] | None:
        if self.failure:
            raise self.failure
        data = await self.said.get()
        return None if data is None else (Channel.STDOUT, data)

    async def write(self, data: bytes) -> None:
        self.said.put_nowait(data)

    async def close_stdin(self) -> None:
        self.said.put_nowait(None)

    async def resize(self, size: Size) -> None:
        self.sizes.append(size)

    async def exit_code(self) -> int:
        return 5


@dataclass
class ToldStreams:
    """Streams that answer as they are told, and keep what they were asked.

    Attributes:
        pieces: Of a log; None waits until the client is gone.
        open: How many there are now.
    """

    asked: list[object] = field(default_factory=list)
    pieces: list[bytes | None] = field(default_factory=list)
    failure: Exception | None = None
    broken: Exception | None = None
    process: Echo = field(default_factory=Echo)
    open: int = 0

    @asynccontextmanager
    async def logs(
        self, workspace_id: str, wanted: LogOptions
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        self.asked.append((workspace_id, wanted))
        if self.failure:
            raise self.failure
        self.open += 1
        try:
            yield self._pieces()
        finally:
            self.open -= 1

    async def _pieces(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if piece is None:
                await asyncio.Event().wait()
            else:
                yield piece
        if self.broken:
            raise self.broken

    @asynccontextmanager
    async def exec(self, workspace_id: str, wanted: ExecOptions) -> AsyncIterator[Process]:
        self.asked.append((workspace_id, wanted))
        if self.failure:
            raise self.failure
        self.open += 1
        try:
            yield self.process
        finally:
            self.open -= 1


@pytest.fixture
def streams() -> ToldStreams:
    return ToldStreams()


@pytest.fixture
async def socket(streams: ToldStreams, tmp_path: Path) -> AsyncIterator[Path]:
    path = tmp_path / "d" / "runner.sock"
    path.parent.mkdir()
    told = Told()
    told.streams = streams
    async with api.serving(path, told, {}):
        yield path


@pytest.fixture
async def client(socket: Path) -> AsyncIterator[RunnerClient]:
    async with RunnerClient(socket) as client:
        yield client


async def test_a_log_comes_as_it_was_asked_for(streams: ToldStreams, client: RunnerClient) -> None:
    streams.pieces = [b"one\n", b"\xfftwo\n"]
    assert await whole_log(client.streams, "alice", tail=None, timestamps=True) == b"one\n\xfftwo\n"
    assert streams.asked == [("alice", LogOptions(tail=None, timestamps=True))]
    assert streams.open == 0


async def test_a_followed_log_comes_piece_by_piece_and_ends_with_its_reader(
    streams: ToldStreams, client: RunnerClient
) -> None:
    streams.pieces = [b"one\n", None]
    async with client.streams.logs("alice", LogOptions(follow=True)) as pieces:
        assert await anext(pieces) == b"one\n"
        assert streams.open == 1
    await until(lambda: streams.open == 0, "the runner notices that nobody listens")


async def test_few_lines_come_in_one_piece_from_the_same_call(
    streams: ToldStreams, client: RunnerClient
) -> None:
    assert await whole_log(client.streams, "alice", tail=3) == "first\nlast ü\n".encode()
    assert streams.asked == []


async def test_a_log_that_breaks_off_is_no_whole_one(
    streams: ToldStreams, client: RunnerClient
) -> None:
    streams.pieces, streams.broken = [b"one\n"], EngineUnavailableError("gone")
    async with client.streams.logs("alice", LogOptions(follow=True)) as pieces:
        assert await anext(pieces) == b"one\n"
        with pytest.raises(RunnerUnreachableError, match="broke off"):
            await anext(pieces)


async def test_refusals_keep_their_kind(streams: ToldStreams, client: RunnerClient) -> None:
    streams.failure = NotRunningError.of("alice", "exited")
    with pytest.raises(NotRunningError, match="exited") as refused:
        await run(client.streams, "alice", "true")
    assert "codehub start alice" in refused.value.remedy
    streams.failure = UnknownWorkspaceError("none")
    with pytest.raises(UnknownWorkspaceError):
        await whole_log(client.streams, "alice", follow=True)
    with pytest.raises(BadRequestError):
        await run(client.streams, "alice")


async def test_input_output_sizes_and_the_code(streams: ToldStreams, client: RunnerClient) -> None:
    wanted = ExecOptions(command=("sh", "ü"), stdin=True, tty=True, size=Size(cols=80, rows=24))
    async with client.streams.exec("alice", wanted) as process:
        await process.write(b"x" * (MAX_MESSAGE + 1))
        await process.resize(Size(cols=100, rows=50))
        await process.write(b"end")
        await process.close_stdin()
        said = await done(process)
        assert (said.code, said.out) == (5, b"x" * (MAX_MESSAGE + 1) + b"end")
        await process.write(b"too late")
    assert streams.process.sizes == [Size(cols=100, rows=50)]
    assert streams.asked == [("alice", wanted)]


async def test_a_failure_in_the_middle_is_told(streams: ToldStreams, client: RunnerClient) -> None:
    streams.process.failure = EngineUnavailableError("gone")
    with pytest.raises(EngineUnavailableError, match="gone"):
        await run(client.streams, "alice", "true")


async def test_a_client_that_goes_ends_the_command(
    streams: ToldStreams, client: RunnerClient
) -> None:
    async with client.streams.exec("alice", SH) as process:
        await process.write(b"here")
        assert await process.read() == (Channel.STDOUT, b"here")
        assert streams.open == 1
    await until(lambda: streams.open == 0)


async def test_a_runner_that_ends_ends_its_streams_at_once(
    streams: ToldStreams, tmp_path: Path
) -> None:
    path, told = tmp_path / "runner.sock", Told()
    told.streams, streams.pieces = streams, [b"one\n", None]
    async with AsyncExitStack() as served, RunnerClient(path) as client, AsyncExitStack() as opened:
        await served.enter_async_context(api.serving(path, told, {}))
        process = await opened.enter_async_context(client.streams.exec("alice", SH))
        pieces = await opened.enter_async_context(
            client.streams.logs("alice", LogOptions(follow=True))
        )
        await process.write(b"here")
        assert (await process.read(), await anext(pieces)) == ((Channel.STDOUT, b"here"), b"one\n")
        await served.aclose()
        assert streams.open == 0
        for reading in (process.read(), anext(pieces)):
            with pytest.raises(RunnerUnreachableError, match="broke off"):
                await reading


@pytest.mark.parametrize(
    "message",
    [
        "text",
        b"",
        b"\x07",
        frame(Channel.STDOUT, b"from a client"),
        frame(Channel.CLOSE, b"\x01"),
        frame(Channel.RESIZE, b"{}"),
        json_frame(Channel.RESIZE, {"cols": 0, "rows": 5}),
    ],
)
async def test_senseless_messages_end_the_exec(
    streams: ToldStreams, socket: Path, message: bytes | str
) -> None:
    async with raw(socket) as session, _opened(session) as exec_:
        await (exec_.send_str(message) if isinstance(message, str) else exec_.send_bytes(message))
        channel, data = parse(await exec_.receive_bytes())
        assert channel is Channel.END
        assert b'"BAD_REQUEST"' in data
        assert (await exec_.receive()).data == 4000
    assert streams.open == 0


async def test_input_that_was_not_asked_for_is_refused(streams: ToldStreams, socket: Path) -> None:
    async with raw(socket) as session, _opened(session, "command=sh") as exec_:
        await exec_.send_bytes(frame(Channel.STDIN, b"x"))
        assert b'"BAD_REQUEST"' in await exec_.receive_bytes()


async def test_a_message_that_is_too_long_ends_the_connection(
    streams: ToldStreams, socket: Path
) -> None:
    async with raw(socket) as session, _opened(session) as exec_:
        # It is refused by its length, before it is here: sending may fail, and the answer be lost.
        with suppress(ConnectionError):
            await exec_.send_bytes(frame(Channel.STDIN, bytes(MAX_MESSAGE)))
        assert (await exec_.receive()).data in {aiohttp.WSCloseCode.MESSAGE_TOO_BIG, None}
    await until(lambda: streams.open == 0)
    assert streams.process.said.empty()


async def test_long_commands_come_through(streams: ToldStreams, client: RunnerClient) -> None:
    streams.process.said.put_nowait(None)
    word = "ü" * 15_000  # three times as long in a URL
    assert (await run(client.streams, "alice", "echo", word)).code == 5
    assert streams.asked == [("alice", ExecOptions(command=("echo", word)))]


async def test_what_is_not_our_subprotocol_is_refused(socket: Path) -> None:
    path = "/v1/workspaces/alice/exec?command=sh"
    async with raw(socket) as session:
        answer = await session.get(path)
        assert (answer.status, (await answer.json())["error"]["reason"]) == (400, "BAD_REQUEST")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(path, protocols=("v5.channel.k8s.io",))
        assert refused.value.status == 400


async def test_nothing_is_compressed(socket: Path) -> None:
    async with raw(socket) as session, _opened(session) as exec_:
        assert not exec_.compress


@asynccontextmanager
async def _opened(
    session: aiohttp.ClientSession, query: str = "command=sh&stdin=true&tty=true"
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    path = f"/v1/workspaces/alice/exec?{query}"
    async with session.ws_connect(path, protocols=(SUBPROTOCOL,), compress=15) as exec_:
        yield exec_


async def test_a_client_that_leaves_while_the_command_takes_no_input_is_noticed(
    streams: ToldStreams, socket: Path
) -> None:
    streams.process = Deaf()
    connector = aiohttp.UnixConnector(str(socket))
    async with aiohttp.ClientSession(connector=connector) as session:
        url = "http://runner/v1/workspaces/alice/exec?command=sh&stdin=true"
        ws = await session.ws_connect(url, protocols=(SUBPROTOCOL,))
        await ws.send_bytes(frame(Channel.STDIN, b"x"))
        await streams.process.asked.wait()
        assert streams.open == 1
        connection = ws._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
        await until(lambda: streams.open == 0, "the end of the command")


class Deaf(Echo):
    """A command that takes no input."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def write(self, data: bytes) -> None:  # noqa: ARG002
        self.asked.set()
        await asyncio.Event().wait()
