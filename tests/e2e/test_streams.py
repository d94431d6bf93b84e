"""Logs and commands from a page's side to a real shell; the gateway has no way to the engine."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from settings.model import GatewaySettings
from stacks.address import engine_address
from stacks.streams.frames import SUBPROTOCOL, Channel, frame, json_frame
from tests.e2e.sockets import peers, remote_ports
from tests.hub import PASSWORD, Hub, docker, hub, wait_for

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

FILE = "owner: alice\nimage: codehub/code-server\nresources: {cpu: 2, memory: 1Gi, pids: 256}\n"
LOGS = "/api/v1/workspaces/alice-a/logs"
MIB = 1 << 20


class Trap:
    """Something that listens where no one may come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.came = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.came += 1
            connection.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Hub, Trap]]:
    """Runner and gateway; what a gateway's environment says of an engine leads into a trap."""
    with hub() as made:
        trap = Trap(made.root / "trap.sock")
        made.write("alice-a", FILE)
        made.add_user("alice")
        made.start("run")
        engine = f"unix://{trap.path}"
        made.start("gateway", DOCKER_HOST=engine, CODEHUB_DOCKER_HOST=engine)
        made.wait_until_serving()
        with logged_in(made) as client:
            wait_for(lambda: phase(client) == "RUNNING", "the workspace")
        yield made, trap
        trap.close()


@pytest.fixture
def served(place: tuple[Hub, Trap]) -> Hub:
    return place[0]


@pytest.fixture
def alice(served: Hub) -> Iterator[httpx.Client]:
    with logged_in(served) as client:
        yield client


@contextmanager
def logged_in(served: Hub) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, headers={"Origin": served.url}, timeout=60) as client:
        credentials = {"username": "alice", "password": PASSWORD}
        client.post("/api/v1/session", json=credentials).raise_for_status()
        yield client


def phase(client: httpx.Client) -> str:
    return str(client.get("/api/v1/workspaces/alice-a").json().get("phase"))


def command(served: Hub, client: httpx.Client, *words: str, **options: str) -> ClientConnection:
    """Run a command as a page of ours would."""
    query = httpx.QueryParams([*(("command", word) for word in words), *options.items()])
    return connect(
        f"{served.url.replace('http', 'ws')}/api/v1/workspaces/alice-a/exec?{query}",
        origin=Origin(served.url),
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        additional_headers={
            "Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        },
        max_size=None,
    )


def said(socket: ClientConnection) -> dict[Channel, bytes]:
    """Everything that a command says, to its last message."""
    found = dict.fromkeys(Channel, b"")
    while not found[Channel.END]:
        message = socket.recv(timeout=60)
        assert isinstance(message, bytes)
        found[Channel(message[0])] += message[1:]
    with pytest.raises(ConnectionClosed):
        socket.recv(timeout=60)
    return found


def test_a_command_s_output_errors_and_code(served: Hub, alice: httpx.Client) -> None:
    with command(served, alice, "sh", "-c", "id -u; pwd; echo oops >&2; exit 4") as socket:
        found = said(socket)
    assert found[Channel.STDOUT] == b"1000\n/home/coder\n"
    assert found[Channel.STDERR] == b"oops\n"
    assert json.loads(found[Channel.END]) == {"exit_code": 4}


def test_input_goes_in_and_ends(served: Hub, alice: httpx.Client) -> None:
    data = bytes(range(256)) * 4096
    with command(served, alice, "cat", stdin="true") as socket:
        for begin in range(0, len(data), 1 << 16):
            socket.send(frame(Channel.STDIN, data[begin : begin + (1 << 16)]))
        socket.send(frame(Channel.CLOSE, bytes([Channel.STDIN])))
        assert said(socket)[Channel.STDOUT] == data


def test_a_terminal_and_its_size(served: Hub, alice: httpx.Client) -> None:
    script = "echo ready; until [ \"$(stty size)\" = '43 132' ]; do sleep 0.05; done; exit 5"
    size = {"tty": "true", "stdin": "true", "cols": "80", "rows": "24"}
    with command(served, alice, "bash", "-c", script, **size) as socket:
        message = socket.recv(timeout=60)
        assert message == frame(Channel.STDOUT, b"ready\r\n")
        socket.send(json_frame(Channel.RESIZE, {"cols": 132, "rows": 43}))
        assert json.loads(said(socket)[Channel.END]) == {"exit_code": 5}


def test_what_cannot_be_run_is_the_last_message(served: Hub, alice: httpx.Client) -> None:
    with command(served, alice, "sh", tty="perhaps") as socket:
        error = json.loads(said(socket)[Channel.END])["error"]
        assert error["reason"] == "BAD_REQUEST"


def test_logging_out_ends_a_command_and_hangs_it_up(served: Hub) -> None:
    script = "echo ready; exec sleep 4321"
    with logged_in(served) as client, command(served, client, "sh", "-c", script) as socket:
        assert socket.recv(timeout=60) == frame(Channel.STDOUT, b"ready\n")
        client.delete("/api/v1/session").raise_for_status()
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=60)
    shown = served.container("alice-a")
    wait_for(lambda: "sleep 4321" not in docker("top", shown), "the end inside", every=0.2)


def test_logs_are_followed(served: Hub, alice: httpx.Client) -> None:
    with alice.stream("GET", f"{LOGS}?follow=true&tail=1") as answer:
        lines = answer.iter_lines()
        next(lines)
        with command(served, alice, "sh", "-c", "echo fresh line > /proc/1/fd/1") as socket:
            said(socket)
        assert next(lines) == "fresh line"
    assert alice.get(f"{LOGS}?since=1h&tail=1").text == "fresh line\n"
    assert alice.get(f"{LOGS}?since=soon").status_code == 400
    assert alice.get(f"{LOGS}?tail=1").text == "fresh line\n"


def test_what_is_run_is_in_no_log(served: Hub, alice: httpx.Client) -> None:
    with command(served, alice, "echo", "s3cret-argument") as socket:
        said(socket)
    for process in ("run", "gateway"):
        log = served.log(process).read_text(encoding="utf-8")
        assert "exec" in log
        assert "s3cret" not in log
    data = served.root / "data"
    for database in ("index.db", "index.db-wal", "gateway.db", "gateway.db-wal"):
        if (data / database).exists():
            assert b"s3cret" not in (data / database).read_bytes()


def test_the_gateway_has_no_way_to_the_engine(place: tuple[Hub, Trap], alice: httpx.Client) -> None:
    """While it serves a log and a command: by its files, by the kernel's list of peers, by a trap."""
    served, trap = place
    assert "docker_host" not in GatewaySettings.model_fields
    gateway, runner = (served.processes[name].pid for name in ("gateway", "run"))
    engine = Path(engine_address(None).removeprefix("unix://")).name
    with (
        alice.stream("GET", f"{LOGS}?follow=true") as answer,
        command(served, alice, "cat", stdin="true", tty="true") as socket,
    ):
        next(answer.iter_lines())
        socket.send(frame(Channel.STDIN, b"here\n"))
        assert b"here" in bytes(socket.recv(timeout=60))  # type: ignore[arg-type]
        # The control: whoever does talk to the engine is seen to.
        assert engine in {Path(path).name for path in peers(runner)}
        reached = {Path(path).name for path in peers(gateway)}
        assert "runner.sock" in reached
        assert not reached & {engine, "docker.sock", trap.path.name}
        assert {own for own, _ in remote_ports(gateway)} == {served.port}, "nothing but visitors"
    assert trap.came == 0


def test_a_runner_that_ends_hangs_up_what_runs(served: Hub, alice: httpx.Client) -> None:
    script = "echo ready; exec sleep 5432"
    with (
        alice.stream("GET", f"{LOGS}?follow=true") as answer,
        command(served, alice, "sh", "-c", script) as socket,
    ):
        lines = answer.iter_lines()
        next(lines)
        assert socket.recv(timeout=60) == frame(Channel.STDOUT, b"ready\n")
        assert served.stop("run") == 0
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=60)
        with pytest.raises(httpx.TransportError):
            list(lines)
    assert "sleep 5432" not in docker("top", served.container("alice-a"))
    assert "Traceback" not in served.log("run").read_text(encoding="utf-8")
    assert alice.get(LOGS).status_code == 502
    served.start("run")
    wait_for(lambda: alice.get(LOGS).status_code == 200, "the next runner")
