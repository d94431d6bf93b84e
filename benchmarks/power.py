"""Starting a workspace that is there, and making one from a file: each beside plain Docker."""

import json
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import httpx

from benchmarks import floors
from benchmarks.fleet import IDE_IMAGE, LIGHT_IMAGE, spec_text
from benchmarks.harness import Goal, Result, alternate
from state_index.index import Index
from state_index.phases import Phase
from tests.hub import PASSWORD, Hub, docker, hub, wait_for

START_RATIO = 1.5
CREATE_RATIO = 2.0
CREATE_SECONDS = 5.0
POLL_SECONDS = 0.005


class Visitor:
    """A logged-in owner: a client with a cookie, and the index to know phases by."""

    def __init__(self, served: Hub) -> None:
        self.served = served
        self.client = httpx.Client(base_url=served.url, headers={"Origin": served.url})
        self.client.post(
            "/api/v1/session", json={"username": "alice", "password": PASSWORD}
        ).raise_for_status()
        self.index = Index.open(f"sqlite:///{served.root / 'data/index.db'}")

    def phase(self, workspace: str) -> Phase | None:
        """Return the published phase."""
        row = self.index.workspace(workspace)
        return row.phase if row else None

    def wait(self, workspace: str, phase: Phase) -> None:
        """Wait for a phase, asking every few milliseconds."""
        wait_for(
            lambda: self.phase(workspace) == phase,
            f"{workspace} {phase}",
            every=POLL_SECONDS,
        )

    def press(self, workspace: str, button: str) -> None:
        """Press start or stop."""
        self.client.post(f"/api/v1/workspaces/{workspace}/{button}").raise_for_status()

    def first_byte(self, workspace: str) -> None:
        """Follow the workspace as the progress page's script does, and ask for the IDE's page.

        A loop of requests would take from the IDE the core that it starts on.
        """
        with self.client.stream("GET", "/api/v1/events", params={"workspace": workspace}) as events:
            events.raise_for_status()
            for line in events.iter_lines():
                if line.startswith("data: ") and _phase(line) is Phase.RUNNING:
                    break
        answer = self.client.get(f"/w/{workspace}/", follow_redirects=True)
        answer.raise_for_status()
        assert "workbench" in answer.text, "another page than the IDE's"


def _phase(line: str) -> Phase | None:
    """Return the phase that an event tells, if it is one of a workspace."""
    told = json.loads(line.removeprefix("data: ")).get("phase")
    return None if told is None else Phase(told)


@contextmanager
def visitor() -> Iterator[Visitor]:
    """Serve a hub with one logged-in user."""
    # The floors start and stop containers by hand: the daemon's looks must not meddle.
    with hub(settings={"CODEHUB_POLL_INTERVAL": "1h"}) as served:
        served.add_user("alice")
        served.start("run")
        served.start("gateway")
        served.wait_until_serving()
        yield Visitor(served)


async def start(pairs: int) -> Result:
    """Button "start" to the first byte of the IDE, beside `docker start` and healthy."""
    workspace = "bench-start"
    with visitor() as alice:
        served = alice.served
        served.write(workspace, spec_text(image=IDE_IMAGE))
        alice.wait(workspace, Phase.RUNNING)
        alice.press(workspace, "stop")
        alice.wait(workspace, Phase.WARM)
        container = served.container(workspace)
        ide = served.root / "data/run" / workspace / "ide.sock"

        async def floor() -> float:
            # A daemon sees by the engine's events what another hand does, and sets it right.
            served.stop("run")
            seconds = floors.docker_start(container, ide)
            docker("stop", "-t", "2", container)
            served.start("run")
            served.run("wait", workspace, "--for", "phase=WARM")
            return seconds

        async def subject() -> float:
            alice.wait(workspace, Phase.WARM)
            began = time.perf_counter()
            alice.press(workspace, "start")
            alice.first_byte(workspace)
            seconds = time.perf_counter() - began
            alice.wait(workspace, Phase.RUNNING)
            alice.press(workspace, "stop")
            alice.wait(workspace, Phase.WARM)
            return seconds

        return await alternate(
            "button start to first byte of the IDE",
            goal=Goal(ratio=START_RATIO),
            floor_command=floors.DOCKER_START,
            floor=floor,
            subject=subject,
            pairs=pairs,
        )


async def create(pairs: int) -> Result:
    """A new file to RUNNING, beside `docker run` and healthy."""
    numbers = iter(range(10_000))
    with visitor() as alice:
        served = alice.served
        served.write("bench-first", spec_text())  # makes the shared network
        alice.wait("bench-first", Phase.RUNNING)

        async def floor() -> float:
            return plain(served)

        async def subject() -> float:
            workspace = f"bench-{next(numbers)}"
            began = time.perf_counter()
            file = served.write(workspace, spec_text())
            alice.wait(workspace, Phase.RUNNING)
            seconds = time.perf_counter() - began
            file.unlink()
            served.run("destroy", workspace)
            return seconds

        return await alternate(
            "file written to RUNNING, new workspace, light image",
            goal=Goal(ratio=CREATE_RATIO, seconds=CREATE_SECONDS),
            floor_command=floors.DOCKER_RUN,
            floor=floor,
            subject=subject,
            pairs=pairs,
        )


def plain(served: Hub) -> float:
    """Run the same container by hand once, and remove it."""
    run = Path(mkdtemp(prefix="codehub-bench-"))
    run.chmod(0o777)
    name = f"{served.name}-plain-{secrets.token_hex(2)}"
    try:
        network = served.env["CODEHUB_NETWORK"]
        return floors.docker_run(name, image=LIGHT_IMAGE, run=run, network=network)
    finally:
        docker("rm", "-f", name)
        docker("volume", "rm", f"{name}-home")
        shutil.rmtree(run)
