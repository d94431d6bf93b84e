"""Runs Pulumi's command as a child that does not outlive the seat.

It leads a session of its own, as the engine's workers do: there nothing of it is missed when it has
to be ended, and a successor ends what is left of it. So no key of the terminal reaches it, and
signals are passed on.
"""

import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from stacks.engine.processes import die_with_parent, kill_session, record_session
from stacks.errors import NotLeadingError

LOOK = 0.2
"""Seconds between two looks whether the seat is still ours."""

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(
    words: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    record: Path,
    lost: threading.Event,
) -> int:
    """Run a command to its end, and give its exit code; from the main thread only.

    SIGINT, SIGTERM and SIGHUP reach it as SIGINT, by which Pulumi ends after its step; it is waited for.

    Args:
        words: The command.
        cwd: Where it runs.
        env: Its environment.
        record: Where its session is written down for a successor, while it runs.
        lost: Set once the seat is not ours any more.

    Raises:
        NotLeadingError: The seat was lost, and it was ended.
        OSError: It can't be begun.
    """
    with _passing_on() as child:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=env,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, of a library that is loaded
        )
        started = record_session(record, process.pid)
        child.began(process)
        try:
            code = _await(process, lost)
        finally:
            kill_session(process.pid, started=started)
            process.wait()
            record.unlink(missing_ok=True)
    if code is None:
        raise NotLeadingError("the lease was lost, and Pulumi was ended", step="pulumi")
    return code


def _await(process: "subprocess.Popen[bytes]", lost: threading.Event) -> int | None:
    """Give its exit code; None when the seat is lost first."""
    while not lost.is_set():
        with suppress(subprocess.TimeoutExpired):
            return process.wait(LOOK)
    return None


class _Child:
    """Whom signals are passed on to; one that comes before it has begun is kept for it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = False

    def began(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        if self._asked:
            process.send_signal(signal.SIGINT)

    def interrupt(self) -> None:
        self._asked = True
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)


@contextmanager
def _passing_on() -> Iterator[_Child]:
    child = _Child()

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        child.interrupt()

    former = {number: signal.signal(number, pass_on) for number in PASSED_ON}
    try:
        yield child
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
