"""The light image's program, run as it is in a container: the image contract, and what proxies are tested with."""

import base64
import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import httpx
import pytest
from websockets.sync.client import ClientConnection, unix_connect

from tests.hub import wait_for
from tools import images, toolchains
from tools.cache import Cache

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture(scope="session")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    go = toolchains.find_go(Cache.from_env())
    assert go is not None
    path = tmp_path_factory.mktemp("light") / "light"
    images.compile_light(go, path, log=path.with_suffix(".log"))
    return path


@pytest.fixture
def place() -> Iterator[Path]:
    """A short path: socket paths end at 108 bytes."""
    with TemporaryDirectory(prefix="codehub-test-") as folder:
        (Path(folder) / "home").mkdir()
        yield Path(folder)


@pytest.fixture
def start(binary: Path, place: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def run(**env: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                [binary],
                env={"CODEHUB_SOCKET": f"{place}/ide.sock", "HOME": f"{place}/home", **env},
                stderr=subprocess.PIPE,
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return process

        yield run


def listens(place: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(place / "ide.sock")) == 0


@pytest.fixture
def client(start: Start, place: Path) -> Iterator[httpx.Client]:
    start(CODEHUB_ID="alice-demo")
    wait_for(lambda: listens(place), "the light image listens", seconds=5)
    transport = httpx.HTTPTransport(uds=str(place / "ide.sock"))
    with httpx.Client(transport=transport, base_url="http://light") as client:
        yield client


def test_it_is_healthy_and_shows_a_page(client: httpx.Client) -> None:
    assert client.get("/healthz").text == "ok\n"
    page = client.get("/")
    assert "Workspace alice-demo" in page.text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert client.get("/nothing").status_code == 404


def test_the_socket_is_for_owner_and_group(client: httpx.Client, place: Path) -> None:
    assert stat.S_IMODE((place / "ide.sock").stat().st_mode) == 0o660


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_and_removes_the_socket(start: Start, place: Path, number: int) -> None:
    process = start()
    wait_for(lambda: listens(place), "it listens", seconds=5)
    process.send_signal(number)
    assert process.wait(1) == 0
    assert not (place / "ide.sock").exists()


def test_a_stale_socket_is_replaced(start: Start, place: Path) -> None:
    killed = start()
    wait_for(lambda: listens(place), "it listens", seconds=5)
    killed.kill()
    killed.wait(5)
    assert (place / "ide.sock").exists()
    start()
    wait_for(lambda: listens(place), "the next one listens", seconds=5)


def test_what_is_no_socket_is_kept(start: Start, place: Path) -> None:
    (place / "ide.sock").write_text("mine")
    _, said = start().communicate(timeout=5)
    assert b"is no socket" in said
    assert (place / "ide.sock").read_text() == "mine"


def test_it_can_start_late_and_never_get_healthy(start: Start, place: Path) -> None:
    start(LIGHT_START_DELAY="300ms", LIGHT_UNHEALTHY="1")
    assert not listens(place)
    wait_for(lambda: listens(place), "it listens", seconds=5)
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(place / "ide.sock"))) as client:
        assert client.get("http://light/healthz").status_code == 503


def test_it_echoes_the_head_it_saw(client: httpx.Client) -> None:
    seen = client.get("/_echo?a=%20b", headers={"X-One": "1"}).json()
    assert seen["method"] == "GET"
    assert seen["uri"] == "/_echo?a=%20b"
    assert seen["host"] == "light"
    assert seen["headers"]["X-One"] == ["1"]


@pytest.mark.usefixtures("client")
async def test_it_streams_the_body_back(place: Path) -> None:
    # aiohttp reads while it writes; a client that writes first fills the buffers and waits for ever.
    body = os.urandom(3 << 20)

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 70000):
            yield body[start : start + 70000]

    connector = aiohttp.UnixConnector(str(place / "ide.sock"))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post("http://light/_echo", data=parts()) as answer,
    ):
        assert await answer.read() == body
        head = json.loads(base64.b64decode(answer.headers["x-echo-head"]))
    assert head["transfer_encoding"] == ["chunked"]
    assert head["method"] == "POST"


def test_it_answers_as_asked(client: httpx.Client) -> None:
    headers = ["Location:/x", "Set-Cookie: a=b", "Set-Cookie: c=d"]
    answer = client.get("/_respond", params={"status": "302", "header": headers, "body": "text"})
    assert (answer.status_code, answer.text) == (302, "text")
    assert answer.headers["location"] == "/x"
    assert answer.headers.get_list("set-cookie") == ["a=b", "c=d"]
    assert client.get("/_respond?status=nonsense").status_code == 200


def test_large_answers(client: httpx.Client) -> None:
    answer = client.get("/big?bytes=1000001")
    assert len(answer.content) == 1000001
    assert answer.headers["content-length"] == "1000001"
    assert len(client.get("/big?bytes=-1").content) == 1 << 20


def test_slow_answers(client: httpx.Client) -> None:
    assert client.get("/slow?head=0.05&body=0.05").text == "slow done\n"
    with pytest.raises(httpx.ReadTimeout):
        client.get("/slow", timeout=0.1)
    with client.stream("GET", "/slow?head=0&body=60") as answer:
        assert next(answer.iter_bytes()) == b"slow "


def test_files_of_the_home(client: httpx.Client, place: Path) -> None:
    assert client.put("/files/mark", content=b"kept").status_code == 201
    assert (place / "home" / "mark").read_bytes() == b"kept"
    assert client.get("/files/mark").content == b"kept"
    (place / "home").chmod(0o500)
    (place / "home" / "folder").mkdir()
    assert client.put("/files/folder", content=b"x").status_code == 500


@pytest.fixture
def ws(client: httpx.Client, place: Path) -> Iterator[ClientConnection]:
    with unix_connect(
        str(place / "ide.sock"), uri="ws://light/echo", subprotocols=["one", "two"], max_size=None
    ) as connection:
        yield connection


def test_the_first_subprotocol_is_chosen(ws: ClientConnection) -> None:
    assert ws.subprotocol == "one"


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 11 << 20])
def test_messages_of_every_length_come_back(ws: ClientConnection, size: int) -> None:
    data = os.urandom(size)
    ws.send(data)
    assert ws.recv(timeout=10) == data


def test_text_fragments_pings_and_close(ws: ClientConnection) -> None:
    ws.send(["안녕", " ", "세계"])
    assert ws.recv(timeout=5) == "안녕 세계"
    assert ws.ping().wait(5)
    ws.pong()
    ws.close(code=4001, reason="bye")
    assert (ws.close_code, ws.close_reason) == (4001, "bye")


def test_a_plain_request_is_told_to_upgrade(client: httpx.Client) -> None:
    assert client.get("/echo").status_code == 426


@pytest.mark.parametrize(
    "frame",
    [
        b"\x81\x01a",  # not masked
        b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",  # larger than any limit
        b"\x82\xfe\0",  # ends within the length
        b"\x82\x85\0\0",  # ends within the mask
        b"\x82\x85\0\0\0\0ab",  # ends within the payload
    ],
)
def test_a_frame_that_is_none_ends_the_connection(
    client: httpx.Client, place: Path, frame: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.settimeout(5)
        raw.connect(str(place / "ide.sock"))
        raw.sendall(
            b"GET /echo HTTP/1.1\r\nHost: light\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        head = raw.recv(4096)
        assert b"101 Switching Protocols" in head
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
        raw.sendall(frame)
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(4096) == b""
