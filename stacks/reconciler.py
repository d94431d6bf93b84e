"""Schedules work: one entry per workspace, one operation per workspace at a time, several at once.

Demands on a workspace that is being worked on are merged and done afterwards, with what the folder
and the engine say then; so changes coalesce, and none is lost. What a demand leads to is decided by
`stacks.plan` and done by `stacks.work`.
"""

import asyncio
from collections.abc import Collection
from dataclasses import replace

from stacks import drifting, unreachable, windows
from stacks.bench import Bench, Clock
from stacks.board import Board, Context
from stacks.demand import Demand, Entry, aim_of
from stacks.errors import (
    EngineUnavailableError,
    ProgramError,
    StacksError,
    TemporaryError,
)
from stacks.failing import Failing
from stacks.gaps import Gaps
from stacks.plan import Action, Change, Known, Wish, plan, plan_one
from stacks.pruning import LEAST, PruneCap
from stacks.remakes import RemakeCap
from stacks.rendering import Facts
from stacks.results import ended, failed
from stacks.ruling import Ruling
from stacks.sight import Sight
from stacks.source import Snapshot
from stacks.steps import Result
from stacks.telling import cause_of, described, differs, is_id, is_quiet
from stacks.work import Work
from state_index.models import Published, utc_now
from state_index.phases import Event, Kind, decide
from telemetry import context
from telemetry.logs import get_logger

_log = get_logger(__name__)


class Reconciler:
    """The queue."""

    def __init__(
        self,
        *,
        board: Board,
        sight: Sight,
        work: Work,
        facts: Facts,
        group: asyncio.TaskGroup,
        retries: bool = False,
        remakes: int = LEAST,
        clock: Clock = utc_now,
    ) -> None:
        """Prepare.

        Args:
            board: Where things are published.
            sight: How things are seen.
            work: How things are done.
            facts: What is the same for all workspaces.
            group: Holds the running work.
            retries: Whether passing errors are tried again by themselves (the daemon).
            remakes: Containers that may always be made anew for drift within an hour.
            clock: Says what day and time it is, for rules that end and sync windows.
        """
        self.opening = windows.Opening(clock)
        """When the first of what waits for a sync window may be made."""
        self._board = board
        self._sight = sight
        self._work = work
        self._facts = facts
        self._group = group
        self._cap = PruneCap(board)
        self._remakes = RemakeCap(board, least=remakes, spared=self._spared)
        self._retries = retries
        self._bench = Bench(board, clock)
        self._failing = Failing(board, sight)
        work.handover.retire, work.healing.remakes = self._retire, self._remakes
        self._entries: dict[str, Entry] = {}
        self.gaps = Gaps(self._entries, self._begin)
        self._others: frozenset[str] = frozenset()
        self.snapshot = Snapshot(complete=False, unreadable=True, error="not read yet")
        """The newest reading of the folder; whoever reads it sets it."""
        self.listed: dict[str, str] = {}
        """The containers that files ask for, as they were seen last: their ids, by workspace."""

    async def close(self) -> None:
        """Cancel what is under way, and return when it has ended."""
        tasks = []
        for entry in self._entries.values():
            if entry.retry is not None:
                entry.retry.cancel()
            if entry.task is not None:
                entry.task.cancel()
                tasks.append(entry.task)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self, wish: Wish, ids: Collection[str] | None = None) -> dict[str, Change]:
        """Plan for all, from the newest snapshot.

        Args:
            wish: What is asked beyond the files.
            ids: Those that are meant, of which no more are pruned than may be; all by default.

        Raises:
            EngineUnavailableError: The engine does not answer.
        """
        view = await self._sight.all(self.snapshot)
        others = frozenset(found.name for found in view.inventory.others)
        if others - self._others:
            _log.warning("another data tree's are left alone", containers=sorted(others))
        self._others = others
        containers, specs = view.inventory.containers, self.snapshot.specs
        self.listed = {id_: found.id for id_, found in containers.items() if id_ in specs}
        ruling, wish = self._bench.for_all(wish, self.snapshot, view.rows, containers)
        changes = plan(
            snapshot=self.snapshot,
            published=view.rows,
            inventory=view.inventory,
            facts=self._facts,
            wish=replace(wish, last=view.last, before=view.before),
            proofs=view.proofs,
            entries=view.entries,
            purged=view.purged,
        )
        changes = {id_: self._within(ruling, change, wish) for id_, change in changes.items()}
        self.opening.set(windows.next_opening(changes.values()))
        changes = await self._cap.limited(changes, view.rows, wish, ids)
        changes = await self._remakes.limited(changes, view.rows, wish)
        return {id_: await self._explained(change) for id_, change in changes.items()}

    async def _explained(self, change: Change) -> Change:
        if change.error is None:
            return change
        error = await self._sight.explained(change.error)
        if error is change.error:
            return change
        return replace(change, error=error, reason=error.message)

    async def sweep(self, demand: Demand, ids: Collection[str] | None = None) -> list[Result]:
        """Bring all workspaces (or some) to what they should be, and wait for it; see `dispatch`."""
        quiet, waiting = await self.dispatch(demand, ids)
        return sorted([*quiet, *await asyncio.gather(*waiting)], key=lambda result: result.id)

    async def dispatch(
        self, demand: Demand, ids: Collection[str] | None = None
    ) -> tuple[list[Result], list[asyncio.Future[Result]]]:
        """Begin to bring all workspaces (or some) to what they should be.

        Returns:
            The results of those with nothing to do, and the coming ones of the others.

        Raises:
            EngineUnavailableError: The engine does not answer; that is published too.
        """
        began = await self._board.generation()
        try:
            changes = await self.look(demand.wish, ids)
        except EngineUnavailableError as error:
            for entry in self._entries.values():
                entry.away = True
            await unreachable.publish(
                self._board, self.snapshot, demand.why(), error, began=began, is_busy=self.is_busy
            )
            raise
        chosen = [change for id_, change in changes.items() if ids is None or id_ in ids]
        work = {change.id for change in chosen if self._needs_work(change, force=demand.force)}
        idle = [change for change in chosen if change.id not in work]
        waiting = [
            self.submit(change.id, self._cap.told(change, demand))
            for change in chosen
            if change.id in work
        ]
        return [ended(change, change.known.row) for change in idle], waiting

    def submit(self, workspace_id: str, demand: Demand) -> asyncio.Future[Result]:
        """Want something of one workspace; the result comes when it was looked at afterwards."""
        entry = self._entries.setdefault(workspace_id, Entry())
        entry.wants(demand)
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        entry.waiting.append(future)
        if entry.task is None:
            self._begin(workspace_id, entry)
        return future

    async def glance(self, workspace_id: str, cause: str) -> bool:
        """Look at one workspace that has a file, and see to it where that is needed.

        Returns:
            Whether it was needed.

        Raises:
            StacksError: It could not be looked at.
        """
        if workspace_id not in self.snapshot.specs:
            return False
        known = await self._sight.one(workspace_id, self.snapshot, asked=None)
        if drifting.is_going(known):
            return False  # when it has gone, the engine says so
        if known.container is not None:
            self.listed[workspace_id] = known.container.id
        change = await self._ruled(known, Wish())
        if not self._needs_work(change, force=False):
            return False
        self.submit(workspace_id, Demand(cause=cause))
        return True

    def _begin(self, workspace_id: str, entry: Entry) -> None:
        entry.task = self._group.create_task(self._serve(workspace_id, entry))

    def _needs_work(self, change: Change, *, force: bool) -> bool:
        if change.action is Action.INVALID and not is_id(change.id):
            return False  # no row can stand for it; whoever asked is told
        if self.is_busy(change.id) or differs(change.known.row, described(change)):
            return True
        waits = is_quiet(change) or (not force and self._work.healing.waits(change))
        if waits and not drifting.is_news(change):
            return False
        entry = self._entries.get(change.id)
        return force or entry is None or not entry.backs_off(change)

    def _planned(self, known: Known, wish: Wish) -> Change:
        return plan_one(known, snapshot=self.snapshot, facts=self._facts, wish=wish)

    async def _ruled(self, known: Known, wish: Wish) -> Change:
        """Plan for one, within the rules: all others count too."""
        ruling, wish = await self._bench.for_one(known, wish, self.snapshot, self.listed)
        return self._within(ruling, self._planned(known, wish), wish)

    def _within(self, ruling: Ruling, change: Change, wish: Wish) -> Change:
        """Give what the rules and the windows leave of a change."""
        ruled = ruling.of(change)
        return windows.meanwhile(ruled, lambda known: self._planned(known, wish))

    def _spared(self, known: Known, wish: Wish) -> Change:
        return self._planned(known, replace(wish, spares=True))

    def is_busy(self, workspace_id: str) -> bool:
        """Whether it is being worked on."""
        entry = self._entries.get(workspace_id)
        return entry is not None and entry.task is not None

    async def _serve(self, workspace_id: str, entry: Entry) -> None:
        """Work on one workspace until nothing more is wanted of it."""
        waiting: list[asyncio.Future[Result]] = []
        try:
            while entry.demand is not None:
                demand, entry.demand = entry.demand, None
                waiting, entry.waiting = entry.waiting, []
                with context.bind(workspace=workspace_id, request_id=demand.request_id):
                    result = await self._settle(workspace_id, entry, demand)
                for future in waiting:
                    if not future.done():
                        future.set_result(result)
        finally:
            entry.task = None
            self._remakes.settle(workspace_id)
            # Cancelled: nobody shall wait for ever. Those that are done take no notice.
            for future in [*waiting, *entry.waiting]:
                future.cancel()

    async def _settle(self, workspace_id: str, entry: Entry, demand: Demand) -> Result:
        change: Change | None = None
        demand = replace(demand, revision=self.snapshot.revisions.get(workspace_id, ""))
        try:
            demand, change = await self._view(workspace_id, entry, demand)
            if demand.is_look and entry.backs_off(change):
                return ended(change, change.known.row)  # the timer does it
            change = await self._cap.admitted(change, demand.wish)
            change = await self._remakes.admitted(change, demand.wish)
            if entry.aim != aim_of(change):
                entry.aim, entry.failures = aim_of(change), 0
            if change.action is not Action.NOTHING:
                _log.info("working", action=change.action, reason=change.reason, cause=demand.cause)
            if demand.heal:
                self._work.healing.ask_again(workspace_id)
                change = replace(change, by_word=True)
            change = await self._work.perform(change, demand.why(change))
            await self._cap.settle(change)
        except StacksError as error:
            await self._cap.settle(change, error)
            told = await self._sight.explained(error)
            return await self._failed(workspace_id, entry, demand, change, told)
        except Exception as error:  # noqa: BLE001 - one workspace's bug must not stop the others
            _log.exception("bug")
            cause = cause_of(error)
            wrapped = ProgramError(f"{type(cause).__name__}: {cause}")
            await self._cap.settle(change, wrapped)
            return await self._failed(workspace_id, entry, demand, change, wrapped)
        entry.succeeded()
        return ended(change, await self._row(workspace_id))

    async def _row(self, workspace_id: str) -> Published | None:
        """Read the row of what was done; that it can't be read is no failure of that."""
        try:
            return await self._board.row(workspace_id)
        except StacksError as error:
            _log.warning("row_not_read", workspace=workspace_id, problem=str(error))
            return None

    async def _view(self, workspace_id: str, entry: Entry, demand: Demand) -> tuple[Demand, Change]:
        """Look and plan; who need not wait for the next attempt of what failed takes it up."""
        known = await self._sight.one(workspace_id, self.snapshot, asked=demand.asked)
        if demand.retry:
            known = await self._again(known, entry, demand)
        change = await self._ruled(known, demand.wish)
        if entry.retry is None or (demand.is_look and entry.backs_off(change)):
            return demand, change
        return await self._view(workspace_id, entry, entry.take_up(demand))

    async def _again(self, known: Known, entry: Entry, demand: Demand) -> Known:
        """Begin anew, and say in the history who wanted it."""
        entry.failures = 0
        if decide(known.phase, Event.RETRY).kind is not Kind.MOVE:
            return known
        return replace(known, row=await self._board.say(known.id, demand.why(), Event.RETRY))

    async def _retire(self, workspace_id: str, heir: str, why: Context) -> Result:
        """Have a workspace make room for the one that it was renamed to."""
        demand = Demand(
            cause=why.cause, request_id=why.request_id, actor=why.actor, retire=heir, force=True
        )
        return await self.submit(workspace_id, demand)

    def _attempt(self, workspace_id: str, entry: Entry) -> None:
        """Try again what failed; its timer is over."""
        if entry.owed is not None:
            self.submit(workspace_id, entry.take_up(entry.owed))

    async def _failed(
        self,
        workspace_id: str,
        entry: Entry,
        demand: Demand,
        change: Change | None,
        error: StacksError,
    ) -> Result:
        delay = None
        if isinstance(error, TemporaryError) and self._retries:
            delay = entry.delay(error, seen=change is not None)
        row = await self._failing.publish(
            demand,
            change,
            error,
            workspace_id=workspace_id,
            snapshot=self.snapshot,
            retry_in=delay,
        )
        if delay is not None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(delay, self._attempt, workspace_id, entry)
            entry.owe(demand.again, timer)
        action = change.action if change else Action.NOTHING
        problems = change.problems if change else ()
        return failed(workspace_id, action, row, error, problems=problems)
