"""One workspace of a large fleet: brought up beside one that is alone, and followed by a daemon among many."""

import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from benchmarks.fleet import LIGHT_IMAGE, spec_text, write_fleet
from benchmarks.harness import Goal, Result, alternate, repeat
from benchmarks.memory import until_done, write
from settings.load import load
from settings.model import RunnerSettings
from stacks.demand import Demand
from stacks.runner import Runner
from state_index.index import Index
from tests.hub import Hub, hub, wait_for

LARGE_FLEET = 200
ONE_OF_MANY_RATIO = 1.2
ONE_OF_ONE = "change one file, `codehub up`, one workspace in all"

FILES = 1000
REAL = 50
PASS_SECONDS = 1.0
ACT_SECONDS = 1.0
POLL_SECONDS = 0.005


async def one_of_many(pairs: int) -> Result:
    """`codehub up` after one file changed: among many (none of them runs), and alone."""
    numbers = count()
    with ExitStack() as stack:
        alone, many = (stack.enter_context(hub()) for _ in range(2))
        (one,) = write_fleet(alone.workspaces, 1, state="warm")
        write_fleet(many.workspaces, LARGE_FLEET, state="warm")
        for each in (alone, many):
            each.run("up")

        def changed(place: Hub) -> float:
            place.write(one, spec_text(state="warm", note=f"{next(numbers)}"))
            began = time.perf_counter()
            place.run("up")
            return time.perf_counter() - began

        async def floor() -> float:
            return changed(alone)

        async def subject() -> float:
            return changed(many)

        return await alternate(
            f"up of one changed among {LARGE_FLEET}",
            goal=Goal(ratio=ONE_OF_MANY_RATIO),
            floor_command=ONE_OF_ONE,
            floor=floor,
            subject=subject,
            pairs=pairs,
        )


async def among_a_thousand(times: int) -> list[Result]:
    """A daemon's pass with nothing to do, and a change of one file until it is acted upon.

    The others than the real ones name an image that is not there: they are read, planned and
    published like all, and have no container.
    """
    with hub() as place:
        write(place.workspaces, FILES, REAL, wrong=False)
        place.start("run", CODEHUB_LOG_LEVEL="error")
        await until_done(place, files=FILES, real=REAL)
        acted = await repeat(
            f"change of one file among {FILES} until it is acted upon",
            goal=Goal(seconds=ACT_SECONDS),
            subject=_Changes(place).one,
            times=times,
        )
        place.stop("run")
        settings = load(RunnerSettings, env=place.env, cwd=place.root)
        async with Runner(settings, daemon=True) as runner:
            looked = await repeat(
                f"no-op pass over {FILES} files ({REAL} real)",
                goal=Goal(seconds=PASS_SECONDS),
                subject=_Passes(runner).one,
                times=times,
            )
    return [looked, acted]


class _Changes:
    """Changes the first real workspace's file, each time to another text."""

    def __init__(self, place: Hub) -> None:
        self._place = place
        self._index = Index.open(f"sqlite:///{place.root / 'data' / 'index.db'}")
        self._numbers = count()
        self._id = "bench-0000"

    async def one(self) -> float:
        before = self._hash()
        note = f"change {next(self._numbers)}"
        file = self._place.workspaces / f"{self._id}.yaml"
        began = time.perf_counter()
        _replace(file, spec_text(image=LIGHT_IMAGE, note=note))
        wait_for(lambda: self._hash() != before, "acted upon", every=POLL_SECONDS)
        seconds = time.perf_counter() - began
        wait_for(self._is_settled, "RUNNING again", every=POLL_SECONDS)
        return seconds

    def _hash(self) -> str:
        row = self._index.workspace(self._id)
        assert row is not None
        return row.desired_hash

    def _is_settled(self) -> bool:
        row = self._index.workspace(self._id)
        return row is not None and row.phase == "RUNNING" and row.applied_hash == row.desired_hash


def _replace(file: Path, text: str) -> None:
    """Write as git does: the name gets another file."""
    fresh = file.with_suffix(".part")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


class _Passes:
    """The daemon's look at all of its files; nothing may come of it."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def one(self) -> float:
        began = time.perf_counter()
        await self._runner.read()
        _, waiting = await self._runner.queue.dispatch(Demand(cause="bench"))
        seconds = time.perf_counter() - began
        assert not waiting, "there was something to do"
        return seconds
