"""How often Python looks for garbage, in processes of their own: it counts for all of a process."""

import subprocess
import sys

import pytest

from cli.garbage import WHILE_LOADING, WHILE_WATCHING, WHILE_WORKING
from tests.cli import processes

TOLD = "import gc; print(gc.get_threshold()[0], gc.get_freeze_count() > 10_000)"
COMMAND = """
import sys
from cli.main import main
try:
    main({args}, prog_name="codehub")
except SystemExit:
    pass
"""


def told(*code: str) -> list[str]:
    """Run code in a process; gives what it printed last, in words."""
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*code, TOLD])],
        env=processes.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()[-1].split()


def test_while_a_command_loads_it_hardly_looks() -> None:
    assert told(COMMAND.format(args=["--version"])) == [str(WHILE_LOADING), "False"]


def test_at_the_end_nothing_is_looked_through() -> None:
    end = "import atexit; atexit._run_exitfuncs()"
    assert told(COMMAND.format(args=["--version"]), end) == [str(WHILE_LOADING), "True"]


def test_a_runner_says_that_it_goes_on() -> None:
    begins = """
import asyncio
from cli import garbage
from cli.commands import run
from stacks import daemon
async def begun(_settings):
    pass
garbage.loading()
daemon.run = begun
asyncio.run(run._run(None))
"""
    assert told(begins) == [str(WHILE_WATCHING), "True"]


@pytest.mark.parametrize(
    ("loads", "says", "looks"),
    [
        ("import stacks.runner", "loaded", WHILE_WORKING),
        ("import gateway.serve", "loaded", WHILE_WORKING),
        ("import stacks.daemon", "watching", WHILE_WATCHING),
    ],
)
def test_what_goes_on_looks_as_it_works_and_not_at_what_it_loaded(
    loads: str, says: str, looks: int
) -> None:
    begin = "from cli import garbage; garbage.loading()"
    assert told(begin, loads, f"garbage.{says}()") == [str(looks), "True"]
