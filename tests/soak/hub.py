"""The CodeHub of the soak: two runners and a gateway over an engine of its own, its data on the small disk."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from state_index.index import Index
from tests.hub import END_SECONDS, PASSWORD, Hub, wait_for
from tests.soak.engine import OwnEngine, disk
from tests.soak.model import OWNER

RUNNERS = ("run-1", "run-2")
GATEWAY = "gateway"
IMAGE = "codehub/light"

CLOCKED = """
import os, sys
from datetime import timedelta
from pathlib import Path

if sys.argv[1:2] == ["run"]:
    from stacks.grace import GraceClock
    from state_index.index import Index
    from state_index.models import utc_now

    place = Path(os.environ["TEST_CLOCK"])

    def now():
        return utc_now() + timedelta(seconds=float(place.read_text() or 0))

    for seam in (Index.__init__, Index.open.__func__, GraceClock.__init__):
        assert seam.__kwdefaults__["now"] is utc_now
        seam.__kwdefaults__["now"] = now

from cli.main import main

main(prog_name="codehub")
"""
"""`codehub`, whose runner takes the time from our clock seams, put forward by what a file says."""


class SoakHub(Hub):
    """Paths, names and processes; each process is killed by itself, as a kernel short of memory does."""

    def __init__(self, place: Path, disk: Path, engine: OwnEngine) -> None:
        root = disk / "hub"
        root.mkdir()
        self.place = place
        self.clock = place / "clock"
        self.clock.write_text("0")
        super().__init__(
            root,
            settings={
                "CODEHUB_DOCKER_HOST": engine.address,
                "CODEHUB_POLL_INTERVAL": "2s",
                "CODEHUB_START_TIMEOUT": "30s",
                "CODEHUB_LOG_LEVEL": "debug",
                # As a checkout elsewhere: people can write files while the disk is full.
                "CODEHUB_WORKSPACES": str(place / "workspaces.d"),
                "TEST_CLOCK": str(self.clock),
            },
        )
        self.workspaces = place / "workspaces.d"
        self.workspaces.mkdir()
        self.command = (sys.executable, "-c", CLOCKED)

    @cached_property
    def index(self) -> Index:
        """The index, as anyone reads it."""
        return Index.open(f"sqlite:///{self.root}/data/index.db")

    def log(self, command: str) -> Path:
        """Keep logs off the disk that is filled."""
        return self.place / f"{command}.log"

    def launch(self, name: str) -> None:
        """Start one of the runners, or the gateway."""
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*self.command, GATEWAY if name == GATEWAY else "run"],
                env=self.env,
                cwd=self.root,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, command: str) -> None:
        """SIGKILL a process alone: what it started has to notice."""
        process = self.processes.pop(command)
        process.send_signal(signal.SIGKILL)
        process.wait(END_SECONDS)

    def leader(self) -> str:
        """Name the runner that leads, "" when none is announced."""
        info = self.index.runner()
        pids = {process.pid: name for name, process in self.processes.items()}
        return pids.get(info.pid, "") if info else ""

    def wait_until_led(self) -> None:
        """Wait until a living runner leads and serves."""
        wait_for(self.leader, "a runner that leads", seconds=60)

    def clean(self) -> None:
        """End the processes; what is on the engine goes with it."""
        for name in list(self.processes):
            self.kill(name)
        self.index.close()


@contextmanager
def soaked() -> Iterator[tuple[SoakHub, OwnEngine]]:
    """Make disk, engine and CodeHub; two runners and a gateway run."""
    with (
        TemporaryDirectory(prefix="codehub-test-", ignore_cleanup_errors=True) as name,
        disk(Path(name)) as small,
        OwnEngine(Path(name), small) as engine,
    ):
        engine.load(IMAGE)
        hub = SoakHub(Path(name), small, engine)
        try:
            hub.add_user(OWNER)
            for process in (*RUNNERS, GATEWAY):
                hub.launch(process)
            hub.wait_until_serving()
            hub.wait_until_led()
            yield hub, engine
        finally:
            hub.clean()


def logged_in(hub: SoakHub) -> httpx.Client:
    """Give a client of the gateway with the owner's session."""
    client = httpx.Client(base_url=hub.url, headers={"Origin": hub.url}, timeout=30)
    credentials = {"username": OWNER, "password": PASSWORD}
    client.post("/api/v1/session", json=credentials).raise_for_status()
    return client
