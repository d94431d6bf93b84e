"""The code-server image as a workspace runs it: no capabilities, a home volume, a run folder."""

import json
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import httpx
import pytest

from tests.hub import docker, wait_for

pytestmark = pytest.mark.engine
START_SECONDS = 30.0


class Box:
    """One container of the image, with its volume and run folder."""

    def __init__(self) -> None:
        self.name = f"codehub-test-{secrets.token_hex(3)}"
        self.run = Path(mkdtemp(prefix="codehub-test-"))
        self.run.chmod(0o777)
        docker(
            *("create", "--name", self.name, "--user", "1000:1000", "--cap-drop", "ALL"),
            *("--security-opt", "no-new-privileges", "-v", f"{self.name}:/home/coder"),
            *("-v", f"{self.run}:/run/codehub", "-e", "CODEHUB_ID=box", "codehub/code-server"),
        )

    @property
    def home(self) -> Path:
        """The home volume's place on this machine."""
        return Path(docker("volume", "inspect", "-f", "{{.Mountpoint}}", self.name))

    def get(self, path: str) -> httpx.Response:
        """Ask the IDE."""
        transport = httpx.HTTPTransport(uds=str(self.run / "ide.sock"))
        with httpx.Client(transport=transport, base_url="http://box") as client:
            return client.get(path)

    def start(self) -> None:
        """Start it and wait until it is healthy."""
        docker("start", self.name)
        wait_for(self.healthy, "code-server is healthy", seconds=START_SECONDS)

    def healthy(self) -> bool:
        """Whether it answers on its health path."""
        # httpx leaves a socket open that does not connect: ask first.
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(self.run / "ide.sock")):
                return False
        return self.get("/healthz").status_code == 200

    def sh(self, command: str) -> str:
        """Run a command inside."""
        return docker("exec", self.name, "bash", "-lc", command)

    def remove(self) -> None:
        """Remove all of it."""
        docker("rm", "-f", self.name, check=False)
        docker("volume", "rm", self.name, check=False)
        shutil.rmtree(self.run)


@pytest.fixture
def box() -> Iterator[Box]:
    made = Box()
    try:
        yield made
    finally:
        made.remove()


def test_it_serves_its_users_home_and_nothing_calls_out(box: Box) -> None:
    box.start()
    assert box.get("/").headers["location"] == "./?folder=/home/coder"
    page = box.get("/?folder=/home/coder").text
    assert "workbench" in page
    assert "open-vsx.org/vscode/gallery" not in page
    assert box.sh("id -u; id -g; pwd").split() == ["1000", "1000", "/home/coder"]
    assert (box.run / "ide.sock").stat().st_mode & 0o777 == 0o660
    for program in ("git", "curl", "less", "nano", "vi", "ps", "python3", "ssh"):
        assert box.sh(f"command -v {program}")


def test_it_stops_fast_and_starts_over_a_stale_socket(box: Box) -> None:
    box.start()
    began = time.monotonic()
    docker("stop", box.name)
    assert time.monotonic() - began < 5
    assert docker("inspect", "-f", "{{.State.ExitCode}}", box.name) in {"0", "143"}
    docker("start", box.name)
    wait_for(box.healthy, "it is healthy again", seconds=START_SECONDS)
    docker("kill", box.name)
    assert (box.run / "ide.sock").exists()
    box.start()


def test_the_editor_is_read_before_anyone_asks_for_it(box: Box) -> None:
    box.start()
    # code-server itself reads it at the first page; here none was asked for.
    wait_for(
        lambda: "Extension host agent started" in docker("logs", box.name),
        "the editor's server is there",
        seconds=START_SECONDS,
    )


def test_what_was_compiled_is_kept_for_the_next_start(box: Box) -> None:
    box.start()
    docker("stop", box.name)
    box.start()
    assert box.sh("find /tmp/.code-server-compiled -type f")


def test_what_the_server_starts_does_not_load_what_it_loads_itself(box: Box) -> None:
    """Extensions fork Node with the server's own arguments, and perhaps a Node of the user's."""
    box.start()
    node = "/opt/code-server/node --require /opt/code-server/preload.cjs -p 'process.execArgv'"
    assert "preload.cjs" in box.sh(node)
    assert "preload.cjs" not in box.sh(f"CODE_SERVER_PARENT_PID=1 {node}")


def test_the_skeleton_never_replaces_what_the_user_made(box: Box) -> None:
    box.start()
    settings = box.home / ".local/share/code-server/User/settings.json"
    assert json.loads(settings.read_text())["telemetry.telemetryLevel"] == "off"
    settings.write_text("{}")
    (box.home / ".bashrc").write_text("# mine\n")
    (box.home / ".profile").unlink()
    (box.home / ".profile").symlink_to("nowhere")
    docker("restart", "-t", "5", box.name)
    wait_for(box.healthy, "it is healthy again", seconds=START_SECONDS)
    assert settings.read_text() == "{}"
    assert (box.home / ".bashrc").read_text() == "# mine\n"
    assert (box.home / ".profile").is_symlink()
