"""A whole CodeHub of its own for tests and benchmarks: data tree, names, runner, gateway.

Everything it makes on the engine has a name prefix of its own and is removed at the end.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar

import httpx
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tools.dev import free_port

T = TypeVar("T")

ROOT = Path(__file__).parents[1]
CODEHUB = Path(sys.executable).parent / "codehub"
PASSWORD = "correct horse battery staple"
READY_SECONDS = 60.0
POLL_SECONDS = 0.02
END_SECONDS = 20.0


class NotReadyError(AssertionError):
    """A condition did not come true in time."""


def wait_for(
    ask: Callable[[], T], what: str, *, seconds: float = READY_SECONDS, every: float = POLL_SECONDS
) -> T:
    """Ask `every` seconds until the answer is true-ish; raise with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := ask():
            return answer
        if time.monotonic() > deadline:
            raise NotReadyError(f"not within {seconds:g} s: {what}")
        time.sleep(every)


def docker(*args: str, check: bool = True) -> str:
    """Run the docker client and return what it printed."""
    done = subprocess.run(["docker", *args], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise AssertionError(f"docker {' '.join(args)}: {done.stderr}")
    return done.stdout.strip()


class Hub:
    """Paths, names and processes of one CodeHub."""

    def __init__(self, root: Path, *, settings: dict[str, str] | None = None) -> None:
        self.root = root
        self.workspaces = root / "workspaces.d"
        self.workspaces.mkdir()
        self.name = f"codehub-test-{secrets.token_hex(3)}"
        self.prefix = f"{self.name}-ws-"
        self.port = free_port("127.0.0.1")
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = os.environ | {
            "CODEHUB_DATA": str(root / "data"),
            "CODEHUB_WORKSPACES": str(self.workspaces),
            "CODEHUB_NAME_PREFIX": self.prefix,
            "CODEHUB_NETWORK": f"{self.name}-net",
            "CODEHUB_PORT": str(self.port),
            # Each hub has a network of its own, and a probe takes seconds: tests of it say so.
            "CODEHUB_ALLOW_UNENFORCED": "all",
            **(settings or {}),
        }
        self.command: tuple[str | Path, ...] = (CODEHUB,)
        """How `codehub` is started; a test puts another user's identity before it."""
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    # The command line.

    def run(self, *args: str, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        """Run `codehub` to its end."""
        done = subprocess.run(
            [*self.command, *args],
            env=self.env | env,
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"codehub {' '.join(args)}: {done.stdout}{done.stderr}")
        return done

    def add_user(self, name: str, *flags: str) -> None:
        """Add a user with the tests' password."""
        self.run("user", "add", name, *flags, CODEHUB_PASSWORD=PASSWORD)

    def write(self, workspace: str, text: str) -> Path:
        """Write a workspace file, renamed into place."""
        file = self.workspaces / f"{workspace}.yaml"
        draft = file.with_suffix(".tmp")
        draft.write_text(text, encoding="utf-8")
        draft.rename(file)
        return file

    # The processes.

    def start(self, command: str, **env: str) -> None:
        """Start `codehub run` or `codehub gateway`; its log goes to a file."""
        with self.log(command).open("ab") as log:
            self.processes[command] = subprocess.Popen(
                [*self.command, command],
                env=self.env | env,
                cwd=self.root,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, command: str) -> Path:
        """Return where a process's log is."""
        return self.root / f"{command}.log"

    def wait_until_serving(self) -> None:
        """Wait for the login page."""
        try:
            wait_for(self._answers, "the login page")
        except NotReadyError as error:
            error.add_note(self.log("gateway").read_text(encoding="utf-8")[-2000:])
            raise

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/login").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def kill(self, command: str) -> None:
        """SIGKILL a process with its group."""
        process = self.processes.pop(command)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(END_SECONDS)

    def stop(self, command: str) -> int:
        """SIGTERM a process and return its exit code."""
        process = self.processes.pop(command)
        process.terminate()
        return process.wait(END_SECONDS)

    # The workspaces.

    def container(self, workspace: str) -> str:
        """Return a workspace's container name."""
        return f"{self.prefix}{workspace}"

    def home(self, workspace: str, number: int = 1) -> Path:
        """Return the host's path of a home volume."""
        volume = f"{self.prefix}{workspace}-home-{number}"
        return Path(docker("volume", "inspect", "-f", "{{.Mountpoint}}", volume))

    def tunnel(self, workspace: str, path: str, *, cookie: str) -> ClientConnection:
        """Open a WebSocket to a workspace as a page of ours would."""
        return connect(
            f"ws://127.0.0.1:{self.port}/w/{workspace}/{path}",
            origin=Origin(self.url),
            additional_headers={"Cookie": cookie},
        )

    def clean(self) -> None:
        """End the processes, then remove all that bears the prefix."""
        for command in list(self.processes):
            self.kill(command)
        for kind, list_flags, remove in (
            ("container", ("-a",), ("-f",)),
            ("network", (), ()),
            ("volume", (), ("-f",)),
        ):
            shown = "{{.Names}}" if kind == "container" else "{{.Name}}"
            named = docker(
                kind, "ls", *list_flags, "--filter", f"name={self.name}", "--format", shown
            )
            for name in named.split():
                docker(kind, "rm", *remove, name, check=False)


@contextmanager
def hub(*, settings: dict[str, str] | None = None) -> Iterator[Hub]:
    """Make a CodeHub in a temporary folder; nothing runs yet."""
    root = Path(mkdtemp(prefix="codehub-test-"))
    made = Hub(root, settings=settings)
    try:
        yield made
    finally:
        made.clean()
        shutil.rmtree(root)
