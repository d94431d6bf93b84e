"""A runner on a real index with an engine and a folder in memory, whose clocks and death are a test's."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from spec import Problem, WorkspaceSpec
from stacks.board import Board, Context
from stacks.demand import Demand
from stacks.endings import Endings
from stacks.engine import Kind, Operation, Outcome
from stacks.grace import GraceClock
from stacks.ledger import Ledger
from stacks.ledger_entries import Entry
from stacks.operations import OnEvent
from stacks.power import Container, HomeVolume
from stacks.reconciler import Reconciler
from stacks.rendering import Facts
from stacks.sight import Sight
from stacks.source import Snapshot
from stacks.steps import Result
from stacks.work import Limits, Work
from state_index.index import Index
from state_index.models import Changes, Published
from state_index.phases import Event
from tests.stacks.fakes import FakeEngine, FakePower

PREFIX = "x-"
GRACE = 100.0
WRONG = Problem(file="f", line=1, column=1, key="k", message="it is wrong", hint="")
LONGEST = 60.0


class KilledError(BaseException):
    """The runner was killed; nothing may catch it."""


@dataclass
class Death:
    """Kills the runner at a step: before or after each that it does on engine, Pulumi or index."""

    countdown: int = -1

    def step(self) -> None:
        if self.countdown == 0:
            raise KilledError
        self.countdown -= 1


@dataclass
class MortalPower(FakePower):
    """Also has containers of other hands.

    Attributes:
        strangers: They, which no list of ours shows.
        entered: Set when the engine is asked for anything.
    """

    strangers: tuple[Container, ...] = ()
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    death: Death = field(default_factory=Death)

    async def holders(self, volume: str) -> tuple[Container, ...]:
        found = await super().holders(volume)
        return (*found, *(each for each in self.strangers if each.home == volume))

    def _called(self, name: str) -> None:
        self.entered.set()
        super()._called(name)
        self.death.step()


@dataclass
class MortalEngine(FakeEngine):
    """Also knows what Pulumi's state knows, and counts the homes that were made.

    Attributes:
        known: Stacks in Pulumi's state that hold a home.
        made: How many homes were made, by workspace.
    """

    death: Death = field(default_factory=Death)
    known: set[str] = field(default_factory=set)
    made: dict[str, int] = field(default_factory=dict)

    async def run(self, operation: Operation, *, on_event: OnEvent | None = None) -> Outcome:
        self.death.step()
        id_ = operation.stack
        new = operation.kind is Kind.UP and id_ not in self.power.volumes
        outcome = await super().run(operation, on_event=on_event)
        if operation.kind is Kind.UP and outcome.ok and "home" in operation.inputs:
            self.known.add(id_)
            self.made[id_] = self.made.get(id_, 0) + new
        self.death.step()
        return outcome

    async def forget(self, stack: str) -> None:
        self.death.step()
        await super().forget(stack)
        self.known.discard(stack)
        self.death.step()


class MortalBoard(Board):
    def __init__(self, index: Index, death: Death) -> None:
        super().__init__(index)
        self._death = death

    async def say(
        self,
        workspace_id: str,
        why: Context,
        *events: Event,
        changes: Changes | None = None,
        if_generation: int | None = None,
    ) -> Published:
        self._death.step()
        row = await super().say(
            workspace_id, why, *events, changes=changes, if_generation=if_generation
        )
        self._death.step()
        return row

    async def forget(self, workspace_id: str, cause: str) -> None:
        self._death.step()
        await super().forget(workspace_id, cause)
        self._death.step()


class MortalLedger(Ledger):
    """Dies before or after any of its writes."""

    def __init__(self, path: Path, death: Death) -> None:
        super().__init__(path)
        self._death = death

    def _write(self, entries: dict[str, Entry]) -> None:
        self._death.step()
        super()._write(entries)
        self._death.step()


@dataclass(kw_only=True)
class Afterlife:
    """Everything that outlives a runner.

    Attributes:
        files: The folder.
        unreadable: Whether it cannot be read.
        invalid: Files in it that have mistakes.
        time: The wall clock.
        monotonic: The other clock.
        index: What a new index is copied from; without it, it is made.
    """

    root: Path
    files: dict[str, WorkspaceSpec] = field(default_factory=dict)
    unreadable: bool = False
    invalid: set[str] = field(default_factory=set)
    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    monotonic: float = 1_000.0
    index: bytes = b""
    death: Death = field(default_factory=Death)
    power: MortalPower = field(init=False)
    engine: MortalEngine = field(init=False)

    def __post_init__(self) -> None:
        self.power = MortalPower(death=self.death)
        self.power.networks.add("x-net")
        self.engine = MortalEngine(power=self.power, death=self.death)
        self._new_index()

    def _new_index(self) -> None:
        if self.index:
            (self.root / "index.db").write_bytes(self.index)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.root}/index.db"

    def write(self, id_: str, **keys: Any) -> None:
        told = {"id": id_, "owner": "alice", "image": "light", **keys}
        self.files[id_] = WorkspaceSpec.model_validate(told)

    async def read(self) -> Snapshot:
        if self.unreadable:
            return Snapshot(complete=False, unreadable=True, error="it cannot be read")
        empty = not self.files
        return Snapshot(
            specs={id_: found for id_, found in self.files.items() if id_ not in self.invalid},
            invalid=dict.fromkeys(self.invalid, (WRONG,)),
            complete=not empty,
            error="empty" if empty else "",
        )

    def row(self, id_: str) -> Published | None:
        with Index.open(self.url) as index:
            return index.workspace(id_)

    def homes(self, id_: str) -> tuple[HomeVolume, ...]:
        return self.power.volumes.get(id_, ())

    def lose_index(self) -> None:
        for path in self.root.glob("index.db*"):
            path.unlink()
        self._new_index()

    def pass_time(self, seconds: float) -> None:
        self.monotonic += seconds
        self.time += timedelta(seconds=seconds)

    @asynccontextmanager
    async def runner(self) -> AsyncIterator["Life"]:
        """One run; `KilledError` ends it as SIGKILL would."""
        with Index.open(self.url, now=lambda: self.time) as index:
            board = MortalBoard(index, self.death)
            ledger = MortalLedger(self.root / "graces.json", self.death)
            clock = GraceClock(
                board,
                ledger,
                grace=GRACE,
                longest=LONGEST,
                monotonic=lambda: self.monotonic,
                now=lambda: self.time,
            )
            facts = Facts(name_prefix=PREFIX, network="x-net", run=str(self.root / "run"))
            endings = Endings(
                board=board,
                power=self.power,
                engine=self.engine,
                read=self.read,
                clock=clock,
                ledger=ledger,
                name_prefix=PREFIX,
            )
            work = Work(
                board=board,
                engine=self.engine,
                power=self.power,
                facts=facts,
                limits=Limits(),
                endings=endings,
            )
            try:
                async with asyncio.TaskGroup() as group:
                    sight = Sight(board=board, power=self.power, ledger=ledger)
                    queue = Reconciler(
                        board=board, sight=sight, work=work, facts=facts, group=group
                    )
                    yield Life(home=self, queue=queue, board=board, clock=clock, endings=endings)
                    await queue.close()
            finally:
                self.death.countdown = -1
                self.engine.running.clear()


@dataclass(frozen=True, kw_only=True)
class Life:
    """One run of the runner."""

    home: Afterlife
    queue: Reconciler
    board: Board
    clock: GraceClock
    endings: Endings

    async def look(self, *, prune: bool = True, force: bool = False) -> Mapping[str, Result]:
        """Do what the daemon does at each look, and wait for what it begins."""
        self.queue.snapshot = snapshot = await self.home.read()
        await self.endings.stand(snapshot)
        watched = await self.clock.tick(complete=snapshot.complete)
        demand = Demand(cause="a look", prune=prune, force=force, watched=watched)
        results = await self.queue.sweep(demand)
        await self.clock.correct((await self.board.rows()).values(), watched)
        return {result.id: result for result in results}

    async def purge(
        self, id_: str, *, actor: str = "cli:root", forget_missing: bool = False
    ) -> Result:
        """Do what `Runner.purge` does."""
        self.queue.snapshot = await self.home.read()
        await self.endings.check(id_, confirm=id_, snapshot=self.queue.snapshot)
        demand = Demand(
            cause=f"{actor} purged it",
            actor=actor,
            force=True,
            purge=True,
            forget_missing=forget_missing,
        )
        return await self.queue.submit(id_, demand)
