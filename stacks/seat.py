"""The seat of the runner that leads: waited for, kept by a heartbeat, lost or given back.

Whoever sits in it may act on one data tree and its index. It decides when to try and when to give
up; how one try is made stands in `stacks.claim`, and what a runner does in its seat elsewhere.
"""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from settings.model import RunnerSettings
from stacks.board import translated
from stacks.claim import Claim, Tried
from stacks.engine.processes import end_all_recorded
from stacks.errors import LockHeldError
from stacks.fence import Fence
from state_index.errors import IndexReplacedError, IndexUnavailableError, LeaseLostError
from state_index.index import Index
from state_index.lease import Row
from telemetry.logs import get_logger

LOOKS = 20
"""Looks at the lease within its timeout, by who waits for it."""

LONGEST_LOOK = 0.5
"""Seconds between two looks at most."""

PATIENCE = 3
"""Timeouts of the lease after which a command gives up: one is enough for any runner that died."""

BEATS = 5
"""Heartbeats within the lease's timeout."""

MISSED_PAUSE = 0.25
"""Seconds after which a heartbeat is tried again that could not be written."""

ELSEWHERE = 1.0
"""Seconds that operations of a runner elsewhere get to end, beyond the end of its lease.

They end themselves by the same clock as its lease; this is what killing them may take."""

_log = get_logger(__name__)


class Seat:
    """One runner's seat. Use it as ``async with Seat(settings, daemon=...)``; leaving gives it back."""

    def __init__(self, settings: RunnerSettings, *, daemon: bool) -> None:
        """Prepare; `take` or `wait` gets it.

        Args:
            settings: The settings.
            daemon: Whether who sits in it serves the runner's socket.
        """
        self.fence = Fence()
        """What is asked before anything is done outside of the index."""
        self.lost = asyncio.Event()
        """Set when somebody else may have it."""
        self._settings = settings
        self._claim = Claim(settings, daemon=daemon)
        self._look_every = min(LONGEST_LOOK, settings.lease_timeout / LOOKS)
        self._beat_every = settings.lease_timeout / BEATS
        # A thread of its own: whatever fills those that all share must not stop the heart.
        self._heart = ThreadPoolExecutor(1, thread_name_prefix="heartbeat")
        self._group = asyncio.TaskGroup()
        self._beating: asyncio.Task[None] | None = None
        self._index: Index | None = None

    @property
    def index(self) -> Index:
        """The index, which takes what is written as long as the seat is ours."""
        assert self._index is not None, "the seat was taken"
        return self._index

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.fence.close()
        if self._beating is not None:
            self._beating.cancel()
        try:
            # Left without the body's error: a group would wrap it into one of its own.
            await self._group.__aexit__(None, None, None)
        finally:
            self._heart.shutdown(wait=False, cancel_futures=True)
            await asyncio.to_thread(self._claim.release)

    async def take(self) -> None:
        """Get the seat if nobody lives who has it; who may be dead is waited for.

        Raises:
            LockHeldError: Somebody lives who has it.
            SourceError: There is no data tree yet, and no folder of workspace files either.
            DataFolderError: The data tree can't be used.
            PublishFailedError: The index can't be.
        """
        first: Row | None = None
        loop = asyncio.get_running_loop()
        patience = loop.time() + PATIENCE * self._settings.lease_timeout
        while True:
            with translated():
                tried = await asyncio.to_thread(self._claim.attempt)
            if tried.grant is not None:
                await self._sit(tried)
                return
            first = first or tried.row
            if tried.locked:
                raise LockHeldError(f"another runner works on this data tree: {tried.leader}")
            if tried.row != first:
                raise LockHeldError(f"another runner leads on this index: {tried.leader}")
            if loop.time() > patience:
                raise LockHeldError("the data tree's lock is held by something that is no runner")
            await asyncio.sleep(self._look_every)

    async def wait(self, stop: asyncio.Event, *, patient: bool = False) -> bool:
        """Stand by until the seat is ours (True), or an event tells to stop (False).

        Args:
            stop: Ends it when set.
            patient: Whether an index that can't be used is waited for from the beginning.

        Raises:
            SourceError: As `take`, at the first try; later the reason is logged, and tried again.
            DataFolderError: As `take`.
            PublishFailedError: As `take`, at the first try.
        """
        leader: str | None = None
        while not stop.is_set():
            tried = await self._attempt(patient=patient)
            if tried is not None and tried.grant is not None:
                await self._sit(tried)
                return True
            if tried is not None and tried.leader != leader:
                leader = tried.leader
                _log.info("standing by", leader=leader)
            patient = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_every):
                    await stop.wait()
        return False

    async def _attempt(self, *, patient: bool) -> Tried | None:
        try:
            return await asyncio.to_thread(self._claim.attempt)
        except IndexUnavailableError as error:
            if not patient and not error.retryable:
                with translated():
                    raise
            _log.warning("the lease can't be looked at", message=str(error))
            return None

    async def _sit(self, tried: Tried) -> None:
        """Begin: the heart beats, and what a former leader left running is ended."""
        assert tried.grant is not None, "only a granted seat is taken"
        self._index = self._claim.index.under(tried.grant)
        self.fence.extend(self._claim.until)
        self._beating = self._group.create_task(self._beat())
        if not tried.proven:
            _log.info("waiting for what a runner elsewhere may have under way", seconds=ELSEWHERE)
            await asyncio.sleep(ELSEWHERE)
        killed = await asyncio.to_thread(end_all_recorded, self._settings.paths.work)
        if killed:
            _log.warning("ended what a former runner left running", processes=killed)
        _log.info("leading", lease=tried.grant.token)

    async def _beat(self) -> None:
        loop, pause = asyncio.get_running_loop(), self._beat_every
        while self.fence.is_open:
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(self._settings.lease_timeout):
                    await loop.run_in_executor(self._heart, self._claim.renew)
                pause = self._beat_every
            except (LeaseLostError, IndexReplacedError) as error:
                self._lose(str(error))
                return
            except (IndexUnavailableError, TimeoutError) as error:
                if pause == self._beat_every:
                    _log.warning("no heartbeat of the lease", message=str(error))
                # Whoever keeps the index busy may let go of it for a moment only.
                pause = min(pause, MISSED_PAUSE)
            self.fence.extend(self._claim.until)
        self._lose("its heartbeat could not be written in time")

    def _lose(self, reason: str) -> None:
        self.fence.close()
        self.lost.set()
        _log.warning("the lease is lost, nothing more is done", reason=reason)
