"""A whole CodeHub as `deploy/` has it: TLS edge, gateway, runner and engine proxy, by their own files, none as root.

It alone proves what goes wrong behind an edge: Secure cookies, the Origin check, the client's address, WebSockets.
"""

import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.deploy.house import DEPLOY, deployed
from tests.hub import PASSWORD, Hub, wait_for
from tools.cache import Cache
from tools.dev import END_SECONDS, free_port

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

CLIENT = "127.0.0.2"
"""Another address than the edge's own: so one can tell which of the two is believed."""
FORGED = "203.0.113.9"
LOGIN = {"username": "alice", "password": PASSWORD}


class Edge:
    """Caddy with `deploy/edge.Caddyfile`, and an authority of its own."""

    def __init__(self, made: Hub) -> None:
        self.site = f"localhost:{free_port('127.0.0.1')}"
        self.url = f"https://{self.site}"
        self._hub = made
        self._data = made.root / "edge"
        self._data.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        env = os.environ | {
            "CODEHUB_SITE": self.site,
            "CODEHUB_GATEWAY": f"127.0.0.1:{self._hub.port}",
            "CODEHUB_EDGE_MORE": "bind 127.0.0.1",
            "CODEHUB_HTTP_PORT": str(free_port("127.0.0.1")),
            "XDG_DATA_HOME": str(self._data),
            "XDG_CONFIG_HOME": str(self._data),
        }
        with self._hub.log("edge").open("ab") as log:
            self._process = subprocess.Popen(
                [Cache.from_env().caddy, "run", "--config", DEPLOY / "edge.Caddyfile"],
                env=env,
                stdout=log,
                stderr=log,
            )
        wait_for(self._serves, "the edge")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(END_SECONDS)

    @property
    def authority(self) -> Path:
        return self._data / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    def client(self, **headers: str) -> httpx.Client:
        """Make a client at an address of its own, which trusts the edge's authority only."""
        way = httpx.HTTPTransport(verify=self.trust(), local_address=CLIENT)
        sent = {"Origin": self.url} | headers
        return httpx.Client(base_url=self.url, headers=sent, transport=way, timeout=30)

    def _serves(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._hub.log("edge").read_text()[-2000:]
        if not self.authority.is_file():
            return False
        try:
            with self.client() as client:
                return client.get("/login").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Hub, Edge]]:
    with deployed(settings={"CODEHUB_TRUSTED_PROXIES": "127.0.0.1/32"}) as (made, _):
        edge = Edge(made)
        made.env["CODEHUB_BASE_URL"] = edge.url
        made.write("alice-a", "owner: alice\nimage: codehub/light\n")
        made.add_user("alice")
        made.start("run")
        made.start("gateway")
        edge.start()
        try:
            yield made, edge
        finally:
            edge.stop()


@pytest.fixture
def edge(place: tuple[Hub, Edge]) -> Edge:
    return place[1]


def test_the_logins_cookie_is_for_tls_only(edge: Edge) -> None:
    with edge.client() as client:
        answer = client.post("/api/v1/session", json=LOGIN)
        answer.raise_for_status()
        cookies = answer.headers.get_list("set-cookie")
        assert cookies
        for cookie in cookies:
            assert cookie.startswith("__Host-")
            assert "; secure" in cookie.lower()


@pytest.mark.parametrize("origin", ["https://evil.example", "http://SITE", "null"])
def test_another_origin_is_refused(edge: Edge, origin: str) -> None:
    with edge.client(Origin=origin.replace("SITE", edge.site)) as client:
        answer = client.post("/api/v1/session", json=LOGIN)
        assert answer.status_code == httpx.codes.FORBIDDEN
        assert not answer.headers.get_list("set-cookie")


@pytest.mark.parametrize("times", [50, pytest.param(1000, marks=pytest.mark.long)])
def test_each_refusal_comes_whole(edge: Edge, times: int) -> None:
    """One in fifteen was cut off: the gateway answered while the edge was still sending the body on."""
    trust, told = edge.trust(), {"Origin": "https://evil.example"}
    for _ in range(times):
        way = httpx.HTTPTransport(verify=trust)
        with httpx.Client(base_url=edge.url, headers=told, transport=way, timeout=30) as client:
            assert client.post("/api/v1/session", json=LOGIN).status_code == httpx.codes.FORBIDDEN


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_the_clients_address_is_its_own_whatever_it_writes(
    place: tuple[Hub, Edge], header: str
) -> None:
    made, edge = place
    before = made.log("gateway").stat().st_size
    value = f"for={FORGED}" if header == "Forwarded" else FORGED
    with edge.client(**{header: value}) as client:
        client.post("/api/v1/session", json=LOGIN).raise_for_status()
    told = made.log("gateway").read_text(encoding="utf-8")[before:]
    assert CLIENT in told
    assert FORGED not in told


def test_who_goes_around_the_edge_is_not_believed(place: tuple[Hub, Edge]) -> None:
    made, edge = place
    before = made.log("gateway").stat().st_size
    headers = {"Origin": edge.url, "Host": edge.site, "X-Forwarded-For": FORGED}
    way = httpx.HTTPTransport(local_address=CLIENT)
    with httpx.Client(base_url=made.url, headers=headers, transport=way) as client:
        client.post("/api/v1/session", json=LOGIN)
    told = made.log("gateway").read_text(encoding="utf-8")[before:]
    assert CLIENT in told
    assert FORGED not in told


def test_a_workspace_opens_with_its_websocket(edge: Edge) -> None:
    with edge.client() as client:
        client.post("/api/v1/session", json=LOGIN).raise_for_status()
        wait_for(lambda: phase(client) == "RUNNING", "the workspace")
        assert client.get("/w/alice-a/healthz").status_code == httpx.codes.OK
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    url = f"wss://{edge.site}/w/alice-a/echo"
    with connect(
        url, origin=Origin(edge.url), additional_headers={"Cookie": cookie}, ssl=edge.trust()
    ) as socket:
        socket.send("through the edge")
        assert socket.recv(10) == "through the edge"


def phase(client: httpx.Client) -> str:
    return str(client.get("/api/v1/workspaces/alice-a").json().get("phase"))
