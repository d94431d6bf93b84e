"""The process: it listens, says where, ends on signals within its time, and names what is wrong."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gateway.errors import ListenError
from gateway.serve import listening, public_url
from settings.model import GatewaySettings
from tests.gateway.harness import settings_for

PROGRAM = """
import sys
from pathlib import Path
from gateway.serve import run
from settings.load import load
from settings.model import GatewaySettings
run(load(GatewaySettings, cwd=Path.cwd()), started=lambda url: print(url, flush=True))
"""


@contextmanager
def process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A gateway as a process of its own, and the address that it says."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("CODEHUB_")}
    env |= {
        "CODEHUB_DATA": str(folder / "data"),
        "CODEHUB_PORT": "0",
        "CODEHUB_LOG_FORMAT": "json",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        try:
            assert running.stdout is not None
            yield running, running.stdout.readline().strip()
        finally:
            running.kill()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_and_ends_well(tmp_path: Path, sig: signal.Signals) -> None:
    with process(tmp_path) as (running, url):
        assert httpx.get(f"{url}/readyz").text == "ready\n"
        began = time.monotonic()
        running.send_signal(sig)
        _, errors = running.communicate(timeout=10)
        assert running.returncode == 0
        assert time.monotonic() - began < 10
    events = [json.loads(line)["event"] for line in errors.splitlines()]
    assert events[0] == "gateway_listening"
    assert events[-1] == "gateway_ended"
    assert "Traceback" not in errors


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = settings_for(tmp_path, port=str(port))
        with pytest.raises(ListenError, match=rf"port {port}: .*CODEHUB_PORT"), listening(settings):
            pass


def test_an_address_that_is_not_ours_is_named(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, host="192.0.2.1")
    with pytest.raises(ListenError, match=r"192\.0\.2\.1"), listening(settings):
        pass


def test_a_url_in_place_of_the_address_is_not_quoted(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, host="u:hunter2@db.invalid")
    with pytest.raises(ListenError, match="CODEHUB_HOST") as caught, listening(settings):
        pass
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({}, "http://127.0.0.1:{port}"),
        ({"host": "::1"}, "http://[::1]:{port}"),
        ({"base_url": "https://hub.example.org"}, "https://hub.example.org"),
    ],
)
def test_the_public_address(tmp_path: Path, values: dict[str, str], url: str) -> None:
    with listening(settings_for(tmp_path, **values)) as (sock, actual):
        assert isinstance(actual, GatewaySettings)
        assert actual.port == sock.getsockname()[1] != 0
        assert public_url(actual) == url.format(port=actual.port)
