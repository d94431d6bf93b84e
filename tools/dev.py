"""`python -m tools.dev`, the second half of `scripts/dev`: set-up, first user, gateway, runner, until Ctrl-C.

The last two are child processes in groups of their own, so that Ctrl-C reaches this process alone and it ends both
in order. Workspaces keep running. It knows runner and gateway by their command line only.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from settings.errors import DataFolderError, SettingsError
from settings.load import load
from settings.model import GatewaySettings
from tools import setup

FIRST_USER = "alice"
COMMANDS = ("gateway", "run")
"""The gateway first: it is what people wait for."""
END_SECONDS = 10.0
"""How long the children have to end before they are killed."""
READY_SECONDS = 120.0
POLL_SECONDS = 0.05
ANSWER_SECONDS = 2.0


class Children:
    """Runner and gateway as child processes."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, command: str) -> None:
        """Start `codehub <command>`; its log goes where ours goes. It ends when we are killed."""
        self._processes[command] = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "TERM", "--", *_codehub(command)),
            env=self._env,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )

    async def first_end(self) -> str:
        """Wait until one of them ends by itself; say which and how."""
        names = {asyncio.ensure_future(p.wait()): name for name, p in self._processes.items()}
        try:
            ended, _ = await asyncio.wait(names, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in names:
                waiting.cancel()
        one = ended.pop()
        return f"codehub {names[one]} ended with {one.result()}"

    async def end(self) -> None:
        """SIGTERM to all that run; what has not ended in time is killed with its group."""
        running = [p for p in self._processes.values() if p.returncode is None]
        for process in running:
            process.terminate()
        try:
            async with asyncio.timeout(END_SECONDS):
                await asyncio.gather(*(process.wait() for process in running))
        except TimeoutError:
            for process in running:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    await process.wait()


def _codehub(*words: str) -> list[str]:
    return [sys.executable, "-m", "cli", *words]


def add_first_user(marker: Path) -> None:
    """Make the first user where there is none; the password is printed this once.

    Args:
        marker: a file that says it was done, so that later starts do not ask the store.

    Raises:
        CalledProcessError: `codehub user` failed; it has said why.
    """
    if marker.exists():
        return
    listed = subprocess.run(
        _codehub("user", "list", "-o", "json"), check=True, stdout=subprocess.PIPE
    )
    if not json.loads(listed.stdout)["users"]:
        print(f"The first user is {FIRST_USER} (admin). The password, shown this once:", flush=True)
        subprocess.run(_codehub("user", "add", FIRST_USER, "--admin", "--generate"), check=True)
    marker.touch(mode=0o600)


def reachable(host: str) -> str:
    """Give the host of a URL by which this machine reaches what listens on an address."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"[{host}]" if ":" in host else host


def free_port(host: str) -> int:
    """Give a port that is free now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as found:
        found.bind((host, 0))
        return int(found.getsockname()[1])


async def answers(url: str) -> None:
    """Return as soon as a page answers 200."""
    while not await asyncio.to_thread(_ok, url):  # noqa: ASYNC110 - another process answers
        await asyncio.sleep(POLL_SECONDS)


def _ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - our own gateway
            return bool(answer.status == 200)  # noqa: PLR2004
    except OSError:
        return False


async def serve(address: str, url: str, env: Mapping[str, str]) -> int:
    """Run both until a signal or until one ends.

    Args:
        address: where this machine reaches the gateway.
        url: where people do; it is told.
        env: the environment of both.

    Returns:
        The exit code: 0 after a signal, 1 when one of them ended or never answered.
    """
    children = Children(env)
    try:
        async with asyncio.TaskGroup() as tasks:
            stopped = tasks.create_task(_signal())
            for command in COMMANDS:
                await children.start(command)
            ended = tasks.create_task(children.first_end())
            code = await _watch(address, url, stopped, ended)
            for task in (stopped, ended):
                task.cancel()
            return code
    finally:
        await children.end()


async def _watch(
    address: str, url: str, stopped: "asyncio.Task[str]", ended: "asyncio.Task[str]"
) -> int:
    # By a path that answers under any name: `base_url` may name another host.
    asked = f"{address}/healthz"
    ready = asyncio.ensure_future(asyncio.wait_for(answers(asked), READY_SECONDS))
    await asyncio.wait({ready, stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
    if not (stopped.done() or ended.done()):
        if ready.exception():
            print(f"{asked} did not answer within {READY_SECONDS:.0f} s", file=sys.stderr)
            return 1
        print(f"CodeHub is at {url} (Ctrl-C ends it; workspaces keep running)", flush=True)
        await asyncio.wait({stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    if ended.done():
        print(f"{ended.result()}: ending", file=sys.stderr, flush=True)
        return 1
    print(f"{stopped.result()}: ending; workspaces keep running", file=sys.stderr, flush=True)
    return 0


async def _signal() -> str:
    """Wait for Ctrl-C, SIGTERM or a closed terminal; say which."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[str] = loop.create_future()

    def note(number: signal.Signals) -> None:
        if not came.done():
            came.set_result(number.name)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, note, number)
    return await came


def main() -> int:
    """Set up, then serve until told to end; 2 for wrong settings, as `tools.setup.main`."""
    failed = setup.main([])
    if failed:
        return failed
    try:
        settings = load(GatewaySettings)
        settings.paths.make()
        add_first_user(settings.data / "first-user")
    except (SettingsError, DataFolderError) as error:
        print(error, file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    port = settings.port or free_port(settings.host)
    address = f"http://{reachable(settings.host)}:{port}"
    env = {**os.environ, "CODEHUB_PORT": str(port)}
    return asyncio.run(serve(address, settings.base_url or address, env))


if __name__ == "__main__":
    sys.exit(main())
