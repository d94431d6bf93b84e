"""The engine client against the real engine."""

import io
import secrets
import socket
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub import docker
from tools.engine import Engine, pieces
from tools.errors import EngineRequestError, EngineUnreachableError

pytestmark = pytest.mark.engine


@pytest.fixture
def engine() -> Engine:
    return Engine.from_env()


@pytest.fixture
def name() -> Iterator[str]:
    """An image name of this test's own; its tags are removed at the end."""
    name = f"codehub-test-{secrets.token_hex(3)}"
    yield name
    tags = docker("images", "--format", "{{.Repository}}:{{.Tag}}", name).split()
    if tags:
        docker("rmi", "-f", *tags)


def tar(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


def test_it_says_its_version_and_limits(engine: Engine) -> None:
    assert engine.answers()
    assert engine.version().api >= (1, 41)
    assert engine.info()["MemoryLimit"] is True


def test_an_image_is_imported_with_its_configuration(engine: Engine, name: str) -> None:
    assert engine.image_id(f"{name}:1") is None
    engine.import_image([tar("a")], name, "1", ['ENTRYPOINT ["/a"]', "USER 1:1", 'LABEL k="v"'])
    shown = docker(
        "inspect", "-f", "{{.Config.Entrypoint}} {{.Config.User}} {{.Config.Labels.k}}", f"{name}:1"
    )
    assert shown == "[/a] 1:1 v"


def test_an_image_comes_back_from_its_file_with_the_same_id(
    engine: Engine, name: str, tmp_path: Path
) -> None:
    engine.import_image([tar("a")], name, "1", [])
    engine.tag(f"{name}:1", name, "latest")
    before = engine.image_id(f"{name}:latest")
    assert before == engine.image_id(f"{name}:1")
    engine.save([f"{name}:1"], tmp_path / "image.tar")
    docker("rmi", f"{name}:1", f"{name}:latest")
    engine.load(tmp_path / "image.tar")
    assert engine.image_id(f"{name}:1") == before
    assert engine.image_id(f"{name}:latest") is None


def test_refusals_carry_the_engines_words(engine: Engine, name: str, tmp_path: Path) -> None:
    with pytest.raises(EngineRequestError, match="duplicates") as caught:
        engine.import_image([tar("a", "a")], name, "1", [])
    assert caught.value.status == 500
    with pytest.raises(EngineRequestError, match="No such image"):
        engine.tag(f"{name}:none", name, "latest")
    (tmp_path / "no-image.tar").write_bytes(tar("a"))
    with pytest.raises(EngineRequestError):
        engine.load(tmp_path / "no-image.tar")


def test_a_bad_name_is_no_missing_image(engine: Engine) -> None:
    with pytest.raises(EngineRequestError, match="invalid reference"):
        engine.image_id("BAD NAME")


def test_nobody_answers(tmp_path: Path) -> None:
    for address in (f"unix://{tmp_path}/none.sock", "tcp://127.0.0.1:1", "ssh://somewhere"):
        engine = Engine(address)
        assert not engine.answers()
        with pytest.raises(EngineUnreachableError, match=address):
            engine.version()


def test_an_engine_behind_tcp_answers_too(engine: Engine) -> None:
    path = engine.socket_path
    assert path is not None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=forward_once, args=(listener, path))
        thread.start()
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        assert Engine(address).version() == engine.version()
        thread.join()
    assert Engine(address).socket_path is None


def forward_once(listener: socket.socket, path: Path) -> None:
    """Carry one request to a unix socket and its answer back."""
    client, _ = listener.accept()
    with client, socket.socket(socket.AF_UNIX) as upstream:
        upstream.connect(str(path))
        upstream.sendall(client.recv(65536))
        client.sendall(upstream.recv(65536))


def test_the_address_comes_from_the_environment() -> None:
    assert Engine.from_env({"DOCKER_HOST": "tcp://h:1"}).address == "tcp://h:1"
    assert Engine.from_env({}).address == "unix:///var/run/docker.sock"


def test_pieces_are_the_whole_file(tmp_path: Path) -> None:
    data = secrets.token_bytes((1 << 20) + 5)
    (tmp_path / "f").write_bytes(data)
    assert b"".join(pieces(tmp_path / "f")) == data


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 400 X\r\nContent-Length: 4\r\n\r\noops", "400: oops"),
        (b'HTTP/1.1 409 X\r\nContent-Length: 17\r\n\r\n{"message":"busy"}'[:-1] + b"}", "409: "),
        (b"not HTTP at all\r\n\r\n", "no Docker engine answers"),
    ],
)
def test_what_is_no_engine_is_told(answer: bytes, message: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_once, args=(listener, answer))
        thread.start()
        engine = Engine(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises((EngineRequestError, EngineUnreachableError), match=message):
            engine.version()
        thread.join()


def answer_once(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(answer)
