"""Runners that lead, stand by, are stopped and go on: what the tests of the lease share."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stacks.engine.processes import read_process, session_members
from state_index.database import Database
from state_index.errors import IndexBusyError
from state_index.index import Index
from state_index.models import RunnerInfo
from tests.stacks.house import DAEMON, House
from tests.stacks.integration.kills import find_cli
from tests.waiting import until

Process = asyncio.subprocess.Process

SHORT = "2s"
"""The lease's timeout in most of these tests: the shortest that the settings take."""

TAKEOVER = 15.0
"""Seconds within which a successor must lead when the leader was killed, with the default timeout."""

ELSEWHERE = """
import os
from pathlib import Path
from settings.paths import DataPaths
from stacks.engine import processes

for name in ("runner_lock", "runner_sock", "nudge"):
    setattr(DataPaths, name, property(lambda self, name=name: self.root / "elsewhere" / name))
(Path(os.environ["CODEHUB_DATA"]) / "elsewhere").mkdir(mode=0o700, parents=True, exist_ok=True)
processes.BOOT_ID = Path(os.environ["TEST_BOOT_ID"])
"""
"""Another machine, as far as its runner and others can tell: locks and sockets reach no further."""

UNFENCED = """
import asyncio, math
from settings.load import load
from settings.model import RunnerSettings
from stacks.daemon import Daemon
from stacks.fence import Fence
from stacks.runner import Runner
from stacks.seat import Seat
from telemetry.logs import configure

class Open(Fence):
    until = math.inf
    is_open = True
    def close(self):
        pass
    def extend(self, until):
        pass

class Unfenced(Seat):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.fence = Open()
    @property
    def index(self):
        return self._claim.index
    def _lose(self, reason):
        print("it would have lost the lease:", reason, flush=True)

async def main():
    settings = load(RunnerSettings)
    async with Unfenced(settings, daemon=True) as seat:
        await seat.take()
        async with Runner(settings, daemon=True, seat=seat) as runner:
            await Daemon(runner).run()

configure("debug")
asyncio.run(main())
"""
"""A runner without the fence: the control, which shows that the tests would see it act."""


def elsewhere(script: str = DAEMON) -> str:
    """Give a script as it runs on another machine."""
    return ELSEWHERE + script


def with_neighbour(house: House) -> House:
    """Give the same surroundings, in which runners may run `elsewhere` too."""
    house.settings.paths.make()
    boot = house.root / "boot_id"
    boot.write_text("elsewhere\n")
    return replace(house, extra=house.extra | {"TEST_BOOT_ID": str(boot)})


def stop(process: Process) -> None:
    """Stop a runner; what it started goes on."""
    process.send_signal(signal.SIGSTOP)


async def stopped(process: Process) -> None:
    """Stop a runner and wait until it stands."""
    stop(process)
    await until(lambda: state_of(process.pid) == "T", "the runner to stand still")


async def stopped_between_writes(house: House, process: Process) -> None:
    """Stop a runner where it keeps nobody else from writing.

    Within a write it would keep SQLite's lock, and with it the lead: what happens then is proven
    elsewhere (`test_a_leader_that_stands_still_within_a_transaction`).
    """
    await stopped(process)
    while not await asyncio.to_thread(_takes_writes, house):
        process.send_signal(signal.SIGCONT)
        await until(lambda: state_of(process.pid) != "T", "the runner to go on")
        await stopped(process)


def _takes_writes(house: House) -> bool:
    database = Database(house.settings.index_url, busy_timeout=0.1)
    try:
        with database.write():
            return True
    except IndexBusyError:
        return False
    finally:
        database.close()


def state_of(pid: int) -> str:
    found = read_process(pid)
    return found.state if found else ""


async def leads(house: House, process: Process, *, within: float = 60.0) -> None:
    """Wait until the index says that a process leads."""

    async def announced() -> bool:
        info = await asyncio.to_thread(_runner, house)
        return info is not None and info.pid == process.pid

    await until(announced, f"pid {process.pid} to lead", within=within)


def _runner(house: House) -> RunnerInfo | None:
    with Index.open(house.settings.index_url) as index:
        return index.runner()


async def says(house: House, text: str, *, name: str = "daemon", times: int = 1) -> None:
    """Wait until a runner's log has a text, so many times."""
    try:
        await until(lambda: house.log(name).count(text) >= times)
    except TimeoutError as late:
        late.add_note(f"the log of {name} lacks {text!r}: {house.log(name)[-2000:]}")
        raise


@asynccontextmanager
async def usurped(house: House) -> AsyncIterator[None]:
    """Hold the lease as a successor that does nothing; leaving the block gives it back."""
    settings = house.settings
    with Index.open(settings.index_url) as index:
        lease = index.lease("usurper", timeout=settings.lease_timeout)
        await until(lambda: asyncio.to_thread(lease.acquire), "the leader's time to be over")
        ended = asyncio.Event()

        async def beat() -> None:
            while not ended.is_set():
                await asyncio.to_thread(lease.renew)
                await asyncio.wait({waiting}, timeout=settings.lease_timeout / 10)

        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(ended.wait())
            group.create_task(beat())
            try:
                yield
            finally:
                ended.set()
        lease.release()


@dataclass(frozen=True)
class Image:
    """All that a runner could have changed."""

    rows: Any
    histories: Any
    intents: Any
    engine: Any


async def image(house: House, *ids: str, intent: str = "") -> Image:
    """Take down what there is: rows, histories, an intent, and what the engine has."""

    def read() -> tuple[Any, Any, Any]:
        with Index.open(house.settings.index_url) as index:
            histories = [index.history(id_) for id_ in ids]
            return index.workspaces(), histories, index.intent(intent) if intent else None

    rows, histories, asked = await asyncio.to_thread(read)
    things = {"containers": sorted(await house.containers()), "volumes": await house.volumes()}
    for id_ in await house.containers():
        found = await house.inspect(id_)
        things[id_] = (found["Id"], found["State"])
    return Image(rows, histories, asked, things)


async def still_image(house: House, *ids: str, intent: str = "") -> Image:
    """Give an image once nothing moves: an engine may finish what it was asked for before."""
    last = await image(house, *ids, intent=intent)
    while last != (newer := await image(house, *ids, intent=intent)):
        last = newer
    return last


async def at_work(house: House, stack: str) -> int:
    """Wait until an operation runs on a stack; gives its session."""
    sessions: list[int] = []

    def running() -> bool:
        cli = find_cli(stack, house.settings.paths.work.resolve())
        with suppress(ProcessLookupError):
            sessions.extend([os.getsid(cli)] if cli else [])
        return bool(sessions)

    await until(running, f"an operation on {stack}")
    return sessions[0]


def is_over(session: int) -> bool:
    """Whether nothing is left of an operation."""
    return not session_members(session)


def beside(path: Path) -> tuple[Path, ...]:
    """Give an SQLite file with those that belong to it."""
    return tuple(sorted(path.parent.glob(f"{path.name}*")))
