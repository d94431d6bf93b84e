"""The command as a real process, also at a terminal."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "cli")
DEADLINE = 60.0


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child: ours and the checkout's code."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **(more or {})}


def run(*args: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run to the end, without a terminal."""
    return subprocess.run(
        [*COMMAND, *args],
        env=environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


class Terminal:
    """A command at a terminal: what it shows, and typing."""

    def __init__(self, process: "subprocess.Popen[bytes]", fd: int) -> None:
        self.process = process
        self.shown = ""
        self._fd = fd

    def type(self, text: str) -> None:
        """Type."""
        os.write(self._fd, text.encode())

    def wait_for(self, text: str) -> None:
        """Read until the text is shown."""
        deadline = time.monotonic() + DEADLINE
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if not self._read():
                break
        assert text in self.shown

    def end(self) -> int:
        """Read until it ends; its exit code."""
        while self._read():
            pass
        return self.process.wait(DEADLINE)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._fd], [], [], DEADLINE)
        assert ready, self.shown
        try:
            found = os.read(self._fd, 65536)
        except OSError:  # a terminal whose other end is closed
            return False
        self.shown += found.decode(errors="replace")
        return bool(found)


@contextmanager
def terminal(*args: str, env: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Run at a terminal of its own; killed at the end if it still runs."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *args],
        env=environment({"TERM": "xterm", "COLUMNS": "200", **(env or {})}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 (no threads here)
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
