"""Pulumi operations: one, the first `up` of a fleet beside a plain stack, and one with nothing to do."""

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from benchmarks import floors
from benchmarks.fleet import LIGHT_IMAGE, write_fleet
from benchmarks.harness import Goal, Result, alternate, repeat
from settings.load import load
from settings.model import RunnerSettings
from stacks import rundir
from stacks.engine import SHARED_PROGRAM, WORKSPACE_PROGRAM, Engine, Kind, Operation
from stacks.parts import docker_power, engine_config
from stacks.programs.inputs import HomeInputs, SharedInputs, WorkspaceInputs
from tests.hub import ROOT, docker, hub

WORKSPACE = "bench-one"
CPU_ACCOUNTS = Path("/sys/fs/cgroup/cpuacct")

OPERATION_SECONDS = 1.0
OPERATION_CPU_SECONDS = 1.2
FLEET = 50
FLEET_RATIO = 2.0
LARGE_FLEET = 200
NO_OP_SECONDS = 1.0


async def first_up(pairs: int) -> Result:
    """`codehub up` of a new fleet of light workspaces."""

    async def floor() -> float:
        return plain_stack(FLEET)

    async def subject() -> float:
        with hub() as fresh:
            write_fleet(fresh.workspaces, FLEET)
            began = time.perf_counter()
            fresh.run("up")
            return time.perf_counter() - began

    return await alternate(
        f"first up of {FLEET} light workspaces",
        goal=Goal(ratio=FLEET_RATIO),
        floor_command=floors.PLAIN_STACK,
        floor=floor,
        subject=subject,
        pairs=pairs,
    )


def plain_stack(count: int) -> float:
    """Bring the plain stack up in a process of its own, and remove it; seconds of the former."""
    folder = Path(mkdtemp(prefix="codehub-bench-"))
    prefix = f"codehub-test-{secrets.token_hex(3)}-plain-"
    command = [sys.executable, "-m", "benchmarks.plain_stack", str(count), str(folder), prefix]
    try:
        began = time.perf_counter()
        subprocess.run([*command, "up"], check=True, cwd=ROOT, capture_output=True)
        return time.perf_counter() - began
    finally:
        subprocess.run([*command, "destroy"], check=True, cwd=ROOT, capture_output=True)
        shutil.rmtree(folder)


async def no_op_up(pairs: int) -> Result:
    """`codehub up` when nothing is to do, over a large fleet (containers made, not started)."""
    with hub() as fleet:
        write_fleet(fleet.workspaces, LARGE_FLEET, state="warm")
        fleet.run("up")

        async def subject() -> float:
            began = time.perf_counter()
            fleet.run("up")
            return time.perf_counter() - began

        return await repeat(
            f"no-op up of {LARGE_FLEET}",
            goal=Goal(seconds=NO_OP_SECONDS),
            subject=subject,
            times=pairs,
        )


async def operation(pairs: int) -> list[Result]:
    """Make one workspace's whole stack, with policies: wall time, and CPU of all its processes."""
    cpu: list[float] = []
    with hub() as place, cpu_account() as account:
        settings = load(RunnerSettings, env=place.env, cwd=place.root)
        settings.paths.make()
        rundir.prepare(settings.paths.run, WORKSPACE)
        async with (
            docker_power(settings) as power,
            Engine(engine_config(settings), leftovers=power) as engine,
        ):
            shared = SharedInputs(network=settings.network, name_prefix=settings.name_prefix)
            await run(engine, Kind.UP, "shared", shared.to_json(), program=SHARED_PROGRAM)

            async def subject() -> float:
                inputs = workspace(settings).to_json()
                before, began = account(), time.perf_counter()
                await run(engine, Kind.UP, WORKSPACE, inputs)
                seconds = time.perf_counter() - began
                cpu.append(account() - before)
                await run(engine, Kind.DESTROY, WORKSPACE, inputs)
                await engine.forget(WORKSPACE)
                docker("volume", "rm", f"{settings.name_prefix}{WORKSPACE}-home-1")
                return seconds

            wall = await repeat(
                "one Pulumi operation (create a workspace's stack), wall",
                goal=Goal(seconds=OPERATION_SECONDS),
                subject=subject,
                times=pairs,
            )
            await run(engine, Kind.DESTROY, "shared", shared.to_json(), program=SHARED_PROGRAM)
    goal = Goal(seconds=OPERATION_CPU_SECONDS)
    spent = Result(name="the same, CPU seconds", goal=goal, floor_command="", subject=cpu[1:])
    return [wall, spent]


async def run(
    engine: Engine, kind: Kind, stack: str, inputs: dict[str, Any], program: str = WORKSPACE_PROGRAM
) -> None:
    """Run one operation; raise when it failed."""
    operation = Operation(kind=kind, stack=stack, inputs=inputs, program=program)
    (await engine.run(operation)).check()


def workspace(settings: RunnerSettings) -> WorkspaceInputs:
    """Return a light workspace's inputs."""
    return WorkspaceInputs(
        id=WORKSPACE,
        owner="alice",
        name_prefix=settings.name_prefix,
        image=LIGHT_IMAGE,
        cpu=1,
        memory=256 << 20,
        pids=128,
        spec_hash="bench",
        home=HomeInputs(number=1, owner="alice"),
        run_folder=str(settings.paths.run.absolute() / WORKSPACE),
        network=settings.network,
    )


@contextmanager
def cpu_account() -> Iterator[Callable[[], float]]:
    """Put this process in a CPU account of its own; children join it, the engine's do not.

    Needs root and the first version of control groups; gives CPU seconds spent so far.
    """
    group = CPU_ACCOUNTS / f"codehub-bench-{os.getpid()}"
    group.mkdir()
    (group / "cgroup.procs").write_text(str(os.getpid()))
    try:
        yield lambda: int((group / "cpuacct.usage").read_text()) / 1e9
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            (CPU_ACCOUNTS / "cgroup.procs").write_text(pid)
        group.rmdir()
