"""What memory the runner takes for 1,000 files: few of them real, the others without a container.

A file whose image is not there has all that a workspace has in the runner (spec, plan, row, queue entry,
history) and no container; some files are wrong. Counted is the share that the processes of `codehub run`
have of the machine's memory (PSS): the runner and the process that operations are forked from. Of the CLI
that waits for the next operation, and its worker, it is what they have written themselves: the program's file
lies in memory as long as there is room, whether one waits or not.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from benchmarks.fleet import spec_text
from benchmarks.harness import Goal, Result
from stacks.engine.processes import read_process, session_members
from state_index.index import Index
from state_index.models import Published
from state_index.phases import Phase
from tests.hub import Hub, hub
from tests.stacks.integration.kills import find_waiting

FILES = 1000
REAL = 50
WRONG_EACH = 20
"""One in so many files is wrong."""

BOUND = 200_000_000
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
        waiting = find_waiting((place.root / "data" / "work").resolve())
        found = await asyncio.to_thread(share_of_session, pid)
        found += await asyncio.to_thread(share_of_session, session_of(waiting), "Pss_Anon:")
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


def session_of(pid: int) -> int:
    """Give the leader of a process's session, 0 when there is no such process."""
    found = read_process(pid) if pid else None
    return found.session if found else 0


def share_of_session(leader: int, kind: str = "Pss:") -> int:
    """Sum the proportional share (PSS) of all processes of a session, in bytes."""
    total = 0
    for process in session_members(leader) if leader else ():
        try:
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue  # it ended meanwhile
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith(kind))
    return total
