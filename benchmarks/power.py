"""Starting a workspace that is there, and making one from a file: each beside plain Docker."""

import asyncio
import json
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

import httpx

from benchmarks import floors
from benchmarks.fleet import IDE_IMAGE, LIGHT_IMAGE, spec_text
from benchmarks.harness import Goal, Result, alternate
from benchmarks.phases import Phases
from state_index.phases import Phase
from tests.hub import PASSWORD, Hub, docker, hub
from tests.stacks.integration.kills import find_waiting

START_RATIO = 1.5
CREATE_RATIO = 2.0
CREATE_SECONDS = 5.0
LOOK_SECONDS = 0.5
MOST_LOOKS = 10


class Visitor:
    """A logged-in owner: a client with a cookie, and the index to wait for phases by."""

    def __init__(self, served: Hub) -> None:
        self.served = served
        self.client = httpx.Client(base_url=served.url, headers={"Origin": served.url})
        self.client.post(
            "/api/v1/session", json={"username": "alice", "password": PASSWORD}
        ).raise_for_status()
        self.wait = Phases(served.root / "data/index.db").wait

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
    with hub() as served:
        served.add_user("alice")
        served.start("run")
        served.start("gateway")
        served.wait_until_serving()
        yield Visitor(served)


class Plain:
    """A container as a workspace's is, made by hand: without our labels the daemon lets it be."""

    def __init__(self, served: Hub, *, cpus: str = "1", memory: str = "256m") -> None:
        self.name = f"{served.name}-plain-{secrets.token_hex(2)}"
        self.run = Path(mkdtemp(prefix="codehub-bench-"))
        self.run.chmod(0o777)
        self.ide = self.run / "ide.sock"
        network = served.env["CODEHUB_NETWORK"]
        self.flags = floors.plain_flags(
            self.name, run=self.run, network=network, cpus=cpus, memory=memory
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        docker("rm", "-f", self.name)
        docker("volume", "rm", f"{self.name}-home")
        shutil.rmtree(self.run)


async def start(pairs: int) -> Result:
    """Button "start" to the first byte of the IDE, beside `docker start` and healthy."""
    workspace = "bench-start"
    with ExitStack() as stack:
        alice = stack.enter_context(visitor())
        alice.served.write(workspace, spec_text(image=IDE_IMAGE))
        alice.wait(workspace, Phase.RUNNING)
        plain = stack.enter_context(Plain(alice.served, cpus="2", memory="4g"))
        floors.docker_run(plain.flags, image=IDE_IMAGE, ide=plain.ide)
        docker("stop", "-t", "2", plain.name)
        alice.press(workspace, "stop")

        async def floor() -> float:
            seconds = floors.docker_start(plain.name, plain.ide)
            docker("stop", "-t", "2", plain.name)
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
            await at_rest(served)
            return plain_run(served)

        async def subject() -> float:
            await at_rest(served)
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


async def at_rest(served: Hub) -> None:
    """Wait until the runner has started what it starts ahead, so that neither side shares a core with that."""
    work = (served.root / "data" / "work").resolve()
    spent, looks = -1, 0
    while looks < MOST_LOOKS:  # a CLI that is not our build does not wait
        await asyncio.sleep(LOOK_SECONDS)
        looks += 1
        waiting = find_waiting(work)
        if waiting and (now := cpu_ticks(waiting)) == spent:
            return
        spent = now if waiting else -1


def cpu_ticks(pid: int) -> int:
    """Give the clock ticks that a process has spent, 0 once it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def plain_run(served: Hub) -> float:
    """Run the same container by hand once, and remove it."""
    with Plain(served) as plain:
        return floors.docker_run(plain.flags, image=LIGHT_IMAGE, ide=plain.ide)
