"""`codehub run`: follows the folder, takes intents, publishes, serves its API, until told to end.

Where another runner leads it stands by, and does so again when its own lead is lost. It ends within
10 seconds of SIGTERM or SIGINT; workspaces keep running. What was under way is taken up by the next
runner from what is there.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from settings.model import RunnerSettings
from stacks import api, whole  # noqa: F401 - loads what is lazy
from stacks.address import engine_address
from stacks.demand import Demand
from stacks.drift_watch import DriftWatch
from stacks.engine_events import EngineEvents
from stacks.errors import NotLeadingError, StacksError, TemporaryError
from stacks.fence import Fence
from stacks.git.commits import at_commit
from stacks.intents import Intents
from stacks.pulls import open as pulls
from stacks.runner import Runner
from stacks.seat import Seat
from stacks.signals import setting
from state_index.models import RunnerInfo
from state_index.nudge import listen
from telemetry.logs import get_logger

LISTENER = "runner"
"""Name under which gateways nudge the runner."""

BEAT = 2.0
"""Seconds between two heartbeats."""

_log = get_logger(__name__)


class Daemon:
    """Keeps a runner running, as long as it leads."""

    def __init__(
        self, runner: Runner, *, stop: asyncio.Event | None = None, fence: Fence | None = None
    ) -> None:
        """Prepare.

        Args:
            runner: An entered runner, made with ``daemon=True``.
            stop: Ends it when set; None: only `stop` does.
            fence: Says whether it leads; without it nobody is sent notices.
        """
        self._runner = runner
        self._settings = runner.settings
        self._stop = stop or asyncio.Event()
        self._fence = fence or Fence()
        self._looked = asyncio.Event()
        self._sweeping = asyncio.Lock()

    async def run(self) -> None:
        """Work until it is told to stop, or its runner does not lead any more.

        Raises:
            StacksError: What it needs to begin with failed.
        """
        await self._runner.board.reopen()
        await self._runner.desk.reopen()
        await self._end_left()
        info = runner_info(str(self._settings.paths.runner_sock.name))
        async with (
            listen(self._settings.paths.nudge, LISTENER) as nudged,
            api.serving(self._settings.paths.runner_sock, self._runner, _status(info)),
            self._engine_events() as events,
            _cancelled_at_end() as group,
        ):
            await self._runner.board.announce(info)
            _log.info(
                "running",
                source=self._settings.repo or str(self._settings.workspaces),
                pid=info.pid,
            )
            group.create_task(self._beat())
            group.create_task(self._follow())
            group.create_task(self._open())
            group.create_task(self._runner.source.keep())
            group.create_task(self._runner.commits.keep(self._runner.queue))
            group.create_task(self._runner.guard.keep(self._settings.poll_interval))
            group.create_task(self._runner.upkeep.keep(self._settings.upkeep_interval))
            group.create_task(self._take_intents(nudged, group))
            group.create_task(self._runner.desk.keep(self._settings.paths.nudge))
            group.create_task(self._watch(events))
            group.create_task(self._tell())
            group.create_task(self._review())
            await self._until_over()
            _log.info("ending")

    async def _end_left(self) -> None:
        try:
            await self._runner.streams.end_left()
        except StacksError as error:
            _log.warning("commands of a former runner not looked for", message=error.message)

    def stop(self) -> None:
        """End it, as a signal does."""
        self._stop.set()

    async def _until_over(self) -> None:
        async with _cancelled_at_end() as group:
            ends = [group.create_task(it.wait()) for it in (self._stop, self._runner.lost)]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)

    async def _follow(self) -> None:
        """Sweep at once, and whenever the folder or the engine may have changed."""
        await self._sweep(Demand(cause="the runner started", force=True, explained=True))
        self._looked.set()
        async for _ in self._runner.source.changes():
            await self._sweep(Demand(cause="the files or the engine changed", explained=True))

    async def _open(self) -> None:
        """Sweep as soon as a sync window opens for something that waits."""
        while True:
            await self._runner.queue.opening.wait()
            await self._sweep(Demand(cause="a sync window opened", explained=True))

    async def _watch(self, events: EngineEvents) -> None:
        await self._looked.wait()  # before, nothing is known that could differ
        every = self._settings.poll_interval
        await DriftWatch(self._runner.queue, events=events, every=every).run()

    def _engine_events(self) -> EngineEvents:
        host = engine_address(self._settings.docker_host)
        return EngineEvents(host=host, name_prefix=self._settings.name_prefix)

    async def _tell(self) -> None:
        if not self._settings.notifies:
            return
        from stacks.notices.sinks import notifier  # noqa: PLC0415 - brings an HTTP client

        await self._looked.wait()  # before, what failed long ago may be tried again at once
        board = self._runner.board
        extra = pulls.wanted(board) if self._settings.bound != "off" else None
        await notifier(self._settings, board, self._fence, extra=extra).run()

    async def _review(self) -> None:
        if not self._settings.reviewed:
            return
        await self._looked.wait()  # before, nothing is known that could be told

        async def sweep(cause: str) -> None:
            await self._sweep(Demand(cause=cause, explained=True))

        await pulls.watcher(self._runner, sweep).run()

    async def _sweep(self, demand: Demand) -> None:
        async with self._sweeping:
            await self._swept(demand)

    async def _swept(self, demand: Demand) -> None:
        runner = self._runner
        try:
            snapshot = await runner.source.glance()
            if snapshot.error and snapshot.error != runner.queue.snapshot.error:
                _log.warning("nothing is removed by this reading", problem=snapshot.error)
            runner.queue.snapshot = snapshot
            await runner.endings.stand(snapshot)
            await runner.commits.begun(snapshot)
            watched = await runner.clock.tick(complete=snapshot.complete)
            ends = watched if self._settings.expire_homes else None
            told = f"{demand.cause}{at_commit(snapshot)}"
            wanted = replace(demand, cause=told, prune=self._settings.prunes, watched=ends)
            await runner.queue.dispatch(wanted)
            runner.commits.dispatched(snapshot)
            await runner.clock.correct((await runner.board.rows()).values(), watched)
        except TemporaryError as error:
            _log.warning("sweep failed", reason=error.reason, message=error.message)

    async def _take_intents(self, nudged: asyncio.Event, group: asyncio.TaskGroup) -> None:
        await self._looked.wait()  # before, every file would seem to be gone
        await Intents(self._runner.board, self._runner.queue.submit, group).keep(nudged)

    async def _beat(self) -> None:
        while True:
            try:
                await self._runner.board.beat()
            except StacksError as error:
                _log.warning("no heartbeat", message=error.message)
            await asyncio.sleep(BEAT)


def runner_info(socket_name: str) -> RunnerInfo:
    """Tell who runs: this process."""
    try:
        ours = version("codehub")
    except PackageNotFoundError:
        ours = "source"
    return RunnerInfo(
        address=f"unix:{socket_name}", pid=os.getpid(), version=ours, started_at=datetime.now(UTC)
    )


def _status(info: RunnerInfo) -> dict[str, Any]:
    return {"pid": info.pid, "version": info.version, "started_at": info.started_at.isoformat()}


class _Ended(Exception):  # noqa: N818 - no error: ends a group
    pass


def _end() -> None:
    raise _Ended


@asynccontextmanager
async def _cancelled_at_end() -> AsyncIterator[asyncio.TaskGroup]:
    """Give a task group whose tasks are cancelled when the block ends."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
            _end()
    except* _Ended:
        pass


async def run(settings: RunnerSettings) -> None:
    """Lead when nobody else does, stand by when somebody does, until a signal comes.

    Raises:
        StacksError: What it needs to begin with failed.
        DataFolderError: The data tree can't be used.
    """
    stop, has_led = asyncio.Event(), False
    with setting(stop):
        while not stop.is_set():
            async with Seat(settings, daemon=True) as seat:
                if await seat.wait(stop, patient=has_led):
                    has_led = True
                    await _lead(settings, seat, stop)


async def _lead(settings: RunnerSettings, seat: Seat, stop: asyncio.Event) -> None:
    try:
        async with Runner(settings, daemon=True, seat=seat) as runner:
            await Daemon(runner, stop=stop, fence=seat.fence).run()
    except* NotLeadingError as errors:
        _log.warning("not leading any more", message=str(errors.exceptions[0]))
