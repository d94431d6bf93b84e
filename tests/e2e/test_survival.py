"""Gateway and runner die apart: neither takes the other, a workspace or a home with it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.hub import PASSWORD, Hub, docker, hub, wait_for

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

FILE = """\
owner: alice
image: codehub/light
resources: {cpu: 1, memory: 256Mi, pids: 128}
env: {NOTE: "%s"}
"""


@pytest.fixture
def served() -> Iterator[Hub]:
    """Runner and gateway run; one light workspace runs."""
    with hub() as made:
        made.write("first", FILE % "one")
        made.add_user("alice")
        made.start("run")
        made.start("gateway")
        made.wait_until_serving()
        yield made


@pytest.fixture
def client(served: Hub) -> Iterator[httpx.Client]:
    """Alice, logged in."""
    with httpx.Client(base_url=served.url, headers={"Origin": served.url}) as client:
        credentials = {"username": "alice", "password": PASSWORD}
        client.post("/api/v1/session", json=credentials).raise_for_status()
        yield client


def phase(client: httpx.Client, workspace: str) -> str:
    answer = client.get(f"/api/v1/workspaces/{workspace}")
    return str(answer.json().get("phase", answer.status_code))


def wait_running(client: httpx.Client, workspace: str) -> None:
    wait_for(lambda: phase(client, workspace) == "RUNNING", f"{workspace} RUNNING")


def started_at(served: Hub, workspace: str) -> str:
    return docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", served.container(workspace))


def test_a_killed_gateway_leaves_runner_and_workspaces_at_work(
    served: Hub, client: httpx.Client
) -> None:
    wait_running(client, "first")
    before = started_at(served, "first")

    served.write("second", FILE % "two")
    served.kill("gateway")
    served.start("gateway")
    served.wait_until_serving()

    # The session is in the store, so the same cookie still opens the way.
    wait_running(client, "second")
    assert client.get("/w/second/healthz").status_code == 200
    assert started_at(served, "first") == before


def test_a_killed_runner_leaves_the_way_open_and_goes_on_after(
    served: Hub, client: httpx.Client
) -> None:
    wait_running(client, "first")
    marker = served.home("first") / "marker"
    marker.write_text("mine")
    before = started_at(served, "first")

    served.write("second", FILE % "two")
    wait_for(lambda: phase(client, "second") in ("PROVISIONING", "STARTING"), "second under way")
    served.kill("run")

    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    with served.tunnel("first", "echo", cookie=cookie) as tunnel:
        tunnel.send("still there")
        assert tunnel.recv(timeout=10) == "still there"
    # What only the runner can do is asked for and kept until there is one.
    assert client.post("/api/v1/workspaces/first/stop").status_code == 202

    served.start("run")
    wait_running(client, "second")
    wait_for(lambda: phase(client, "first") == "WARM", "the stop that was asked for")
    assert marker.read_text() == "mine"
    client.post("/api/v1/workspaces/first/start").raise_for_status()
    wait_running(client, "first")
    assert started_at(served, "first").split()[0] == before.split()[0]


def test_both_end_within_ten_seconds_and_workspaces_keep_running(
    served: Hub, client: httpx.Client
) -> None:
    wait_running(client, "first")
    assert served.stop("gateway") == 0
    assert served.stop("run") == 0
    assert docker("inspect", "-f", "{{.State.Running}}", served.container("first")) == "true"
