"""Finding and ending the processes of an operation.

Pulumi starts its plugins in process groups of their own, so killing a group misses them. The
worker is the leader of a session, which nobody below leaves: a session is what is ended here.
"""

import contextlib
import ctypes
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
GONE_WITHIN_SECONDS = 5.0
SESSION_SUFFIX = ".session"
PR_SET_PDEATHSIG = 1
MOST_DESCRIPTORS = 1024
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, kw_only=True)
class Process:
    """One line of the process table.

    Attributes:
        pid: Its id.
        parent: Id of its parent.
        session: Id of its session's leader.
        state: Letter of its state; ``Z`` is dead but not yet reaped.
        started: Clock ticks between boot and its start; tells a reused id.
    """

    pid: int
    parent: int
    session: int
    state: str
    started: int


@dataclass(frozen=True, kw_only=True)
class SessionRecord:
    """What a later runner needs to end the session of one that died.

    Attributes:
        pid: Leader of the session.
        started: As in `Process`.
        boot: Id of the boot that both belong to.
    """

    pid: int
    started: int
    boot: str


def die_with_parent() -> None:
    """Have the kernel end this process when the thread that forked it is gone."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Forked:
    """A forked process that gets orders by one pipe and prints to another.

    To be made while this process has one thread. It keeps nothing else open of what its parent has:
    sockets whose end somebody waits to see.

    Attributes:
        orders: Where orders are written; whoever does so may find that it was killed (BrokenPipeError).
        output: Where its standard output is read.
    """

    def __init__(self, main: Callable[[int], None], *, errors: int = 2) -> None:
        """Fork.

        Args:
            main: What it does, given where its orders are read; it ends with that.
            errors: Its standard error.
        """
        orders, self.orders = os.pipe()
        self.output, output = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            try:
                die_with_parent()
                _keep_only(orders, output=output, errors=errors)
                main(orders)
            finally:
                os._exit(1)
        os.close(orders)
        os.close(output)

    def end(self) -> None:
        """End it: it holds nothing that needs care."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self.orders)


def _keep_only(descriptor: int, *, output: int, errors: int) -> None:
    """Close all but one descriptor, standard output and standard error; standard input is empty."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(errors, 2)
    os.dup2(output, 1)
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, MOST_DESCRIPTORS)


def boot_id() -> str:
    """Give the id of this boot of the machine: pids and starts mean something within it only."""
    return BOOT_ID.read_text().strip()


def namespace() -> str:
    """Give the id of the namespace that our pids are of; containers have one each."""
    return str(Path("/proc/self/ns/pid").readlink())


def read_process(pid: int) -> Process | None:
    """Read one process, or None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before may hold anything
    return Process(
        pid=pid,
        state=fields[0],
        parent=int(fields[1]),
        session=int(fields[3]),
        started=int(fields[19]),
    )


def session_members(session: int, *, started: int = 0) -> list[Process]:
    """List the living processes of a session that began not before `started`."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    found = (process for pid in pids if (process := read_process(pid)))
    return [
        process
        for process in found
        if process.session == session and process.started >= started and process.state != "Z"
    ]


def kill_session(session: int, *, started: int = 0, spare: int = 0) -> int:
    """Kill a session's processes until none is left, for a fork may slip through one pass.

    Args:
        session: Its leader's id.
        started: Processes that began before this are another's, of a reused id.
        spare: One process that is left alive (the caller).

    Returns:
        How many processes were killed.
    """
    killed: set[int] = set()
    deadline = time.monotonic() + GONE_WITHIN_SECONDS
    while time.monotonic() < deadline:
        members = [item for item in session_members(session, started=started) if item.pid != spare]
        if not members:
            break
        for process in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            killed.add(process.pid)
        time.sleep(0.002)
    return len(killed)


def record_session(path: Path, pid: int) -> int:
    """Write down a running session for `end_recorded`; gives the leader's start."""
    process = read_process(pid)
    if process is None:  # it ended before it was asked for anything
        return 0
    started = process.started
    record = SessionRecord(pid=pid, started=started, boot=boot_id())
    path.write_text(json.dumps(asdict(record)))
    return started


def _is_reused(record: SessionRecord) -> bool:
    """Whether the leader's id is another process's by now, and so its session another one.

    While any process of a session lives, the kernel does not give its id away.
    """
    leader = read_process(record.pid)
    return leader is not None and leader.started != record.started


def end_recorded(path: Path) -> int:
    """Kill what is left of a recorded session and forget it; gives how many were killed."""
    try:
        record = SessionRecord(**json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        path.unlink(missing_ok=True)
        return 0
    killed = 0
    if record.boot == boot_id() and not _is_reused(record):
        killed = kill_session(record.pid, started=record.started)
    path.unlink(missing_ok=True)
    return killed


def end_all_recorded(folder: Path) -> int:
    """Kill what is left of all sessions that are recorded in a folder; gives how many were killed."""
    return sum(end_recorded(path) for path in sorted(folder.glob(f"*{SESSION_SUFFIX}")))


def kill_process(pid: int, *, started: int) -> bool:
    """Kill one process, if it is the one that began then; whether it was there."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        # Looked at once its descriptor is held: its id can't become another's in between.
        found = read_process(pid)
        if found is None or found.started != started:
            return False
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True
