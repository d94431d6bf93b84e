"""One try to lead: the data tree's lock and the index's lease, both or neither. It blocks.

The lock is the kernel's: it shows at once that a runner of this data tree on this machine is gone,
and says nothing of one that is stopped, or of another machine's. The lease tells those, after its
timeout. So a runner needs both: the lease is taken by whoever has the lock. Of a holder that
stands still and keeps the lock, the process is killed, when it is surely that one. Nothing here
waits or repeats; `stacks.seat` does.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from settings.model import RunnerSettings
from stacks import parts
from stacks.engine.processes import Process, boot_id, kill_process, namespace, read_process
from stacks.lock import Holder, RunnerLock
from state_index.errors import IndexReplacedError, IndexUnavailableError
from state_index.index import Index
from state_index.lease import Grant, Lease, Look, Row
from telemetry.logs import get_logger

STOPPED = frozenset("Tt")
"""States of a process that stands still until somebody lets it go on."""

ENDING_SECONDS = 3.0
"""Seconds that who ends waits for a database that does not answer."""

DEAD = "Z"
"""State of a process that ended and was not asked for its end yet."""

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What a try found.

    Attributes:
        grant: The right to lead; None when somebody else has it.
        proven: Whether nobody who led before can still be at work.
        locked: Whether another process works under the data tree's lock.
        row: The lease as it was found; None when it was not looked at.
        leader: Who leads, for people; "" when nobody does.
    """

    grant: Grant | None = None
    proven: bool = False
    locked: bool = False
    row: Row | None = None
    leader: str = ""


def is_gone(row: Row, former: Holder, *, boot: str) -> bool:
    """Whether the lease's holder surely ended: it had the lock, and the kernel gave it to us.

    Args:
        row: The lease.
        former: What the lock's last holder said of itself.
        boot: This boot of the machine.
    """
    return bool(row.holder) and former.lease == row.holder and former.boot == boot


def is_elsewhere(holder: Holder) -> bool:
    """Whether its pid says nothing here: another machine, boot or container."""
    return (holder.boot, holder.namespace) != (boot_id(), namespace())


def process_of(holder: Holder) -> Process | None:
    """Give the process of a lock's holder, if it lives and surely is that one."""
    if is_elsewhere(holder):
        return None
    found = read_process(holder.pid)
    same = found is not None and found.started == holder.started and found.state != DEAD
    return found if same else None


def is_stuck(look: Look, holder: Holder) -> bool:
    """Whether the lock's holder is the one whose heartbeat stands still."""
    return look.free and bool(look.row.holder) and holder.lease == look.row.holder


class Claim:
    """A runner's way to the lead of its data tree and index."""

    def __init__(self, settings: RunnerSettings, *, daemon: bool) -> None:
        self._settings = settings
        self._lock = RunnerLock(settings.paths.runner_lock, daemon=daemon)
        self._index: Index | None = None
        self._lease: Lease | None = None
        self._files = 0
        self._stuck = 0
        self._gone = ""
        # Threads go on when whoever waited for them was cancelled.
        self._alone = threading.Lock()

    @property
    def index(self) -> Index:
        """The index as it was opened by `attempt`; not fenced."""
        assert self._index is not None, "it was opened by an attempt"
        return self._index

    @property
    def until(self) -> float:
        """Until when the lease is ours, unless it is renewed; see `Lease.until`."""
        return self._lease.until if self._lease is not None else 0.0

    def attempt(self) -> Tried:
        """Try once to lead.

        Raises:
            SourceError: There is no data tree yet, and no folder of workspace files either.
            DataFolderError: The data tree can't be used.
            IndexUnavailableError: The index can't be; the next attempt opens it anew if need be.
        """
        with self._alone:
            parts.check_data_tree(self._settings)
            try:
                lease = self._opened()
                if not self._lock.take():
                    return self._locked_out(lease)
                return self._with_lock(lease)
            except IndexUnavailableError as error:
                self._drop(error)
                raise

    def _opened(self) -> Lease:
        if self._index is None or self._lease is None:
            self._index = Index.open(self._settings.index_url)
            name = f"{socket.gethostname()} pid {os.getpid()}"
            self._lease = self._index.lease(name, timeout=self._settings.lease_timeout)
        self._index.generation()  # notices a file that was replaced
        self._files = self._index.files
        return self._lease

    def _drop(self, error: IndexUnavailableError) -> None:
        """Let go of an index that is another one by now, or none; one that is busy is kept."""
        replaced = isinstance(error, IndexReplacedError) or not error.retryable
        if replaced and self._index is not None:
            self._index.close()
            self._index = self._lease = None

    def _with_lock(self, lease: Lease) -> Tried:
        grant = None
        try:
            look = lease.look()
            if is_gone(look.row, self._lock.holder(), boot=boot_id()):
                # For good, whatever the file says when taking it has to be tried again.
                self._gone = look.row.holder
            gone = look.row.holder in {"", self._gone}
            if look.free or gone:
                self._lock.sign(lease.holder)
                grant = lease.take(look.row)
        finally:
            if grant is None:
                self._lock.release(forget=False)
        leader = "" if grant else shown(look.row.holder)
        return Tried(grant=grant, proven=gone, row=look.row, leader=leader)

    def _locked_out(self, lease: Lease) -> Tried:
        holder, look = self._lock.holder(), lease.look()
        process = process_of(holder)
        self._stuck = self._stuck + 1 if is_stuck(look, holder) else 0
        if self._stuck and process is not None:
            self._end(process)
        # Who only looks has the lock for a moment too, and the file says what the last one said.
        working = process is not None or bool(holder.pid and is_elsewhere(holder))
        return Tried(locked=working, row=look.row, leader=str(holder) if working else "")

    def _end(self, process: Process) -> None:
        """Kill a holder that stands still; one that only lost its lease has until the next try."""
        if process.pid == os.getpid() or (process.state not in STOPPED and self._stuck == 1):
            return
        if kill_process(process.pid, started=process.started):
            _log.warning("killed a runner that stood still", pid=process.pid, state=process.state)

    def renew(self) -> None:
        """Raise the heartbeat.

        Raises:
            LeaseLostError: Another one took the lease, or the index is another one.
            IndexUnavailableError: The index can't be written; the lease may still be ours.
            IndexReplacedError: It is another one.
        """
        with self._alone:
            index, lease = self.index, self._lease
            assert lease is not None, "what is renewed was taken"
            index.generation()
            if index.files != self._files:
                raise IndexReplacedError
            lease.renew()

    def release(self) -> None:
        """Give everything back; without effect where there is nothing."""
        with self._entered():
            released = self._given_back()
            if self._index is not None:
                self._index.close()
            self._index = self._lease = None
            # Where the lease still names us, the lock's file proves to the next that we ended.
            self._lock.release(forget=released)

    def _given_back(self) -> bool:
        try:
            if self._lease is not None:
                self._lease.release()
        except IndexUnavailableError as error:
            _log.warning("lease not given back", message=str(error))
            return False
        return True

    @contextmanager
    def _entered(self) -> Iterator[None]:
        """Wait for a thread that is still at it, but not for ever: the process is ending."""
        entered = self._alone.acquire(timeout=ENDING_SECONDS)
        try:
            yield
        finally:
            if entered:
                self._alone.release()


def shown(holder: str) -> str:
    """Give a lease's holder as people read it, without what makes it unique."""
    return holder.rpartition(" ")[0]
