"""The index: what the runner publishes and what users ask for, for gateways and runner alike.

Synchronous; async callers use `asyncio.to_thread`. Safe from several threads and processes. Each
method is one transaction. It decides nothing that the phase table does not say.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Self, TypeVar, Unpack

import sqlalchemy as sa

from state_index import past, publishing, requests, rows
from state_index.database import Database
from state_index.edits import Edits
from state_index.lease import TIMEOUT, Grant, Lease, check
from state_index.migrate import migrate
from state_index.models import (
    Changes,
    HistoryRow,
    Intent,
    IntentKind,
    Published,
    RunnerInfo,
    utc_now,
)
from state_index.phases import Event
from state_index.publishing import Cause
from state_index.readonly import is_current, looking
from state_index.removals import Removals
from state_index.repository import Repository
from state_index.retention import Records
from state_index.reviews import Reviews
from state_index.schema import GENERATION, runner, workspaces
from state_index.transactions import Shared

Part = TypeVar("Part", bound=Shared)


class Index:
    """An open index; a context manager. Make it with `Index.open`."""

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime] = utc_now,
        grant: Grant | None = None,
    ) -> None:
        self._database = database
        self._now = now
        self._grant = grant

    @classmethod
    def open(cls, url: str, *, now: Callable[[], datetime] = utc_now) -> Self:
        """Open an index; create or upgrade it first where needed.

        Args:
            url: `sqlite:///<file>` or `postgresql+psycopg://...`.
            now: the clock, a seam for tests.

        Raises:
            IndexUnavailableError: it can't be opened; the subclass says why.
        """
        database = Database(url)
        try:
            migrate(database)
        except BaseException:
            database.close()
            raise
        return cls(database, now=now)

    @classmethod
    def look(cls, url: str) -> Self:
        """Open an index that is there in order to read it, also where this process can't write it.

        Raises:
            IndexReplacedError: there is none.
            IndexUnavailableError: it can't be opened; the subclass says why.
        """
        database = looking(url)
        try:
            if is_current(database):
                return cls(database)
        except BaseException:
            database.close()
            raise
        database.close()
        return cls.open(url)

    @classmethod
    def migrate(cls, url: str) -> None:
        """Create or upgrade an index and close it again; raises as `open` does."""
        cls.open(url).close()

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Who may write.

    def lease(
        self,
        name: str,
        *,
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> Lease:
        """A way to the lease of runners, see there; the index must stay open."""
        return Lease(self._database, name=name, timeout=timeout, clock=clock)

    def under(self, grant: Grant) -> Self:
        """The same index for the holder of a lease; closing either closes both.

        All that a runner writes through it raises `LeaseLostError`, and changes nothing, once
        another one took the lease.
        """
        return type(self)(self._database, now=self._now, grant=grant)

    @contextmanager
    def _fenced(self) -> Iterator[sa.Connection]:
        with self._database.write() as connection:
            if self._grant is not None:
                check(connection, self._grant)
            yield connection

    def _shared(self, part: type[Part]) -> Part:
        write, ask = self._fenced, self._database.write
        return part(read=self._database.read, write=write, ask=ask, now=self._now)

    # What the runner writes.

    @property
    def removals(self) -> Removals:
        """What bounds removals: the time that runners watched, and what they pruned lately."""
        return Removals(read=self._database.read, write=self._fenced, now=self._now)

    @property
    def records(self) -> Records:
        """History and operations, as far as they are beyond their bounds."""
        return Records(read=self._database.read, write=self._fenced, now=self._now)

    @property
    def repository(self) -> Repository:
        """What is said and asked about the git repository that is followed."""
        return self._shared(Repository)

    @property
    def edits(self) -> Edits:
        """Changes of workspace files: asked by users, made by the runner."""
        return self._shared(Edits)

    @property
    def reviews(self) -> Reviews:
        """What was said of pull requests, what waits for approval, and what was approved."""
        return self._shared(Reviews)

    def publish(
        self,
        workspace_id: str,
        /,
        *,
        event: Event | None = None,
        after: Sequence[Event] = (),
        cause: str,
        actor: str = "",
        request_id: str = "",
        revision: str = "",
        if_generation: int | None = None,
        **changes: Unpack[Changes],
    ) -> Published:
        """Say what is so about a workspace; a new row begins as PENDING.

        When the phase changes, `reason`, `message`, `step` and `retry_at` are emptied unless
        given. When nothing changes, nothing is written.

        Args:
            workspace_id: the workspace.
            event: what happened to it, if the phase may change.
            after: what happened right before; nothing is written of it unless all is.
            cause: for a person: what led to it.
            actor: the user behind it.
            request_id: the request behind it.
            revision: the commit behind it.
            if_generation: refuse when the row is not at this generation any more (0: no row).
            changes: other fields of the row.

        Returns:
            The row as it is now.

        Raises:
            IllegalTransitionError: the phase table refuses the event; nothing is written.
            StaleRowError: the row is not at `if_generation`.
            LeaseLostError: this is the index of a former holder of the lease (so for all writes of
                a runner).
            IndexUnavailableError: it could not be written.
        """
        why = Cause(cause=cause, event=event, actor=actor, request_id=request_id, revision=revision)
        now = self._now()
        with self._fenced() as connection:
            for former in after:
                row = publishing.publish(
                    connection,
                    workspace_id,
                    replace(why, event=former),
                    {},
                    now=now,
                    if_generation=if_generation,
                )
                if_generation = row.generation
            return publishing.publish(
                connection, workspace_id, why, changes, now=now, if_generation=if_generation
            )

    def forget(self, workspace_id: str, cause: str) -> bool:
        """Remove a row; its history and operations stay readable. False when there was none."""
        with self._fenced() as connection:
            forgotten = publishing.forget(connection, workspace_id, Cause(cause=cause), self._now())
            requests.abandon(connection, workspace_id)
            return forgotten

    def take_intents(self, limit: int = 100) -> list[Intent]:
        """Take the oldest open intents; each is handed out once."""
        with self._fenced() as connection:
            return requests.take(connection, limit)

    def finish(self, intent_id: str, error: str = "") -> None:
        """End an operation: done, or failed when there is an error. Ending it twice is harmless.

        Raises:
            UnknownOperationError: there is no such intent.
        """
        with self._fenced() as connection:
            requests.finish(connection, intent_id, error)

    def supersede(self, workspace_id: str, kind: IntentKind) -> None:
        """For the runner: give up what was asked before somebody typed the opposite of it.

        Args:
            workspace_id: which.
            kind: what was typed.
        """
        with self._fenced() as connection:
            requests.supersede(connection, workspace_id, kind)

    def reopen_intents(self, *, but: Collection[str] = ()) -> int:
        """For the runner: open again what the former one took, or itself without knowing; how many.

        Args:
            but: ids of those that are under way.
        """
        with self._fenced() as connection:
            return requests.reopen(connection, but)

    def announce(self, info: RunnerInfo) -> None:
        """Say who runs; replaces what a former runner said."""
        with self._fenced() as connection:
            connection.execute(sa.delete(runner))
            connection.execute(sa.insert(runner).values(id=1, **rows.runner_values(info)))

    def beat(self) -> int:
        """Raise the heartbeat; its new value (0 when no runner is announced)."""
        with self._fenced() as connection:
            connection.execute(sa.update(runner).values(heartbeat=runner.c.heartbeat + 1))
            return connection.scalar(sa.select(runner.c.heartbeat)) or 0

    # What anyone reads.

    def runner(self) -> RunnerInfo | None:
        """Who runs, if anyone announced itself."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(runner)).mappings().one_or_none()
        return rows.runner_info(row) if row else None

    def generation(self) -> int:
        """The index's generation: grows with every change of a workspace row.

        Raises:
            IndexReplacedError: the file was removed or replaced; what was read before may be wrong.
            IndexUnavailableError: it could not be read.
        """
        return self._database.number(GENERATION)

    @property
    def files(self) -> int:
        """How many index files were found gone so far; what was read of these counts no more."""
        return self._database.files

    def workspaces(self, owner: str | None = None) -> list[Published]:
        """All rows, or those of an owner, ordered by id."""
        query = sa.select(workspaces).order_by(workspaces.c.id)
        if owner is not None:
            query = query.where(workspaces.c.owner == owner)
        with self._database.read() as connection:
            found = connection.execute(query).mappings().all()
        return [rows.published(row) for row in found]

    def workspace(self, workspace_id: str) -> Published | None:
        """One row."""
        with self._database.read() as connection:
            return publishing.find(connection, workspace_id)

    def history(self, workspace_id: str, limit: int = publishing.HISTORY_BOUND) -> list[HistoryRow]:
        """Changes of phase, newest first."""
        with self._database.read() as connection:
            return past.of(connection, workspace_id, limit)

    def histories(self, ids: Collection[str]) -> dict[str, list[HistoryRow]]:
        """Changes of phase of several workspaces, newest first: all that is kept, in few queries."""
        with self._database.read() as connection:
            return past.of_all(connection, ids)

    # What users ask for.

    def request(
        self, workspace_id: str, kind: IntentKind, *, actor: str, request_id: str
    ) -> Intent:
        """Ask for a start or a stop.

        What is asked for or under way already is joined: the answer is then the earlier
        operation, or one that is done, with `joined` set.

        Raises:
            UnknownWorkspaceError: there is no such workspace.
            PinnedInGitError: its file pins the state.
            InvalidStateError: its phase does not allow it.
            IndexUnavailableError: the request could not be written.
        """
        asked = requests.Request(kind=kind, actor=actor, request_id=request_id)
        with self._database.write() as connection:
            return requests.request(connection, workspace_id, asked, self._now())

    def intent(self, operation_id: str) -> Intent | None:
        """One operation."""
        with self._database.read() as connection:
            return requests.find(connection, operation_id)
