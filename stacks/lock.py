"""One exclusive lock per data tree, so that one runner at a time acts.

The kernel drops a `flock` when its holder dies, so nothing has to be cleaned up. The file holds who
took it, for the message that a second taker gets; it is never removed, because a removed lock file
lets two takers hold two files of one name. What it says of a holder that died lets the next one
take the lease over at once, and end what stands still; see `stacks.claim`.
"""

import fcntl
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from stacks.engine.processes import boot_id, namespace, read_process
from stacks.errors import LockHeldError

MAX_HOLDER_BYTES = 4096
"""Most of the lock file that is read back; a command line is cut to fit."""

MAX_COMMAND = 512

ASKED_SECONDS = 0.1
"""How long the lock may look taken because somebody asks whether it is."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds the lock.

    Attributes:
        pid: Process id, 0 when it could not be read.
        command: Its command line, cut to a readable length.
        since: When it took the lock, ISO 8601 in UTC.
        daemon: Whether it serves the runner's socket, so that operations can be handed to it.
        lease: Its name in the index's lease, "" without one.
        started: When its process began, as in `stacks.engine.processes.Process`.
        boot: The boot of the machine that pid and start belong to.
        namespace: Where its pid means it, on that machine.
    """

    pid: int = 0
    command: str = "unknown"
    since: str = ""
    daemon: bool = False
    lease: str = ""
    started: int = 0
    boot: str = ""
    namespace: str = ""

    def __str__(self) -> str:
        since = f", since {self.since}" if self.since else ""
        return f"pid {self.pid} ({self.command}){since}"


class RunnerLock:
    """The exclusive right to act on one data tree. Held until released or until the process ends."""

    def __init__(self, path: Path, *, daemon: bool = False) -> None:
        self._path = path
        self._daemon = daemon
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock at once and say so in it, or raise.

        Raises:
            LockHeldError: Another process (or another lock of this one) holds it.
        """
        if not self.take():
            raise self.refusal()
        self.sign()

    def take(self) -> bool:
        """Take the lock at once, if it is free; the file says what the last holder said."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        if not _locked(fd):
            os.close(fd)
            return False
        self._fd = fd
        return True

    def sign(self, lease: str = "") -> None:
        """Say in the file that we hold it, and under which name in the lease."""
        assert self._fd is not None, "the lock is held"
        _write(self._fd, _myself(daemon=self._daemon, lease=lease))

    def refusal(self) -> LockHeldError:
        """Give the error that says who holds it."""
        return LockHeldError(f"another runner works on this data tree: {self.holder()}")

    def holder(self) -> Holder:
        """Tell who holds it, or did when it died."""
        return read_holder(self._path)

    def is_held(self) -> bool:
        """Tell whether another one holds it now; nothing is written, also where that is impossible."""
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def release(self, *, forget: bool = True) -> None:
        """Give the lock back; without effect when it is not held.

        Args:
            forget: Whether the file shall name nobody; else the next holder reads what it says.
        """
        if self._fd is not None:
            if forget:
                os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _locked(fd: int) -> bool:
    """Take the lock; somebody who only asks (`is_held`) has it for a moment and is waited for."""
    deadline = time.monotonic() + ASKED_SECONDS
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(ASKED_SECONDS / 10)
        else:
            return True


def read_holder(path: Path) -> Holder:
    """Tell who holds the lock, as far as its file says."""
    try:
        with path.open("rb") as file:
            return Holder(**json.loads(file.read(MAX_HOLDER_BYTES)))
    except (OSError, ValueError, TypeError):
        return Holder()


def _myself(*, daemon: bool, lease: str) -> Holder:
    command = " ".join([_name(Path(sys.argv[0])), *sys.argv[1:]])[:MAX_COMMAND]
    since = datetime.now(UTC).isoformat(timespec="seconds")
    process = read_process(os.getpid())
    return Holder(
        pid=os.getpid(),
        command=command,
        since=since,
        daemon=daemon,
        lease=lease,
        started=process.started if process else 0,
        boot=boot_id(),
        namespace=namespace(),
    )


def _name(program: Path) -> str:
    """Give a program's name as a person types it; ``python -m cli`` is `codehub` too."""
    if program.name != "__main__.py":
        return program.name
    return "codehub" if program.parent.name == "cli" else f"python -m {program.parent.name}"


def _write(fd: int, holder: Holder) -> None:
    # One write after the truncation: a reader in between sees an empty file, never half a holder.
    os.ftruncate(fd, 0)
    os.pwrite(fd, json.dumps(asdict(holder)).encode(), 0)
