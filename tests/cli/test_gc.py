"""`codehub gc`: lists, asks, removes. What is left over is decided elsewhere; here a daemon tells it."""

import asyncio
import getpass
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cli.commands.gc import _shown
from settings.paths import DataPaths
from stacks import api
from stacks.gc.model import Fate, Item, Kind
from stacks.lock import RunnerLock
from tests.cli import processes
from tests.stacks.test_api import Told

FOUND = Item(kind=Kind.RUN_FOLDER, id="r", name="ghost", why="no container", workspace="ghost")
KEPT = Item(
    kind=Kind.HOME, id="h", name="a-home", why="unknown", fate=Fate.KEPT, remedy="codehub purge g"
)
IMAGE = Item(kind=Kind.IMAGE, id="i", name="0123", why="renamed", size=3 << 20)
WHO = f"cli:{getpass.getuser()}"


@contextmanager
def daemon(place: Path, told: Told) -> Iterator[dict[str, str]]:
    """Serve what is told, in a thread; give the environment of who asks."""
    paths = DataPaths(place / "data")
    paths.make()
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with api.serving(paths.runner_sock, told, {}):
            ready.set()
            await asyncio.to_thread(done.wait)

    with RunnerLock(paths.runner_lock, daemon=True):
        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        try:
            assert ready.wait(20)
            yield {"CODEHUB_DATA": str(paths.root), "CODEHUB_WORKSPACES": str(place)}
        finally:
            done.set()
            thread.join()


@pytest.fixture
def told() -> Told:
    made = Told()
    made.left = [FOUND, KEPT, IMAGE]
    made.removed = [replace(FOUND, fate=Fate.REMOVED), KEPT, replace(IMAGE, fate=Fate.REMOVED)]
    return made


def test_nobody_is_asked_without_a_terminal_and_nothing_is_removed(place: Path, told: Told) -> None:
    with daemon(place, told) as env:
        listed = processes.run("gc", env=env)
        shown = processes.run("gc", "-o", "json", env=env)
        dry = processes.run("gc", "--yes", "--dry-run", env=env)
    assert told.asked == [("gc", False, None, "")] * 3
    assert listed.returncode == shown.returncode == 0
    lines = [line.split() for line in listed.stdout.splitlines()]
    assert lines[0] == ["KIND", "NAME", "WORKSPACE", "SIZE", "STATE", "WHY"]
    assert lines[1][:5] == ["run", "folder", "ghost", "ghost", "-"]
    assert listed.stdout.splitlines()[2].endswith("unknown; codehub purge g")
    assert lines[3][:5] == ["image", "0123", "-", "3", "MiB"]
    assert listed.stderr == "2 leftovers can be removed: codehub gc --yes\n"
    assert dry.stdout == listed.stdout
    plain = json.loads(shown.stdout)["leftovers"]
    assert [one["key"] for one in plain] == ["run folder:r", "home:h", "image:i"]
    assert plain[1]["fate"] == "kept"


def test_yes_removes_and_says_how_much(place: Path, told: Told) -> None:
    with daemon(place, told) as env:
        done = processes.run("gc", "--yes", env=env)
    assert told.asked == [("gc", True, None, WHO)], "asked once"
    assert (done.returncode, done.stderr) == (0, "removed: 2 leftovers, 3 MiB\n")


def test_what_could_not_be_removed_fails(place: Path, told: Told) -> None:
    told.removed = [replace(FOUND, fate=Fate.FAILED, remedy="it is a mount")]
    with daemon(place, told) as env:
        done = processes.run("gc", "--yes", "-o", "json", env=env)
    assert done.returncode == 1
    assert json.loads(done.stdout)["leftovers"][0]["remedy"] == "it is a mount"
    assert done.stderr == "failed: 1 leftover, 0 B\n"


def test_at_a_terminal_what_was_shown_is_asked_for(place: Path, told: Told) -> None:
    """What comes to be a leftover between question and answer is not meant."""
    with daemon(place, told) as env:
        with processes.terminal("gc", env=env) as screen:
            screen.wait_for("Remove 2 leftovers? [y/N]")
            screen.type("n\n")
            assert screen.end() == 0
        assert told.asked == [("gc", False, None, "")]
        with processes.terminal("gc", env=env) as screen:
            screen.wait_for("[y/N]")
            screen.type("y\n")
            assert screen.end() == 0
        assert "removed: 2 leftovers" in screen.shown
        assert told.asked[-1] == ("gc", True, ("image:i", "run folder:r"), WHO)
        told.left = []
        with processes.terminal("gc", env=env) as screen:
            assert screen.end() == 0
        assert "nothing is left over" in screen.shown


def test_another_command_at_work_is_told(place: Path) -> None:
    paths = DataPaths(place / "data")
    paths.make()
    env = {"CODEHUB_DATA": str(paths.root)}
    with RunnerLock(paths.runner_lock, daemon=False):
        done = processes.run("gc", "--yes", env=env)
    assert done.returncode == 1
    assert "another runner works on this data tree" in done.stderr


def test_sizes_are_shown_as_people_read_them() -> None:
    assert [_shown(size) for size in (0, 1023, 1024, 5 << 20, 3 << 30)] == [
        "0 B",
        "1023 B",
        "1 KiB",
        "5 MiB",
        "3.0 GiB",
    ]
