"""The runner of one data tree: every command on workspaces, for whoever leads.

It puts the parts together and keeps them for its life: seat, index, engine, power, source, queue.
`stacks.daemon` keeps one running; `stacks.client` gives the same calls to other processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from settings.model import RunnerSettings
from stacks import parts, retries
from stacks.bench import Clock
from stacks.board import Board, translated
from stacks.changes import WorkspaceChange
from stacks.demand import asked_by
from stacks.edits.commands import EditCommands
from stacks.endings import Endings
from stacks.errors import FileStandsError, SourceError
from stacks.fence import Fence
from stacks.gc.commands import GcCommands
from stacks.git.commits import Commits
from stacks.isolation.lazy import LazyGuard
from stacks.lazy_engine import LazyEngine
from stacks.ledger import Ledger
from stacks.look_commands import LookCommands
from stacks.operator import LOG_TAIL, check_id, check_tail, no_workspace
from stacks.plan import Wish
from stacks.power import Power
from stacks.reconciler import Reconciler
from stacks.recorded import Recorded
from stacks.seat import Seat
from stacks.sight import Sight
from stacks.source import Source
from stacks.steps import OnStep, Result
from stacks.streams.model import OwnStreams
from stacks.up_commands import UpCommands
from stacks.work import Work
from state_index.index import Index
from state_index.models import utc_now
from state_index.nudge import Nudge

GATEWAYS = "gateway"


class Runner(UpCommands, LookCommands, GcCommands, EditCommands):
    """One runner. Use it as ``async with Runner(settings) as runner``."""

    def __init__(
        self,
        settings: RunnerSettings,
        *,
        daemon: bool = False,
        exclusive: bool = True,
        seat: Seat | None = None,
        clock: Clock = utc_now,
    ) -> None:
        """Prepare; entering takes the seat and opens everything.

        Args:
            settings: The settings.
            daemon: Whether it keeps running: it says so in the lock and tries again by itself.
            exclusive: Whether it takes the seat. Without it, only `logs` and `streams` may be asked.
            seat: One that was taken already, and that the caller gives back.
            clock: Says what day it is, for rules that end.
        """
        self.settings = settings
        self._seat = seat
        self._daemon = daemon
        self._exclusive = exclusive
        self._exits = AsyncExitStack()
        self._clock = clock
        self.lost = asyncio.Event()
        """Set when the seat is lost: nothing more can be done."""

    async def __aenter__(self) -> Self:
        """Take the seat and open everything.

        Raises:
            LockHeldError: Another runner works on this data tree, or leads on its index.
            SourceError: There is no data tree yet, and no folder of workspace files either.
            DataFolderError: The data tree cannot be used.
            PublishFailedError: The index cannot be opened.
        """
        async with AsyncExitStack() as exits:
            await self._open(exits)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._exits.__aexit__(kind, error, trace)

    async def _open(self, exits: AsyncExitStack) -> None:
        settings = self.settings
        paths = settings.paths
        index, fence = await self._place(exits)
        with translated():
            ids = await asyncio.to_thread(parts.tree_ids, paths, index)
        nudge = Nudge(paths.nudge)
        self.board = Board(index, nudge=lambda: nudge.send(GATEWAYS))
        self.guard = await exits.enter_async_context(LazyGuard(settings, fence=fence))
        power = parts.docker_power(settings, ids, cleared=self.guard.check, fence=fence)
        self.power: Power = await exits.enter_async_context(power)
        self.streams: OwnStreams = await exits.enter_async_context(
            parts.docker_streams(settings, self.power, serves=self._daemon)
        )
        engine = LazyEngine(
            parts.engine_config(settings, ahead=self._daemon), leftovers=self.power, fence=fence
        )
        exits.push_async_callback(engine.close)
        self.facts = await asyncio.to_thread(parts.facts, settings, ids)
        self.source: Source = parts.source(settings, self.board, self.power)
        follows = settings.repo is not None
        self.commits = Commits(
            self.board,
            prunes=settings.prunes,
            follows=follows,
            by_asking=settings.applies_asked,
        )
        ledger = await asyncio.to_thread(parts.open_ledger, settings, fence)
        self.clock = parts.grace_clock(settings, self.board, ledger)
        self.endings = self._make_endings(engine, ledger)
        self.work = Work(
            board=self.board,
            engine=engine,
            power=self.power,
            facts=self.facts,
            limits=parts.limits(settings),
            endings=self.endings,
        )
        group = await asyncio.TaskGroup().__aenter__()
        # Left without the body's error: a group would wrap it into one of its own.
        exits.push_async_callback(group.__aexit__, None, None, None)
        recorded = Recorded(paths.state)
        self.sight = Sight(board=self.board, power=self.power, ledger=ledger, recorded=recorded)
        self.queue = Reconciler(
            board=self.board,
            sight=self.sight,
            work=self.work,
            facts=self.facts,
            group=group,
            retries=self._daemon,
            remakes=settings.heal_remakes,
            clock=self._clock,
        )
        exits.push_async_callback(self.queue.close)
        self._ids, self._fence, self._group = ids, fence, group
        self._open_edits(exits)

    def _make_endings(self, engine: LazyEngine, ledger: Ledger) -> Endings:
        return Endings(
            board=self.board,
            power=self.power,
            engine=engine,
            read=self.source.read,
            clock=self.clock,
            ledger=ledger,
            name_prefix=self.settings.name_prefix,
        )

    async def _place(self, exits: AsyncExitStack) -> tuple[Index, Fence]:
        """Give the index, and what says whether anything may be done: never without the seat."""
        if self._exclusive:
            seat = self._seat
            if seat is None:
                seat = await exits.enter_async_context(Seat(self.settings, daemon=self._daemon))
                await seat.take()
            self.lost = seat.lost
            return seat.index, seat.fence
        await asyncio.to_thread(parts.make_data_tree, self.settings)
        with translated():
            index = await asyncio.to_thread(Index.open, self.settings.index_url)
        exits.callback(index.close)
        return index, Fence()

    async def preview(self, ids: Iterable[str] | None = None) -> list[WorkspaceChange]:
        """Tell what `up` would do; see `Operator`."""
        from stacks.previews import preview_all  # noqa: PLC0415 - as in `parts`

        wanted = None if ids is None else frozenset(ids)
        await self.read()
        wish = Wish(prune=self.settings.prunes, force=True, heal=True, shown=True)
        changes = await self.queue.look(wish)
        chosen = [change for id_, change in changes.items() if wanted is None or id_ in wanted]
        unknown = (wanted or frozenset()) - self.queue.snapshot.ids - changes.keys()
        return await preview_all(self.work, chosen, {id_: no_workspace(id_) for id_ in unknown})

    async def destroy(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Remove a workspace whose file is gone; see `Operator`."""
        check_id(workspace_id)
        snapshot = self.queue.snapshot = await self.source.read()
        if workspace_id in snapshot.ids:
            raise FileStandsError(f"the file of {workspace_id} asks for it", step="destroy")
        if snapshot.blind:
            raise SourceError(f"whether its file is gone is not known: {snapshot.error}")
        row = await self.board.row(workspace_id)
        there = row or await self.power.container(workspace_id)
        if there is None and not await self.power.homes(workspace_id):
            raise no_workspace(workspace_id)
        demand = asked_by(actor, "asked to remove it", request_id)
        demand = replace(demand, remove=True, force=True)
        return await self.one(workspace_id, demand, on_step)

    async def start(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Start a workspace and wait until its IDE answers; see `Operator`."""
        return await self.switch(
            workspace_id,
            replace(asked_by(actor, "asked to start it", request_id), asked=True),
            on_step,
        )

    async def stop(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Stop a workspace; see `Operator`."""
        return await self.switch(
            workspace_id,
            replace(asked_by(actor, "asked to stop it", request_id), asked=False),
            on_step,
        )

    async def retry(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Try again now what failed, and forget how often it did; see `Operator`."""
        row = await self.read_one(workspace_id)
        retries.check(workspace_id, row, self.queue.snapshot)
        demand = asked_by(actor, "asked to try it again", request_id)
        demand = replace(demand, force=True, retry=True, heal=True)
        return await self.one(workspace_id, demand, on_step)

    async def purge(
        self,
        workspace_id: str,
        *,
        confirm: str,
        forget_missing: bool = False,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Remove the home of a removed workspace for good, now; see `Operator`."""
        check_id(workspace_id)
        self.queue.snapshot = await self.source.read()
        await self.endings.check(workspace_id, confirm=confirm, snapshot=self.queue.snapshot)
        demand = asked_by(actor, "purged it", request_id)
        demand = replace(demand, force=True, purge=True, forget_missing=forget_missing)
        return await self.one(workspace_id, demand, on_step)

    async def logs(self, workspace_id: str, *, tail: int = LOG_TAIL) -> str:
        """Give the last lines that its container printed; see `Operator`."""
        check_id(workspace_id)
        check_tail(tail)
        return await self.power.logs(workspace_id, tail=tail)
