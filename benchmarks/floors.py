"""The floors: the same containers made and started with nothing of ours in between.

Each is a plain command or program; its text is committed so that a figure can be repeated.
"""

import http.client
import socket
import subprocess
import time
from pathlib import Path

from benchmarks.fleet import HOME, RUN_FOLDER

POLL_SECONDS = 0.01
DEADLINE_SECONDS = 60.0

DOCKER_START = "docker start <container>; GET /healthz through its socket every 10 ms"
DOCKER_RUN = "docker run -d <the same flags> codehub/light; GET /healthz every 10 ms"
PLAIN_STACK = "one Pulumi stack, plain Automation API `up`, the same containers, volumes, network"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=DEADLINE_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def healthy(path: Path) -> bool:
    """Tell whether an IDE answers its health path through its socket."""
    connection = _UnixConnection(path)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_until_healthy(path: Path) -> None:
    """Poll every 10 ms."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not healthy(path):
        if time.monotonic() > deadline:
            raise TimeoutError(path)
        time.sleep(POLL_SECONDS)


def docker_start(container: str, ide: Path) -> float:
    """Start a stopped container and wait for its IDE; seconds."""
    began = time.perf_counter()
    subprocess.run(["docker", "start", container], check=True, capture_output=True)
    wait_until_healthy(ide)
    return time.perf_counter() - began


def plain_flags(name: str, *, run: Path, network: str, cpus: str, memory: str) -> list[str]:
    """Return the flags with which `docker` makes a container as a workspace's is."""
    return [
        f"--name={name}", "--user=1000:1000", "--cap-drop=ALL", f"--network={network}",
        "--security-opt=no-new-privileges", f"--cpus={cpus}", f"--memory={memory}",
        f"--memory-swap={memory}", "--pids-limit=128", "--restart=unless-stopped",
        f"--volume={name}-home:{HOME}", f"--volume={run}:{RUN_FOLDER}",
    ]  # fmt: skip


def docker_run(flags: list[str], *, image: str, ide: Path) -> float:
    """Create and start a container, and wait for its IDE; seconds."""
    began = time.perf_counter()
    subprocess.run(["docker", "run", "-d", *flags, image], check=True, capture_output=True)
    wait_until_healthy(ide)
    return time.perf_counter() - began
