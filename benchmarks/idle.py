"""What runner and gateway cost while nothing happens: CPU seconds in a second, children included."""

import asyncio
import os
from pathlib import Path

from benchmarks.fleet import spec_text
from benchmarks.harness import Goal, Result
from benchmarks.power import Visitor, visitor
from state_index.phases import Phase

GOAL = 0.01
WINDOW_SECONDS = 5.0
TICK = 1 / os.sysconf("SC_CLK_TCK")


async def idle(windows: int) -> list[Result]:
    """One running workspace, an open portal's event stream, and nobody doing anything."""
    with visitor() as alice:
        alice.served.write("bench-idle", spec_text())
        alice.wait("bench-idle", Phase.RUNNING)
        with alice.client.stream("GET", "/api/v1/events", timeout=None):
            return await _measure(alice, windows)


async def _measure(alice: Visitor, windows: int) -> list[Result]:
    pids = {name: process.pid for name, process in alice.served.processes.items()}
    figures: dict[str, list[float]] = {name: [] for name in pids}
    for _ in range(windows + 1):  # the first one warms up
        before = {name: cpu_of_session(pid) for name, pid in pids.items()}
        await asyncio.sleep(WINDOW_SECONDS)
        for name, pid in pids.items():
            figures[name].append((cpu_of_session(pid) - before[name]) / WINDOW_SECONDS)
    goal = Goal(seconds=GOAL)
    return [
        Result(
            name=f"idle `codehub {name}`, CPU seconds in a second",
            goal=goal,
            floor_command="",
            subject=found[1:],
        )
        for name, found in figures.items()
    ]


def cpu_of_session(leader: int) -> float:
    """Sum the CPU seconds of all processes of a session."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[3]) == leader:
            total += (int(fields[11]) + int(fields[12])) * TICK
    return total
