"""What memory the runner takes for 1,000 files: few of them real, the others without a container.

A file whose image is not there has all that a workspace has in the runner (spec, plan, row, queue entry,
history) and no container; some files are wrong. Counted is the share that the processes of `codehub run`
have of the machine's memory (PSS): the runner and the process that operations are forked from.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from benchmarks.fleet import spec_text
from benchmarks.harness import Goal, Result
from state_index.index import Index
from state_index.models import Published
from state_index.phases import Phase
from tests.hub import Hub, hub

FILES = 1000
REAL = 50
WRONG_EACH = 20
"""One in so many files is wrong."""

BOUND = 200 << 20
SETTLE_SECONDS = 600.0
LOOK_SECONDS = 0.5
PASSES = 5
"""Passes over all files after which the figure is taken."""

POLL = 2.0


async def memory(times: int) -> list[Result]:
    """The runner's memory, at rest after a few passes; MiB."""
    figures = [await measured(files=FILES, real=REAL) / (1 << 20) for _ in range(times)]
    return [
        Result(
            name=f"memory of `codehub run`, {FILES} files ({REAL} real), MiB",
            goal=Goal(seconds=BOUND / (1 << 20), unit="MiB"),
            floor_command="",
            subject=figures,
        )
    ]


async def measured(*, files: int, real: int, passes: int = PASSES) -> int:
    """Run over so many files; give the bytes of the runner's processes at rest."""
    with hub(settings={"CODEHUB_POLL_INTERVAL": f"{POLL:g}s"}) as place:
        await asyncio.to_thread(write, place.workspaces, files, real)
        place.start("run", CODEHUB_LOG_LEVEL="error")
        pid = place.processes["run"].pid
        await until_done(place, files=files, real=real)
        await asyncio.sleep(passes * POLL)
        found = await asyncio.to_thread(share_of_session, pid)
        place.stop("run")
        return found


def write(folder: Path, files: int, real: int, *, wrong: bool = True) -> None:
    """Write the files: real ones first, then ones without an image, some of these wrong."""
    for number in range(files):
        if number < real:
            text = spec_text(note=f"{number}")
        elif number % WRONG_EACH or not wrong:
            text = spec_text(image="codehub/absent", note=f"{number}")
        else:
            text = "owner: alice\nimages: codehub/light\n"
        (folder / f"bench-{number:04d}.yaml").write_text(text, encoding="utf-8")


async def until_done(place: Hub, *, files: int, real: int) -> None:
    """Wait until the real ones run and all others are told about."""

    def done(rows: list[Published]) -> bool:
        running = sum(row.phase is Phase.RUNNING for row in rows)
        told = sum(bool(row.reason or row.problems) for row in rows)
        return running == real and running + told == files

    database = place.root / "data" / "index.db"
    async with asyncio.timeout(SETTLE_SECONDS):
        while not database.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(LOOK_SECONDS)
        await _until(f"sqlite:///{database}", done)


async def _until(url: str, done: Callable[[list[Published]], bool]) -> None:
    with Index.open(url) as index:
        while not done(await asyncio.to_thread(index.workspaces)):  # noqa: ASYNC110 - as above
            await asyncio.sleep(LOOK_SECONDS)


def share_of_session(leader: int) -> int:
    """Sum the proportional share (PSS) of all processes of a session, in bytes."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            session = int((folder / "stat").read_text().rpartition(")")[2].split()[3])
            lines = (folder / "smaps_rollup").read_text().splitlines() if session == leader else []
        except OSError:
            continue  # it ended meanwhile
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return total
