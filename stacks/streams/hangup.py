"""Ends what an exec left behind: the engine has no call for that.

A terminal that is closed sends SIGHUP to what runs in it; so do we, to the process that the engine
names and its group, from this machine. It is looked at first that the process is in the container:
its number may be another's by now. Where the runner can't see or signal it (in a container of its
own, as another user), the command goes on, as it does with `docker exec`.
"""

import os
import signal
from pathlib import Path

from telemetry.logs import get_logger

_log = get_logger(__name__)


def hang_up(pid: int, *, container_id: str) -> bool:
    """Send SIGHUP to the group of a container's process.

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
        if container_id not in Path(f"/proc/{pid}/cgroup").read_text():
            return False
        # By the descriptor, which is of the very process that was looked at ...
        signal.pidfd_send_signal(held, signal.SIGHUP)
        # ... and then its children: while its parent has not taken leave of it, the number is its.
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGHUP)
    except OSError as error:
        _log.info("command not hung up", problem=type(error).__name__)
        return False
    finally:
        os.close(held)
    return True
