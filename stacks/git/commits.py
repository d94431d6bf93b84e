"""Says of the followed commit whether it is applied: attempted, applied, what waits, what failed.

A commit is applied when every workspace of it came to be as its file says, and those whose files it
removed are gone. It decides nothing about workspaces; it reads what was published of them.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from spec import WorkspaceSpec
from stacks.board import Board, translated
from stacks.drifting import REPORT
from stacks.errors import NotLeadingError, StacksError, SyncWindowError
from stacks.planned import GONE
from stacks.source import Snapshot
from stacks.steps import Step
from state_index.models import Published, utc_now
from state_index.phases import Phase, Sync
from state_index.repository import Followed, FollowedChanges
from telemetry.logs import get_logger

RESTS = frozenset({Phase.RUNNING, Phase.WARM})

IDLE = RESTS | {Phase.PENDING}
"""Phases that last while nobody works on it."""

LATE = timedelta(seconds=30)
"""How long after its time an attempt may still come: then nobody will make it."""

FAILURE_MAX = 300
"""Characters of one failure."""

SHORT = 12
"""Characters of a commit in a text for people."""

GATHERED = 0.2
"""Seconds in which changes of rows are gathered: one judgement reads them all."""

AGAIN = 1.0
"""Seconds until what was under way is looked at again: a row may be told before its work has ended."""

_log = get_logger(__name__)


@dataclass(frozen=True)
class Judgement:
    """How far a commit is applied.

    Attributes:
        waiting: Workspaces that are worked on, or will be without anyone's doing.
        failures: What waits for a person or another commit, by workspace.
    """

    waiting: tuple[str, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def applied(self) -> bool:
        """Whether all of it is."""
        return not self.waiting and not self.failures


def judged(
    snapshot: Snapshot,
    rows: Mapping[str, Published],
    *,
    is_busy: Callable[[str], bool],
    prunes: bool,
    now: datetime | None = None,
) -> Judgement:
    """Judge a commit by what is published. Pure.

    Args:
        snapshot: What the commit says.
        rows: What is published, by id.
        is_busy: Whether a workspace is being worked on.
        prunes: Whether those without a file are to go.
        now: What time it is.
    """
    now = now or utc_now()
    waiting, failures = set[str](), dict[str, str]()
    for id_, problems in snapshot.invalid.items():
        first = problems[0] if problems else None
        told = f"{first.file}:{first.line}:{first.column}: {first.message}" if first else "invalid"
        failures[id_] = told[:FAILURE_MAX]
    _judge_held(snapshot, rows, waiting=waiting, failures=failures)
    for id_, spec in snapshot.specs.items():
        if id_ in snapshot.holds:
            continue
        row, busy = rows.get(id_), is_busy(id_)
        _judge_one(id_, spec, row, busy=busy, now=now, waiting=waiting, failures=failures)
    for id_, row in rows.items() if prunes else ():
        known = id_ in snapshot.ids or id_ in snapshot.heirs or id_ in snapshot.holds
        if known or row.phase in GONE:
            continue
        goes = row.phase is Phase.DELETING or row.reason == SyncWindowError.reason
        if is_busy(id_) or _is_tried_again(row, now) or goes:
            waiting.add(id_)
        else:
            failures[id_] = (row.message or "its file is gone, and it is still there")[:FAILURE_MAX]
    return Judgement(tuple(sorted(waiting)), dict(sorted(failures.items())))


def _judge_held(
    snapshot: Snapshot,
    rows: Mapping[str, Published],
    *,
    waiting: set[str],
    failures: dict[str, str],
) -> None:
    """Tell what waits for an approval from what only waits for the forge's word."""
    for id_, hold in snapshot.holds.items():
        row = rows.get(id_)
        if row is not None and row.phase in GONE:
            continue  # somebody removed it by name
        if hold.passing:
            waiting.add(id_)
        else:
            failures[id_] = hold.message[:FAILURE_MAX]


def _judge_one(
    id_: str,
    spec: WorkspaceSpec,
    row: Published | None,
    *,
    busy: bool,
    now: datetime,
    waiting: set[str],
    failures: dict[str, str],
) -> None:
    if row is None or busy:
        waiting.add(id_)
    elif not is_as_asked(row, spec):
        if told := _stays(row, spec, now=now):
            failures[id_] = told[:FAILURE_MAX]
        else:
            waiting.add(id_)


def _stays(row: Published, spec: WorkspaceSpec, *, now: datetime) -> str:
    """Say why one that nobody works on waits for a person or another commit; "" when it does not.

    What a rule refuses goes on by its former file: its row keeps that one, and says why.
    """
    if row.reason == SyncWindowError.reason:
        return ""
    if row.phase is Phase.ERROR or (row.phase is Phase.RUNNING and row.reason):
        return "" if _is_tried_again(row, now) else row.message or row.reason
    if row.phase not in IDLE:
        return ""
    if row.phase is Phase.PENDING and row.drift and spec.drift == REPORT:
        return row.message or "another hand removed its container, and its file has that reported"
    return row.message if row.spec_json != spec.model_dump_json() else ""


def _is_tried_again(row: Published, now: datetime) -> bool:
    """Whether a timer will have it tried, or has it tried just now."""
    return row.retry_at is not None and now - row.retry_at < LATE


def is_as_asked(row: Published, spec: WorkspaceSpec) -> bool:
    """Whether a workspace came to be as its file says; what another hand did since is no matter."""
    if row.spec_json != spec.model_dump_json() or row.phase not in RESTS:
        return False
    drifted = bool(row.drift) and row.applied_hash == row.desired_hash
    return row.sync is Sync.SYNCED or drifted


def at_commit(snapshot: Snapshot) -> str:
    """Name a snapshot's commit in a cause for the history; "" for a folder."""
    return f" (commit {snapshot.commit[:SHORT]})" if snapshot.commit else ""


class Queue(Protocol):
    """What knows who is being worked on: `stacks.reconciler`."""

    def is_busy(self, workspace_id: str) -> bool:
        """Whether it is being worked on."""


class Commits:
    """Publishes it. With a folder as the source there is no commit, and nothing is said."""

    def __init__(
        self, board: Board, *, prunes: bool, follows: bool = True, by_asking: bool = False
    ) -> None:
        """Prepare.

        Args:
            board: Where it is published.
            prunes: Whether workspaces without a file are to go.
            follows: Whether a repository is followed, rather than a folder.
            by_asking: Whether a commit counts once it was asked for: then whoever took that said so.
        """
        self._board = board
        self._prunes = prunes
        self._follows = follows
        self._by_asking = by_asking
        self._left = False
        self._current: Snapshot | None = None
        self._stirred = asyncio.Event()

    async def begun(self, snapshot: Snapshot) -> None:
        """Say that a commit's files count from now on, and what is wrong with its reading.

        Raises:
            PublishFailedError: The index did not take it.
        """
        await self.leave()
        if not snapshot.commit:
            return
        told = self._board.repository.tell
        said = FollowedChanges(attempted=snapshot.commit)
        if snapshot.complete:
            said["base"] = snapshot.commit
        with translated():
            followed = await asyncio.to_thread(self._board.repository.followed)
            if self._by_asking and followed.attempted != snapshot.commit:
                return  # it was read before another one was asked for
            if followed.attempted != snapshot.commit:  # what failed is of the former one
                said |= FollowedChanges(waiting=tuple(sorted(snapshot.specs)), failures={})
            await asyncio.to_thread(told, **said)

    async def leave(self) -> None:
        """Forget a repository that was followed before a folder was.

        What a folder makes is in no commit. Would its history go on to count when it is followed
        again, that would be removed as if a commit had removed it.

        Raises:
            PublishFailedError: The index did not take it.
        """
        if self._follows or self._left:
            return
        with translated():
            if await asyncio.to_thread(self._board.repository.followed) != Followed():
                await asyncio.to_thread(self._board.repository.forget)
        self._left = True

    def dispatched(self, snapshot: Snapshot) -> None:
        """Know that all that a commit asks for is in the queue: before, rows tell of the former."""
        self._current = snapshot if snapshot.commit else None
        self._stirred.set()

    async def keep(self, queue: Queue) -> None:
        """Judge the commit whenever a row changed, and while something is under way."""
        under_way = False
        with self._board.listening(self._stir):
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN if under_way else None):
                        await self._stirred.wait()
                await asyncio.sleep(GATHERED)
                self._stirred.clear()
                if self._current is not None:
                    under_way = await self._try(self._current, queue)

    def _stir(self, _step: Step) -> None:
        self._stirred.set()

    async def _try(self, snapshot: Snapshot, queue: Queue) -> bool:
        try:
            return await self.judge(snapshot, queue.is_busy)
        except NotLeadingError:
            raise
        except StacksError as error:
            _log.warning("the commit's state not published", message=error.message)
            return True

    async def judge(self, snapshot: Snapshot, is_busy: Callable[[str], bool]) -> bool:
        """Say how far a commit is applied; whether something is under way still."""
        if not snapshot.commit:
            return False
        # Who is worked on while the rows are read may be told of in them as before.
        busy = {id_ for id_ in snapshot.ids if is_busy(id_)}
        rows = await self._board.rows()
        busy |= {id_ for id_ in snapshot.ids | rows.keys() if is_busy(id_)}
        found = judged(snapshot, rows, is_busy=busy.__contains__, prunes=self._prunes)
        told = self._board.repository.tell
        with translated():
            before = await asyncio.to_thread(self._board.repository.followed)
            if before.attempted not in {"", snapshot.commit}:
                return bool(found.waiting)  # another one counts by now, and is judged soon
            applied = snapshot.commit if found.applied else before.applied
            after = await asyncio.to_thread(
                told, waiting=found.waiting, failures=found.failures, applied=applied
            )
        if after.applied != before.applied:
            _log.info("the commit is applied", commit=after.applied)
        return bool(found.waiting)
