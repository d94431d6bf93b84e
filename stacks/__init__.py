"""The runner: folder of workspace files → plan → Pulumi and the container engine → index.

`open_runner` is the door for the CLI: the runner itself, or the daemon's socket when one runs.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from settings.model import RunnerSettings
    from stacks.operator import Operator


@asynccontextmanager
async def open_runner(
    settings: RunnerSettings, *, exclusive: bool = True
) -> AsyncIterator[Operator]:
    """Give whatever can do operations on this data tree.

    Args:
        settings: The settings.
        exclusive: False for logs and exec only, which need no lock.

    Yields:
        A client when a daemon runs, else a runner of its own, under the lock if `exclusive`.

    Raises:
        LockHeldError: A command holds the lock; it says who.
        RunnerUnreachableError: A daemon holds the lock but does not answer.
    """
    # Here, because engine workers import this package too and must begin fast.
    from stacks import transport  # noqa: PLC0415
    from stacks.address import engine_address  # noqa: PLC0415
    from stacks.lock import RunnerLock, read_holder  # noqa: PLC0415

    transport.load(engine_address(settings.docker_host))
    daemon = read_holder(settings.paths.runner_lock).daemon
    if daemon and RunnerLock(settings.paths.runner_lock).is_held():
        from stacks.client import RunnerClient  # noqa: PLC0415

        async with RunnerClient(settings.paths.runner_sock) as client:
            yield client
    else:
        from stacks.runner import Runner  # noqa: PLC0415

        async with Runner(settings, exclusive=exclusive) as runner:
            yield runner
