"""The limit of processes: set where it differs, told when the engine refuses."""

import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiodocker
import pytest

from stacks.errors import EngineUnavailableError, OperationFailedError
from stacks.programs import pids
from stacks.programs.pids import limit_pids

Answer = Callable[[str, str, Any], tuple[int, Any]]


@dataclass
class Engine:
    """A server that answers as an engine may; at the seam of HTTP."""

    answer: Answer
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    port: int = 0


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Engine]]:
    servers: list[http.server.ThreadingHTTPServer] = []

    def start(answer: Answer) -> Engine:
        engine = Engine(answer)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(engine))
        engine.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return engine

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _handler(engine: Engine) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = (self.command, self.path, json.loads(body or b"null"))
            engine.asked.append(asked)
            status, answer = engine.answer(*asked)
            payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = _reply  # noqa: N815

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def limited(limit: int | None) -> dict[str, Any]:
    return {"HostConfig": {"PidsLimit": limit}}


def test_a_limit_that_is_there_is_not_set_again(serve: Callable[[Answer], Engine]) -> None:
    engine = serve(lambda *_: (200, limited(10)))
    limit_pids("a b", 10, docker_host=f"tcp://127.0.0.1:{engine.port}")
    assert engine.asked == [("GET", "/containers/a%20b/json", None)]


def test_another_limit_is_set(serve: Callable[[Answer], Engine]) -> None:
    engine = serve(lambda *_: (200, limited(None)))
    limit_pids("a", 10, docker_host=f"tcp://127.0.0.1:{engine.port}")
    assert engine.asked[1] == ("POST", "/containers/a/update", {"PidsLimit": 10})


def test_a_container_between_two_states_is_asked_again(serve: Callable[[Answer], Engine]) -> None:
    answers = iter([
        (200, limited(None)), (500, {"message": "x: cannot update a stopped container: y"}),
        (200, limited(None)), (200, {"Warnings": None}),
    ])  # fmt: skip
    engine = serve(lambda *_: next(answers))
    limit_pids("a", 10, docker_host=f"tcp://127.0.0.1:{engine.port}")
    assert [method for method, _, _ in engine.asked] == ["GET", "POST", "GET", "POST"]


@pytest.mark.parametrize("said", ["No such container: a", "cannot update a stopped container"])
def test_a_refusal_is_told(
    serve: Callable[[Answer], Engine], monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(pids, "SETTLE_SECONDS", 0.0)
    engine = serve(lambda *_: (404, {"message": said}))
    with pytest.raises(OperationFailedError, match=said) as caught:
        limit_pids("a", 10, docker_host=f"tcp://127.0.0.1:{engine.port}")
    assert caught.value.step == "pids limit of a"


def test_an_answer_that_is_no_engines_is_told(serve: Callable[[Answer], Engine]) -> None:
    engine = serve(lambda *_: (200, b"<html>"))
    with pytest.raises(EngineUnavailableError):
        limit_pids("a", 10, docker_host=f"tcp://127.0.0.1:{engine.port}")


def test_nobody_listening_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match="did not answer"):
        limit_pids("a", 10, docker_host=f"unix://{tmp_path}/no.sock")


def test_a_socket_that_hangs_up_is_told(tmp_path: Path) -> None:
    path = tmp_path / "d.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(EngineUnavailableError):
            limit_pids("a", 10, docker_host=f"unix://{path}")
        thread.join()


@pytest.mark.engine
async def test_the_real_engine_takes_it_running_or_not(
    docker: aiodocker.Docker, prefix: str, light_image: str
) -> None:
    container = await docker.containers.create({"Image": light_image}, name=f"{prefix}pids")
    limit_pids(f"{prefix}pids", 33, docker_host=None)
    assert (await container.show())["HostConfig"]["PidsLimit"] == 33
    await container.start()
    limit_pids(container.id, 44, docker_host=None)
    assert (await container.show())["HostConfig"]["PidsLimit"] == 44
