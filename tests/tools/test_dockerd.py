"""An engine of the test's own: started, found answering, never one too many."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.tools.unprivileged import unprivileged
from tools import dockerd
from tools.cache import Cache
from tools.engine import Engine
from tools.errors import EngineUnreachableError, MissingToolError


@pytest.fixture
def place() -> Iterator[Path]:
    """A short path: socket paths end at 108 bytes."""
    folder = Path(mkdtemp(prefix="codehub-test-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def own_network(path_first: Callable[[str, str], Path]) -> str:
    """Put dockerd into a network of its own: with --bridge=none it removes the bridge of the machine's engine."""
    command = f"unshare --net {shutil.which('dockerd')}"
    path_first("dockerd", f'exec {command} "$@"')
    return command


def options(place: Path) -> list[str]:
    return [
        f"--data-root={place / 'data'}",
        f"--exec-root={place / 'exec'}",
        f"--pidfile={place / 'pid'}",
        f"--host=unix://{place / 'sock'}",
        "--bridge=none",
        "--iptables=false",
        "--storage-driver=vfs",
    ]


@pytest.mark.engine
@pytest.mark.usefixtures("own_network")
def test_an_engine_is_started_in_the_background(place: Path) -> None:
    engine = Engine(f"unix://{place / 'sock'}")
    process = dockerd.start(engine, options(place), log=place / "logs" / "dockerd.log")
    try:
        assert engine.answers()
        assert os.getsid(process.pid) == process.pid
        assert "API listen" in (place / "logs" / "dockerd.log").read_text()
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.engine
@pytest.mark.usefixtures("own_network")
def test_an_engine_that_ends_tells_why(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dockerd, "OTHER_SECONDS", 0.2)
    engine = Engine(f"unix://{place / 'sock'}")
    with pytest.raises(EngineUnreachableError, match="unknown flag: --no-such-option") as caught:
        dockerd.start(engine, ["--no-such-option"], log=place / "dockerd.log")
    assert str(place / "dockerd.log") in caught.value.remedy


def test_an_engine_that_never_answers_is_given_up(
    place: Path, path_first: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path_first("dockerd", "echo waiting for the moon; exec sleep 60")
    monkeypatch.setattr(dockerd, "START_SECONDS", 0.3)
    engine = Engine(f"unix://{place / 'sock'}")
    with pytest.raises(EngineUnreachableError, match=r"did not answer(.|\n)*waiting for the moon"):
        dockerd.start(engine, [], log=place / "dockerd.log")


def test_a_named_engine_is_never_replaced(cache: Cache) -> None:
    with pytest.raises(EngineUnreachableError, match="unset DOCKER_HOST"):
        dockerd.ensure(Engine("tcp://127.0.0.1:1"), cache)


@pytest.fixture
def default(place: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """What the set-up takes for the machine's own engine: a socket of the test's."""
    address = f"unix://{place / 'default.sock'}"
    monkeypatch.setattr(dockerd, "DEFAULT_ADDRESS", address)
    return Engine(address)


def test_a_closed_socket_is_told_as_such(cache: Cache, default: Engine) -> None:
    path = default.socket_path
    assert path is not None
    path.parent.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen()
        with unprivileged(), pytest.raises(EngineUnreachableError, match="usermod"):
            dockerd.ensure(default, cache)


@pytest.mark.usefixtures("no_root")
def test_without_rights_it_says_what_to_install(
    cache: Cache, default: Engine, only_programs: Callable[[str, str], Path]
) -> None:
    only_programs("apt-get", "exit 1")
    with (
        unprivileged(),
        pytest.raises(MissingToolError, match=r"as root: apt-get .*docker\.io iptables"),
    ):
        dockerd.ensure(default, cache)


@pytest.mark.engine
@pytest.mark.parametrize("systemd", [True, False])
def test_an_installed_engine_is_started(
    request: pytest.FixtureRequest, place: Path, cache: Cache, default: Engine, *, systemd: bool
) -> None:
    path_first = request.getfixturevalue("path_first")
    monkeypatch = request.getfixturevalue("monkeypatch")
    # The machine's own dockerd with this test's options: what a package would have configured.
    words = " ".join([*options(place)[:3], f"--host={default.address}", *options(place)[4:]])
    path_first("dockerd", f"exec {request.getfixturevalue('own_network')} {words}")
    path_first("systemctl", "setsid dockerd >/dev/null 2>&1 &")
    monkeypatch.setattr(dockerd, "SYSTEMD", place if systemd else place / "none")
    dockerd.ensure(default, cache)
    try:
        assert default.answers()
        dockerd.ensure(default, cache)  # answers: nothing more is started
        assert (cache.logs / "dockerd.log").exists()
    finally:
        os.kill(int((place / "pid").read_text()), 15)
        wait_until_gone(place / "pid")


def wait_until_gone(path: Path) -> None:
    from tests.hub import wait_for

    wait_for(lambda: not path.exists(), f"{path} is removed", seconds=20)
