"""Reviews of pull requests: one change among many beside one among one, fifty, ten thousand files.

The whole command is measured where a person waits for it (`codehub preview --base --head`), reading
alone where the goal is about files. Nothing here needs an engine.
"""

import gc
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.harness import Goal, Result, alternate, repeat
from cli.garbage import WHILE_LOADING
from spec.defaults import NONE, Defaults, read_defaults
from stacks.git import tree
from stacks.git.command import Git
from stacks.review.readings import Readings
from tests.hub import ROOT
from tests.stacks.git.repository import Repository

MANY = 1_000
CHANGED = 50
FILES = 10_000
RATIO = 1.5
ONE_SECONDS = 3.0
FIFTY_SECONDS = 30.0
COLD_SECONDS = 15.0
WARM_SECONDS = 0.5
FOLDER = "workspaces.d"
SAID = read_defaults(b"env: {LANG: C.UTF-8}\nresources: {pids: 512}\n", file="_defaults.yaml")
FLOOR = "the same command on a repository with one workspace file, which is the one that changes"


async def review(pairs: int) -> list[Result]:
    """All of it, warm and cold."""
    with _place() as place:
        one, many = _repository(place / "one", 1, 1), _repository(place / "many", MANY, 1)
        fifty = _repository(place / "fifty", MANY, CHANGED)
        warm, times = place / "warm", max(3, pairs // 4)

        async def floor() -> float:
            return _preview(one, warm)

        async def kept() -> float:
            return _preview(many, warm)

        async def cold() -> float:
            return _preview(many, Path(mkdtemp(dir=place)))

        async def changed() -> float:
            return _preview(fifty, warm)

        goal = Goal(ratio=RATIO, seconds=ONE_SECONDS)
        told = f"review of 1 of {MANY}"
        return [
            await alternate(f"{told}, files known", goal=goal, floor_command=FLOOR, floor=floor, subject=kept, pairs=pairs),
            await alternate(f"{told}, files never seen", goal=goal, floor_command=FLOOR, floor=floor, subject=cold, pairs=pairs),
            await repeat(f"review of {CHANGED} of {MANY}", goal=Goal(seconds=FIFTY_SECONDS), subject=changed, times=times),
            *await _reading(place, times),
        ]  # fmt: skip


async def _reading(place: Path, times: int) -> list[Result]:
    """Read ten thousand files: as YAML, the quick way, and when they were read before."""
    plain = _repository(place / "plain", FILES, 1)
    odd = _repository(place / "odd", FILES, 1, odd=True)
    cache = place / "cache"

    async def as_yaml() -> float:
        return _read(odd, None)

    async def quick() -> float:
        return _read(plain, None)

    async def known() -> float:
        return _read(plain, cache)

    async def filled() -> float:
        return _read(plain, None, SAID)

    async def known_filled() -> float:
        return _read(plain, place / "filled", SAID)

    return [
        await repeat(f"{FILES} files as YAML, two processes", goal=Goal(seconds=COLD_SECONDS), subject=as_yaml, times=3),
        await repeat(f"{FILES} plain files", goal=Goal(seconds=COLD_SECONDS), subject=quick, times=times),
        await repeat(f"{FILES} files, known", goal=Goal(seconds=WARM_SECONDS), subject=known, times=times),
        await repeat(f"{FILES} plain files, with defaults", goal=Goal(seconds=COLD_SECONDS), subject=filled, times=times),
        await repeat(f"{FILES} files, known, with defaults", goal=Goal(seconds=WARM_SECONDS), subject=known_filled, times=times),
    ]  # fmt: skip


@contextmanager
def _place() -> Iterator[Path]:
    place = Path(mkdtemp(prefix="codehub-bench-"))
    try:
        yield place
    finally:
        shutil.rmtree(place)


def _repository(folder: Path, files: int, changed: int, *, odd: bool = False) -> Path:
    """Make a repository whose branch `pr` changes the image of some of its files."""
    made = Repository(folder)
    made.commit(_files(range(files), "one", odd=odd))
    made.call("repack", "-adq")
    made.call("checkout", "-q", "-b", "pr")
    made.commit(_files(range(changed), "two", odd=odd))
    return folder


def _files(numbers: range, image: str, *, odd: bool) -> Mapping[str, bytes]:
    mark = "&image " if odd else ""  # an anchor is no plain file's
    return {
        f"{FOLDER}/w{n}.yaml": (
            f"# workspace {n}\nowner: u{n % 200}\nimage: {mark}codehub/{image}\n"
            f'resources: {{cpu: 1, memory: 512Mi}}\nenv:\n  TZ: Asia/Seoul\n  N: "{n}"\n'
        ).encode()
        for n in numbers
    }


def _preview(repository: Path, cache: Path) -> float:
    command = [sys.executable, "-m", "cli", "preview", "--base", "main", "--head", "pr"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CODEHUB_CACHE": str(cache)}
    began = time.perf_counter()
    subprocess.run(
        [*command, "-o", "markdown"],
        cwd=repository,
        env=environment,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began


def _read(repository: Path, cache: Path | None, defaults: Defaults = NONE) -> float:
    git, usual = Git(folder=repository), gc.get_threshold()
    gc.set_threshold(WHILE_LOADING)  # as in the command that reads them
    try:
        began = time.perf_counter()
        entries = tree.entries(git, tree.resolve(git, "pr"), FOLDER)
        found = Readings(cache)(git, entries, FOLDER, defaults)
        took = time.perf_counter() - began
    finally:
        gc.set_threshold(*usual)
    assert sum(named.reading.spec is not None for named in found) == FILES
    return took
