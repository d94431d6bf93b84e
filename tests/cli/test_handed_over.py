"""Ctrl-C in a command whose work a daemon does: the daemon goes on, and that is said."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from settings.paths import DataPaths
from stacks import api
from stacks.lock import RunnerLock
from tests.cli.processes import environment
from tests.stacks.test_api import Told
from tests.waiting import until

SAID = "to watch: codehub status --watch"


async def interrupted(place: Path, told: Told, *command: str, shows: str) -> tuple[int, str]:
    """Run a command, press Ctrl-C once it shows something; exit code and what was said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *command),
        env=environment({"CODEHUB_DATA": str(place / "data")}),
        cwd=place,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    first = await process.stderr.readline() if shows else b""
    assert shows in first.decode()
    await until(told.was_asked)
    process.send_signal(signal.SIGINT)
    _, rest = await process.communicate()
    return process.returncode or 0, rest.decode()


@pytest.mark.parametrize(("command", "kind"), [(("up",), "`up`"), (("preview",), "")])
async def test_control_c_says_that_the_daemon_goes_on(
    place: Path, command: tuple[str, ...], kind: str
) -> None:
    told = Told()
    told.go_on.clear()
    paths = DataPaths(place / "data")
    paths.make()
    with RunnerLock(paths.runner_lock, daemon=True):
        async with api.serving(paths.runner_sock, told, {}):
            code, said = await interrupted(
                place, told, *command, shows="alice: PROVISIONING" if kind else ""
            )
            told.go_on.set()
    assert code == 130
    assert "Traceback" not in said
    assert (f"the daemon goes on with {kind}; {SAID}" in said) is bool(kind)
    assert bool(kind) or SAID not in said
