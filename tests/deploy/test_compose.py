"""A whole CodeHub by `deploy/compose.yaml`, with the compose command and the images that the set-up builds.

It alone proves that the containers fit together: rights, mounts, networks and addresses are compose's own here. What
proxy, edge and runner do in detail is tested beside it, without containers.
"""

import ipaddress
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.deploy.house import DEPLOY, ENGINE, RUNNER_UID
from tests.hub import PASSWORD, Hub, docker, hub, wait_for
from tools import services
from tools.cache import Cache
from tools.dev import free_port
from tools.engine import Engine

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

LOGIN = {"username": "alice", "password": PASSWORD}
FORGED = "203.0.113.9"
SERVICES = ("engine-proxy", "runner", "gateway", "edge")
NET_ADMIN = 1 << 12
AUTHORITY = "/data/caddy/pki/authorities/local/root.crt"


class Way(httpx.HTTPTransport):
    """To one address whatever the name, and from an address of this machine's that the engine does not hide."""

    def __init__(self, house: "Composed") -> None:
        super().__init__(verify=house.trust(), local_address=house.own)
        self._address = house.address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = httpx.Request(
            request.method,
            request.url.copy_with(host=self._address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return super().handle_request(sent)


class Composed:
    """The containers of `deploy/compose.yaml`, under a test's own names, ports and addresses."""

    def __init__(self, made: Hub) -> None:
        self.hub = made
        # Its gateway: Docker 20.10 does not say which that is until it was started for a second time.
        subnet = "{{(index .IPAM.Config 0).Subnet}}"
        bridge = ipaddress.ip_network(docker("network", "inspect", "bridge", "-f", subnet))
        self.address = str(next(bridge.hosts()))
        """Where the edge listens: at no loopback address, since there the engine hides who comes."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            asked.connect((FORGED, 9))  # nothing is sent
            self.own = str(asked.getsockname()[0])
        """This machine's own address, whence the clients come."""
        self.port = free_port(self.address)
        self.site = f"localhost:{self.port}"
        self.url = f"https://{self.site}"
        self.front = f"10.213.{secrets.randbelow(256)}.{8 * secrets.randbelow(32)}"
        self.data = made.root / "data"
        self.data.mkdir(mode=0o700)
        os.chown(self.data, RUNNER_UID, RUNNER_UID)
        self._settings = made.root / "env"
        self._settings.write_text((DEPLOY / ".env.example").read_text() + self._site())

    def _site(self) -> str:
        """Give what this site's `.env` has besides the example's: of two equal names the last counts."""
        return "".join(
            f"{name}={value}\n"
            for name, value in {
                "CODEHUB_SITE": self.site,
                "CODEHUB_DOCKER_GID": ENGINE.stat().st_gid,
                "CODEHUB_DATA": self.data,
                "CODEHUB_WORKSPACES": self.hub.workspaces,
                "CODEHUB_LISTEN": self.address,
                "CODEHUB_HTTPS_PORT": self.port,
                "CODEHUB_HTTP_PORT": free_port(self.address),
                "CODEHUB_FRONT": f"{self.front}/29",
                "CODEHUB_EDGE_ADDRESS": self.host(2),
                "CODEHUB_GATEWAY_ADDRESS": self.host(3),
                "CODEHUB_NAME_PREFIX": self.hub.prefix,
                "CODEHUB_NETWORK": f"{self.hub.name}-net",
                "CODEHUB_TAG": services.key(Cache.from_env()),
            }.items()
        )

    def host(self, number: int) -> str:
        """Give an address of the network between edge and gateway."""
        start, _, last = self.front.rpartition(".")
        return f"{start}.{int(last) + number}"

    def run(self, *words: str, check: bool = True) -> str:
        """Run the compose command on the file of `deploy/`."""
        project = ("--project-name", self.hub.name, "--file", DEPLOY / "compose.yaml")
        kept = {name: it for name, it in os.environ.items() if not name.startswith("CODEHUB_")}
        done = subprocess.run(
            [Cache.from_env().compose, *project, "--env-file", self._settings, *words],
            env=kept,
            capture_output=True,
            text=True,
            check=False,
        )
        failed = check and done.returncode
        assert not failed, f"compose {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def codehub(self, service: str, *words: str) -> str:
        """Run `codehub` in a container, as an operator does."""
        return self.run(
            "exec", "-T", "-e", f"CODEHUB_PASSWORD={PASSWORD}", service, "codehub", *words
        )

    def container(self, service: str) -> str:
        return f"{self.hub.name}-{service}-1"

    def shown(self, service: str, what: str) -> str:
        return docker("inspect", "-f", what, self.container(service))

    def status(self, service: str) -> dict[str, str]:
        """Read what the kernel knows of a container's first process."""
        text = Path(f"/proc/{self.shown(service, '{{.State.Pid}}')}/status").read_text()
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)

    def trust(self) -> ssl.SSLContext:
        """Trust the edge's own authority only."""
        kept = self.hub.root / "root.crt"
        docker("cp", f"{self.container('edge')}:{AUTHORITY}", str(kept))
        return ssl.create_default_context(cafile=str(kept))

    def client(self, **headers: str) -> httpx.Client:
        sent = {"Origin": self.url} | headers
        return httpx.Client(base_url=self.url, headers=sent, transport=Way(self), timeout=30)

    def serves(self) -> bool:
        try:
            with self.client() as client:
                return client.get("/login").status_code == httpx.codes.OK
        except (httpx.TransportError, AssertionError):  # nobody there, or no authority yet
            return False

    def end(self) -> None:
        self.run("exec", "-T", "runner", "codehub", "isolation", "remove", check=False)
        self.run("down", "--volumes", "--timeout", "10")


@pytest.fixture(scope="module")
def house() -> Iterator[Composed]:
    now = services.ready(Cache.from_env(), Engine.from_env())
    assert now, "the images are of other sources than these: scripts/setup --dev"
    with hub() as made:
        made.write("alice-a", "owner: alice\nimage: codehub/light\n")
        composed = Composed(made)
        try:
            composed.run("up", "--detach")
            wait_for(composed.serves, "the edge, and the gateway behind it", every=0.2)
            composed.codehub("gateway", "user", "add", "alice")
            yield composed
        finally:
            sys.stderr.write(composed.run("logs", "--no-color", "--tail", "50", check=False))
            composed.end()


def test_a_workspace_runs_closed_off_and_opens_with_its_websocket(house: Composed) -> None:
    with house.client() as client:
        client.post("/api/v1/session", json=LOGIN).raise_for_status()
        wait_for(lambda: phase(client) == "RUNNING", "the workspace", every=0.2)
        assert client.get("/w/alice-a/healthz").status_code == httpx.codes.OK
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    with connect(
        f"wss://{house.site}/w/alice-a/echo",
        sock=socket.create_connection((house.address, house.port)),
        server_hostname="localhost",
        origin=Origin(house.url),
        additional_headers={"Cookie": cookie},
        ssl=house.trust(),
    ) as echo:
        echo.send("through the edge")
        assert echo.recv(10) == "through the edge"
    # Loaded into this machine's packet filter, not into a container's.
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True)
    assert f"codehub_{house.hub.name}-net" in tables.stdout
    assert "engine-socket     closed" in house.codehub("runner", "isolation", "check")


def test_the_logins_cookie_is_for_tls_and_another_origin_is_refused(house: Composed) -> None:
    with house.client() as client:
        cookies = client.post("/api/v1/session", json=LOGIN).headers.get_list("set-cookie")
        assert cookies
        assert all(it.startswith("__Host-") and "; secure" in it.lower() for it in cookies)
    for origin in ("https://evil.example", f"http://{house.site}"):
        with house.client(Origin=origin) as client:
            refused = client.post("/api/v1/session", json=LOGIN)
            assert refused.status_code == httpx.codes.FORBIDDEN
            assert not refused.headers.get_list("set-cookie")


def test_clients_are_known_by_their_own_address(house: Composed) -> None:
    with house.client(**{"X-Forwarded-For": FORGED}) as client:
        client.post("/api/v1/session", json=LOGIN).raise_for_status()
    around = {"Host": house.site, "Origin": house.url, "X-Forwarded-For": FORGED}
    with httpx.Client(base_url=f"http://{house.host(3)}:8000", headers=around) as client:
        client.post("/api/v1/session", json={**LOGIN, "password": "another"})
    told = house.run("logs", "--no-color", "gateway")
    assert house.own in told
    assert house.host(1) in told, "who comes around the edge is this machine, in the front network"
    assert FORGED not in told
    assert house.host(2) not in told, "the edge is no client"


@pytest.mark.parametrize("service", SERVICES)
def test_none_works_as_root_or_may_get_there(house: Composed, service: str) -> None:
    process = house.status(service)
    assert "0" not in process["Uid"].split() + process["Gid"].split()
    may = NET_ADMIN if service == "runner" else 0
    for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"):
        assert int(process[kind], 16) == may, kind
    assert process["NoNewPrivs"] == "1"
    assert house.shown(service, "{{.HostConfig.ReadonlyRootfs}}") == "true"


def test_only_the_proxy_has_the_engines_socket(house: Composed) -> None:
    for service in SERVICES:
        mounts = house.shown(service, "{{range .Mounts}}{{.Source}} {{end}}").split()
        assert (str(ENGINE.resolve()) in map(os.path.realpath, mounts)) == (
            service == "engine-proxy"
        )
        socket_of_proxy = "/run/codehub-engine" in house.shown(
            service, "{{range .Mounts}}{{.Destination}} {{end}}"
        )
        assert socket_of_proxy == (service in ("engine-proxy", "runner"))
    env = house.shown("gateway", "{{.Config.Env}}")
    assert "DOCKER" not in env
    look = (
        "import importlib.util as u, sys; "
        "sys.exit(any(map(u.find_spec, ('pulumi', 'aiodocker', 'stacks'))))"
    )
    docker("exec", house.container("gateway"), "python3", "-c", look)


def test_a_command_in_the_proxys_container_may_not_open_the_engines_socket(
    house: Composed,
) -> None:
    """As the runner may have the engine execute one: the container's groups must not be the command's."""
    assert house.shown("engine-proxy", "{{.HostConfig.GroupAdd}}") == "[]"
    assert "permission denied" in opened(house, "1000:1000")
    assert "no such device" in opened(house, house.shown("engine-proxy", "{{.Config.User}}"))


def opened(house: Composed, user: str) -> str:
    """Have Caddy, all that is there, open the socket as a file: who may, learns that it is none."""
    caddy = ("/usr/bin/caddy", "adapt", "--config", "/var/run/docker.sock")
    done = subprocess.run(
        ["docker", "exec", "--user", user, house.container("engine-proxy"), *caddy],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_what_is_killed_comes_back_and_works_on(house: Composed) -> None:
    for service in ("engine-proxy", "runner"):
        os.kill(int(house.shown(service, "{{.State.Pid}}")), signal.SIGKILL)
    # A runner that begins before the proxy serves ends, and begins again: once is the least.
    count = "{{.RestartCount}}"
    for service in ("engine-proxy", "runner"):
        wait_for(partial(lambda one: house.shown(one, count) != "0", service), service)
    house.hub.write("alice-b", "owner: alice\nimage: codehub/light\n")
    with house.client() as client:
        client.post("/api/v1/session", json=LOGIN).raise_for_status()
        wait_for(lambda: phase(client, "alice-b") == "RUNNING", "the new one", every=0.2)


def test_down_leaves_homes_and_what_runs(house: Composed) -> None:
    """The last one: it ends what the others use, and begins it again."""
    container = house.hub.container("alice-a")
    began = docker("inspect", "-f", "{{.State.StartedAt}}", container)
    house.run("down")
    left = docker("ps", "-a", "--filter", f"name={house.hub.name}", "--format", "{{.Names}}")
    assert set(left.split()) == {container, house.hub.container("alice-b")}
    assert docker("inspect", "-f", "{{.State.Running}} {{.State.StartedAt}}", container) == (
        f"true {began}"
    )
    assert house.hub.home("alice-a").is_dir()
    house.run("up", "--detach")
    wait_for(house.serves, "the edge once more", every=0.2)
    with house.client() as client:
        client.post("/api/v1/session", json=LOGIN).raise_for_status()
        assert client.get("/w/alice-a/healthz").status_code == httpx.codes.OK
    assert docker("inspect", "-f", "{{.State.StartedAt}}", container) == began


def phase(client: httpx.Client, workspace: str = "alice-a") -> str:
    return str(client.get(f"/api/v1/workspaces/{workspace}").json().get("phase"))
