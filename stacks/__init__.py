"""The runner: folder of workspace files → plan → Pulumi and the container engine → index.

`open_runner` is the door for the CLI: the runner itself, or the daemon's socket when one runs.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from settings.model import RunnerSettings
    from stacks.runner import Operator


@asynccontextmanager
async def open_runner(
    settings: RunnerSettings, *, exclusive: bool = True
) -> AsyncIterator[Operator]:
    """Give whatever can do operations on this data tree.

    Args:
        settings: The settings.
        exclusive: False for reading logs only, which needs no lock.

    Yields:
        A runner of its own under the lock, or a client when a daemon holds it.

    Raises:
        LockHeldError: A command holds the lock; it says who.
        RunnerUnreachableError: A daemon holds the lock but does not answer.
    """
    # Here, because engine workers import this package too and must begin fast.
    from stacks.client import RunnerClient  # noqa: PLC0415
    from stacks.errors import LockHeldError  # noqa: PLC0415
    from stacks.lock import read_holder  # noqa: PLC0415
    from stacks.runner import Runner  # noqa: PLC0415

    runner = Runner(settings, exclusive=exclusive)
    try:
        await runner.__aenter__()
    except LockHeldError:
        if not read_holder(settings.paths.runner_lock).daemon:
            raise
    else:
        try:
            yield runner
        finally:
            await runner.__aexit__(None, None, None)
        return
    async with RunnerClient(settings.paths.runner_sock) as client:
        yield client
