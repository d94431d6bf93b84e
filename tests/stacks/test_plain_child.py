"""Pulumi run by hand ends with whoever holds the seat, and with the seat; real processes, no Pulumi."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings.model import RunnerSettings
from stacks.engine.processes import end_recorded, read_process
from stacks.errors import NotLeadingError
from stacks.plain import call, child
from stacks.plain.held import Held
from tests.hub import ROOT
from tests.waiting import until

PLUGIN = "(sleep 600 & echo $! >plugin); echo $$ >leader; "
"""It leaves a process in the background, as a plugin that hangs."""

FOREVER = "while :; do sleep 0.05; done"

OURS = """
import sys, threading
from pathlib import Path
from stacks.plain import child
place = Path(sys.argv[1])
code = child.run(
    ["sh", "-c", sys.argv[2]], cwd=place, env={"PATH": "/usr/bin:/bin"},
    record=place / "ws.session", lost=threading.Event(),
)
print("it ended with", code)
"""
"""What `codehub pulumi exec` does, in a process that may be ended."""


def run(place: Path, script: str, lost: threading.Event | None = None) -> int:
    return child.run(
        ["sh", "-c", script],
        cwd=place,
        env=dict(os.environ),
        record=place / "ws.session",
        lost=lost or threading.Event(),
    )


def lives(file: Path) -> bool:
    found = read_process(int(file.read_text()))
    return found is not None and found.state != "Z"


def is_written(file: Path) -> bool:
    return file.exists() and file.read_text().endswith("\n")


@pytest.fixture
def ours(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    script = f"trap 'echo told; exit 7' INT; {PLUGIN} {FOREVER}"
    with subprocess.Popen(
        [sys.executable, "-c", OURS, str(tmp_path), script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()
    end_recorded(tmp_path / "ws.session")


def test_nothing_of_it_is_left_when_it_ended(tmp_path: Path) -> None:
    assert run(tmp_path, f"{PLUGIN} exit 3") == 3
    assert not lives(tmp_path / "plugin")
    assert not (tmp_path / "ws.session").exists()


def test_it_ends_once_the_seat_is_lost(tmp_path: Path) -> None:
    lost = threading.Event()
    timer = threading.Timer(0.1, lost.set)
    timer.start()
    with pytest.raises(NotLeadingError, match="Pulumi was ended"):
        run(tmp_path, FOREVER, lost)
    timer.join()
    assert not (tmp_path / "ws.session").exists()


@pytest.mark.parametrize("number", child.PASSED_ON)
async def test_a_signal_is_passed_on_and_its_end_waited_for(
    ours: "subprocess.Popen[str]", tmp_path: Path, number: signal.Signals
) -> None:
    await until(lambda: is_written(tmp_path / "leader"))
    ours.send_signal(number)
    told, _ = ours.communicate(timeout=30)
    assert told == "told\nit ended with 7\n"
    assert ours.returncode == 0
    assert not lives(tmp_path / "plugin")


async def test_it_does_not_outlive_us_and_a_successor_ends_what_does(
    ours: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    await until(lambda: is_written(tmp_path / "leader") and (tmp_path / "ws.session").exists())
    ours.kill()
    await until(lambda: not lives(tmp_path / "leader"))
    assert lives(tmp_path / "plugin")
    assert end_recorded(tmp_path / "ws.session") >= 1
    assert not lives(tmp_path / "plugin")


def test_a_signal_that_comes_before_it_has_begun_is_kept_for_it() -> None:
    kept = child._Child()
    kept.interrupt()
    with subprocess.Popen(["sleep", "600"]) as process:
        kept.began(process)
        assert process.wait(30) == -signal.SIGINT


async def test_who_holds_the_seat_says_that_it_is_lost(tmp_path: Path) -> None:
    held, lost = Held(RunnerSettings(data=tmp_path), "ws"), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(held._watch(lost))
        assert not held.lost.is_set()
        lost.set()
    assert held.lost.is_set()


def test_the_command_runs_in_the_project_on_its_stack(tmp_path: Path) -> None:
    command = tmp_path / "command"
    command.write_text('#!/bin/sh\npwd >said\necho "$@" >>said\nexit 4\n')
    command.chmod(0o755)
    settings = RunnerSettings(data=tmp_path / "data", pulumi=command)
    settings.paths.work.mkdir(parents=True)
    code = call._run(settings, "ws", ["up"], "127.0.0.1:1", lost=threading.Event())
    work, *told = (settings.paths.work / "said").read_text().splitlines()
    assert (code, Path(work)) == (4, settings.paths.work)
    assert told[0] == "up --stack organization/codehub/ws --client=127.0.0.1:1"
