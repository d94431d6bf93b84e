"""Workers for operations, one of them ahead with its CLI started: see `stacks.engine.held`."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from stacks.engine import salt
from stacks.engine.launcher import ForkServer, Worker
from stacks.engine.model import EngineConfig
from stacks.engine.wire import encode, hold
from stacks.errors import OperationKilledError, ToolchainError

LONGEST_LINE = 16 << 20
QUIET_SECONDS = 1.0
"""After the last operation: what is made ahead takes nothing from what is at work."""


class Workers:
    """Gives each operation its worker, and keeps one ahead where that is asked for.

    Attributes:
        ahead: Whether it does; no longer, once it was seen that the CLI does not wait.
    """

    def __init__(self, config: EngineConfig) -> None:
        """Take note of where things are."""
        self._config = config
        self._forks = ForkServer()
        self._at_work = 0
        self.ahead = config.ahead
        self._spare: Worker | None = None
        self._forking = asyncio.Lock()
        self._making: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process that workers are forked from.

        Raises:
            ToolchainError: It ended instead, or was not ready in time.
        """
        await self._forks.start()
        self._prepare()

    async def stop(self) -> None:
        """End that process and the worker ahead; others end when their operations do."""
        self.ahead = False
        await self._cease()
        _close(self._spare)
        self._spare = None
        await self._forks.stop()

    @contextlib.asynccontextmanager
    async def worker(self) -> AsyncIterator[Worker]:
        """Give a worker that waits for its request, for as long as the block runs.

        Raises:
            ToolchainError: None can be forked.
            OperationKilledError: What they are forked from died just now.
        """
        self._at_work += 1
        worker = None
        try:
            worker = await self._take()
            yield worker
        finally:
            _close(worker)
            self._at_work -= 1
            self._prepare()

    async def _take(self) -> Worker:
        await self._cease()
        spare, self._spare = self._spare, None
        if spare is not None and not spare.reader.at_eof():
            return spare
        _close(spare)
        return await self._forks.worker(limit=LONGEST_LINE)

    def _prepare(self) -> None:
        """Have one made ahead, once nothing is at work."""
        if self.ahead and not self._at_work and self._making is None:
            self._making = asyncio.create_task(self._make())

    async def _cease(self) -> None:
        task, self._making = self._making, None
        if task is not None:
            async with self._forking:  # what is cut off there costs a new fork server
                task.cancel()
            await asyncio.wait({task})

    async def _make(self) -> None:
        await asyncio.sleep(QUIET_SECONDS)
        # What is wrong here is told by the next operation, which does without.
        with contextlib.suppress(ToolchainError, OperationKilledError, OSError):
            async with self._forking:
                worker = await self._forks.worker(limit=LONGEST_LINE)
                self._spare = worker
                key = await asyncio.to_thread(salt.shared, self._config.work)
                worker.writer.write(encode(hold(self._config, salt=key)))
            # An operation that comes meanwhile takes it as it is.
            if not await _is_held(worker):
                self.ahead = False
                _close(self._spare)
                self._spare = None


async def _is_held(worker: Worker) -> bool:
    """Whether its CLI is one that waits; a worker that died may have one."""
    line = await worker.reader.readline()
    return bool(json.loads(line)["held"]) if line else True


def _close(worker: Worker | None) -> None:
    if worker is not None:
        worker.writer.close()
