"""The lease: which of several runners may act, and the fencing token of what it writes.

One row holds holder, token and heartbeat. The holder raises the heartbeat; a follower that saw it
stand still for the timeout, by its own monotonic clock, takes the row over and with it the next
token. Clocks of two machines are never compared. A holder that was paused meanwhile may still
believe that it leads: `check` stands in the transaction of each of its writes and refuses it.

It does not act: it kills nobody, waits for nothing, and runs no loop.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import sqlalchemy as sa

from state_index.database import Database
from state_index.errors import IndexSchemaError, LeaseLostError
from state_index.schema import lease

TIMEOUT = 10.0
"""Seconds that a heartbeat stands still before the lease is taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The right to write, as long as nobody took the lease over.

    Attributes:
        holder: whose it is; no two `Lease` objects have the same.
        token: grows by one with every takeover.
    """

    holder: str
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The lease as it is in the index.

    Attributes:
        holder: who holds it; empty when nobody does.
        token: the newest token that was given out; 0 when none was.
        heartbeat: grows while the holder lives, and with every change of holder.
    """

    holder: str
    token: int
    heartbeat: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """A row, and when a follower saw it first, in seconds of its own monotonic clock."""

    row: Row
    since: float


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the lease found.

    Attributes:
        row: the lease.
        free: whether it may be taken: nobody holds it, or it stood still for the timeout.
    """

    row: Row
    free: bool


def judge(
    seen: Sighting | None, row: Row, *, before: float, after: float, timeout: float
) -> tuple[Sighting, bool]:
    """Whether a follower may take the lease over.

    Args:
        seen: what it saw the last time.
        row: what it read now.
        before: when it began to read.
        after: when it had read; both count against a takeover, however long reading took.
        timeout: seconds that the row must have stood still.

    Returns:
        What to remember, and whether the lease may be taken.
    """
    if seen is None or seen.row != row:
        seen = Sighting(row, after)
    return seen, not row.holder or before - seen.since >= timeout


def read(connection: sa.Connection, *, lock: bool = False) -> Row:
    """The lease as it is; locked against a takeover until the transaction ends.

    Raises:
        IndexSchemaError: someone removed the row.
    """
    query = sa.select(lease.c.holder, lease.c.token, lease.c.heartbeat)
    if lock:
        query = query.with_for_update(read=True)
    row = connection.execute(query).one_or_none()
    if row is None:
        message = "the state index has lost the row of its lease: move it away, it can be rebuilt"
        raise IndexSchemaError(message)
    return Row(holder=row.holder, token=row.token, heartbeat=row.heartbeat)


def check(connection: sa.Connection, grant: Grant) -> None:
    """Refuse what a former holder wants to write in this transaction.

    The lease can't change hands before the transaction ends, so what follows is fenced.

    Raises:
        LeaseLostError: the lease is not this grant's any more.
    """
    row = read(connection, lock=True)
    if (row.holder, row.token) != (grant.holder, grant.token):
        raise LeaseLostError(grant.token, found=row.token, holder=row.holder)


class Lease:
    """One runner's way to the lease. Made by `Index.lease`; for one thread at a time.

    Args:
        database: where the lease is.
        name: says in the index who holds it: host and process, for people.
        timeout: seconds that a heartbeat stands still before it is taken over; the same for all.
        clock: a monotonic clock in seconds, a seam for tests.
    """

    def __init__(
        self,
        database: Database,
        *,
        name: str,
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.holder = f"{name} {uuid4().hex}"
        self._database = database
        self._timeout = timeout
        self._clock = clock
        self._seen: Sighting | None = None
        self._grant: Grant | None = None
        self._renewed = 0.0

    @property
    def held(self) -> bool:
        """Whether it is ours as far as our clock says: no follower can have seen us stand still.

        A hint to stop acting in time; what is written is decided by `check`.
        """
        return self._clock() < self.until

    @property
    def until(self) -> float:
        """When it ends to be `held` unless it is renewed, by our clock; 0 when it is not ours."""
        return self._renewed + self._timeout if self._grant is not None else 0.0

    def acquire(self) -> Grant | None:
        """Look once, and take the lease if it is free; look again soon if it is not.

        Returns:
            The grant; None while another one lives, or may live.

        Raises:
            IndexUnavailableError: the index could not be read or written.
        """
        look = self.look()
        if self._grant is not None:
            return self._grant
        return self.take(look.row) if look.free else None

    def look(self) -> Look:
        """Look once, without taking it.

        Raises:
            IndexUnavailableError: the index could not be read.
        """
        before = self._clock()
        with self._database.read() as connection:
            row = read(connection)
        if self._grant != _grant(row):
            self._grant = None
        self._seen, free = judge(
            self._seen, row, before=before, after=self._clock(), timeout=self._timeout
        )
        return Look(row, free)

    def take(self, row: Row) -> Grant | None:
        """Take the lease if it is as `row` says: a free one, or that of a holder known to be gone.

        Returns:
            The grant; None when it changed meanwhile.

        Raises:
            IndexUnavailableError: the index could not be written.
        """
        began = self._clock()
        taken = Row(holder=self.holder, token=row.token + 1, heartbeat=row.heartbeat + 1)
        if self._change(row, taken):
            self._grant, self._renewed = _grant(taken), began
        return self._grant

    def _change(self, before: Row, after: Row) -> bool:
        """Compare and set: False when the row is not what it was before."""
        same = sa.and_(
            lease.c.holder == before.holder,
            lease.c.token == before.token,
            lease.c.heartbeat == before.heartbeat,
        )
        values = {"holder": after.holder, "token": after.token, "heartbeat": after.heartbeat}
        with self._database.write() as connection:
            return connection.execute(sa.update(lease).where(same).values(values)).rowcount == 1

    def renew(self) -> None:
        """Raise the heartbeat; call it several times within the timeout.

        Raises:
            LeaseLostError: another one took it, or it was never ours.
            IndexUnavailableError: the index could not be written; the lease may still be ours.
        """
        began = self._clock()
        with self._database.write() as connection:
            if not self._update(connection, heartbeat=lease.c.heartbeat + 1):
                row, token = read(connection), self._grant.token if self._grant else 0
                self._grant = None
                raise LeaseLostError(token, found=row.token, holder=row.holder)
        self._renewed = began

    def release(self) -> None:
        """Give it back, so that a follower need not wait; without effect when it is not ours.

        Raises:
            IndexUnavailableError: the index could not be written; a follower takes it in time.
        """
        with self._database.write() as connection:
            self._update(connection, holder="", heartbeat=lease.c.heartbeat + 1)
        self._grant = None

    def _update(self, connection: sa.Connection, **values: object) -> bool:
        if self._grant is None:
            return False
        ours = sa.and_(lease.c.holder == self._grant.holder, lease.c.token == self._grant.token)
        return connection.execute(sa.update(lease).where(ours).values(values)).rowcount == 1


def _grant(row: Row) -> Grant:
    return Grant(holder=row.holder, token=row.token)
