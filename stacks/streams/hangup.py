"""Ends what an exec left behind: the engine has no call for that.

A terminal that is closed sends SIGHUP to what runs in it; so do we, to the process that the engine
names and its group, from this machine. It is looked at first that the process is in the container:
its number may be another's by now. Where the runner can't see or signal it (in a container of its
own, as another user), the command goes on, as it does with `docker exec`.
"""

import asyncio
import os
import signal
from pathlib import Path

from telemetry.logs import get_logger

_log = get_logger(__name__)


AGAIN = 1.0
"""Seconds after which one that lives is told once more: a shell that was just about to wait for a
key takes note only of the second."""


async def hang_up(pid: int, *, container_id: str) -> bool:
    """Send SIGHUP to the group of a container's process; takes up to `AGAIN` seconds.

    Args:
        pid: Its number on this machine; 0 when it is not known.
        container_id: The whole id of the container that it must be in.

    Returns:
        Whether it was sent.
    """
    if pid <= 0:
        return False
    try:
        held = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not _is_in(pid, container_id):
            return False
        _send(held, pid)
        if not await _ended(held, within=AGAIN):
            _send(held, pid)
    except ProcessLookupError:
        return True
    except OSError as error:
        _log.info("command not hung up", problem=type(error).__name__)
        return False
    finally:
        os.close(held)
    return True


def _is_in(pid: int, container_id: str) -> bool:
    return container_id in Path(f"/proc/{pid}/cgroup").read_text()


async def _ended(held: int, *, within: float) -> bool:
    """Wait for a process's end, in the loop: a thread for each would keep short calls waiting."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(held, ended.set)
    try:
        async with asyncio.timeout(within):
            await ended.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(held)
    return True


def _send(held: int, pid: int) -> None:
    # The descriptor is of the very process that was looked at: while that lives, the number, and
    # that of the group which it leads, is nobody else's.
    leads = os.getpgid(pid) == pid
    signal.pidfd_send_signal(held, 0 if leads else signal.SIGHUP)
    if leads:
        os.killpg(pid, signal.SIGHUP)
        os.killpg(pid, signal.SIGCONT)  # what is stopped hears nothing
