"""The process: it listens, says where, ends on signals within its time, and names what is wrong."""

import asyncio
import json
import signal
import socket
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from gateway.errors import ListenError
from gateway.serve import listening, public_url
from settings.model import GatewaySettings
from tests.gateway.harness import serving, settings_for
from tests.gateway.process import process
from tests.waiting import until


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


async def test_its_end_does_not_wait_for_the_next_look_at_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.serve._TICK", 3600.0)
    async with asyncio.timeout(30), serving(tmp_path) as hub, hub.client() as client:
        assert (await client.get("/readyz")).text == "ready\n"


async def test_answers_tell_the_time_as_it_goes_on(tmp_path: Path) -> None:
    with process(tmp_path) as (_, url):

        def told() -> float:
            return parsedate_to_datetime(httpx.get(f"{url}/readyz").headers["date"]).timestamp()

        first = told()
        await until(lambda: told() >= first + 2, "a later time")
        assert abs(told() - time.time()) < 5


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
