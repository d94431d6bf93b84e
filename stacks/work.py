"""Does one `Change`: the steps of bringing a workspace up, down, on or off, each published.

It runs one change of one workspace at a time per call and does not decide what to do or when:
`stacks.plan` and `stacks.reconciler` do. A step that fails raises; nothing is undone, because the
next attempt goes on from what is there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from stacks import drift, drifting, paths, progress, rundir
from stacks.board import Board, Context
from stacks.endings import Endings
from stacks.engine import (
    Kind,
    Operation,
    Outcome,
)
from stacks.errors import (
    HomeMissingError,
    StacksError,
    StaleContainerError,
)
from stacks.handover import Handover
from stacks.healing import Healing
from stacks.operations import OnEvent, Operations
from stacks.plan import Action, Change
from stacks.power import Power
from stacks.rendering import Facts
from stacks.rundir import SOCKET_NAME
from stacks.shared import make_network
from stacks.telling import described, differs, found_again, left, owner_of
from stacks.turns import Slots
from state_index.models import Changes
from state_index.phases import Event, Phase, Sync

QUIET = Changes(step="", reason="", message="")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long things may take, and how many at once.

    Attributes:
        start: Seconds until a started IDE must answer.
        stop: Seconds that a container gets to end.
        parallel: Pulumi operations at once.
        policies: Whether the policy pack is run.
    """

    start: float = 60.0
    stop: float = 10.0
    parallel: int = 2
    policies: bool = True


class Work:
    """The steps, over an engine, a power and a board."""

    def __init__(
        self,
        *,
        board: Board,
        engine: Operations,
        power: Power,
        facts: Facts,
        limits: Limits,
        endings: Endings,
    ) -> None:
        self._board = board
        self._endings = endings
        self._engine = engine
        self._power = power
        self._facts = facts
        self._limits = limits
        self._slots = Slots(limits.parallel)
        self.handover = Handover(board=board, power=power, forget=engine.forget, grace=limits.stop)
        self.healing = Healing(power=power, grace=limits.stop)
        self._network = asyncio.Lock()

    async def perform(self, change: Change, why: Context) -> Change:
        """Do a change to its end, and give what was done: what can't be healed now is only told.

        Raises:
            StacksError: A step failed; what came before it stands.
        """
        steps: dict[Action, Callable[[Change, Context], Awaitable[None]]] = {
            Action.CREATE: self._apply,
            Action.UPDATE: self._apply,
            Action.REPLACE: self._apply,
            Action.DELETE: self._delete,
            Action.START: self._start,
            Action.STOP: self._stop,
            Action.KEEP: self._endings.entomb,
            Action.PURGE: self._endings.purge,
            Action.RETIRE: partial(self.handover.give, delete=self._delete),
            Action.FORGET: self._forget,
            Action.BLOCKED: self._block,
        }
        why = replace(why, cause=drifting.cause(change, change.known.row, why.cause))
        if change.known.phase is Phase.DELETED and change.spec is not None:
            # Whoever purged it was ended before the row went; the file means a new one.
            await self._board.forget(change.id, f"{why.cause}; nothing of it was left")
        await self._endings.prepare(change)
        if change.retires and not change.action.needs_pulumi:
            await self.handover.take(change, why)
        if change.action.needs_pulumi or change.held:
            change, why = await self._decided(change, why)
        await steps.get(change.action, self._tell)(change, why)
        return change

    async def _decided(self, change: Change, why: Context) -> tuple[Change, Context]:
        """Give what is done of a change of shape; what is put off holds up nothing else."""
        change, why = await self.healing.decided(change, why)
        if change.action.needs_pulumi or change.held or not drifting.apart(change):
            return change, why
        row = await self._board.say(change.id, why, changes=described(change))
        change = replace(change, known=replace(change.known, row=row))
        change, told = await self.healing.mended(change)
        return change, replace(why, cause=f"{why.cause}; {told}")

    async def preview(self, change: Change, *, request_id: str = "") -> Outcome:
        """Ask what a change would do, Pulumi once nothing else refuses it.

        Failures are in the outcome.
        """
        try:
            await self._check(change)
        except StacksError as error:
            return Outcome(error=error)
        return await self._run(self._operation(Kind.PREVIEW, change, request_id), owner_of(change))

    def _operation(self, kind: Kind, change: Change, request_id: str) -> Operation:
        return Operation(
            kind=kind,
            stack=change.id,
            inputs=change.inputs.to_json() if change.inputs else {},
            policies=self._limits.policies,
            rules=change.rules,
            refresh=change.refresh,
            request_id=request_id,
        )

    async def _apply(self, change: Change, why: Context) -> None:
        assert change.inputs is not None, "a change of shape has inputs"
        path = paths.TO_CREATE if change.known.new else paths.TO_APPLY
        told = Changes(desired_hash=change.desired_hash, step="image")
        told |= described(change)
        await self._board.enter(change.id, why, path, told)
        await self._check(change)
        await self.handover.take(change, why)
        await self.handover.switch(change)
        run = Path(self._facts.run)
        await asyncio.to_thread(rundir.prepare, run, change.id)
        await self._share(why)
        await self._make_room(change, why)
        await self.healing.connect(change)
        operation = self._operation(Kind.UP, change, why.request_id)
        (await self._run_told(operation, change, why)).check()
        self.healing.note(change)
        await self._settle(replace(change, drift=await self.healing.left(change)), why)

    async def _make_room(self, change: Change, why: Context) -> None:
        """Remove a container that is made anew, once the policies allow what takes its place.

        Raises:
            StacksError: They do not, or it could not be removed.
        """
        if not change.remakes or change.known.container is None:
            return
        if self._limits.policies:
            asked = self._operation(Kind.PREVIEW, change, why.request_id)
            (await self._run(asked, owner_of(change))).check()
        await self.healing.clear(change)

    async def _check(self, change: Change) -> None:
        """Look whether the engine can take a change of shape; nothing is changed.

        Raises:
            StacksError: It cannot.
        """
        assert change.inputs is not None, "a change of shape has inputs"
        await self._power.check_image(change.inputs.image)
        if change.known.running and change.action is Action.UPDATE:
            await self._power.check_memory(change.id, change.inputs.memory)
        if change.known.container is None:
            # Raises when the name is taken: Pulumi would only say so after making the volume.
            await self._power.container(change.id)

    async def _settle(self, change: Change, why: Context) -> None:
        """Publish that the shape is right, and go on to on or off."""
        done = Changes(
            sync=Sync.SYNCED if change.refusal is None else change.sync,
            applied_hash=change.desired_hash,
            desired_hash=change.desired_hash,
            upstream=f"unix:{change.id}/{SOCKET_NAME}",
            step="start" if change.on else "",
            drift=drift.plain(change.drift or ()),
        )
        if change.on:
            await self._board.enter(change.id, why, paths.TO_START, done)
            await self._wake(change, why)
        else:
            await self._board.enter(change.id, why, paths.TO_STOP, done)
            await self._rest(change, why)

    async def _start(self, change: Change, why: Context) -> None:
        told = described(change) | Changes(step="start")
        if change.known.running:
            # Nothing is started: the phase catches up with what is there once the IDE answers.
            why = replace(why, cause=f"{why.cause}; its container runs")
        await self._board.enter(change.id, why, paths.TO_START, told)
        try:
            await self._wake(change, why)
        except StaleContainerError as error:
            if change.inputs is None:
                raise
            await self._apply(await self.healing.admit(change, error), why)

    async def _wake(self, change: Change, why: Context) -> None:
        await self._power.start(change.id, spec_hash=change.spec_hash, within=self._limits.start)
        self.healing.started(change.id)
        await self._board.say(change.id, why, Event.READY, changes=QUIET | left(change))

    async def _tell(self, change: Change, why: Context) -> None:
        told, events = described(change), found_again(change)
        if events and change.drift is None:
            told["message"] = change.reason
        if events or differs(change.known.row, told):
            await self._board.say(change.id, why, *events, changes=told)

    async def _forget(self, change: Change, why: Context) -> None:
        await self._board.forget(change.id, f"{why.cause}; {change.reason}")

    async def _stop(self, change: Change, why: Context) -> None:
        told = described(change) | Changes(step="stop")
        await self._board.enter(change.id, why, paths.TO_STOP, told)
        await self._rest(change, why)

    async def _rest(self, change: Change, why: Context) -> None:
        await self._power.stop(change.id, grace=self._limits.stop)
        await self._board.say(change.id, why, Event.STOPPED, changes=QUIET | left(change))

    async def _delete(self, change: Change, why: Context) -> None:
        told = described(change) | Changes(step="stop")
        await self._board.enter(change.id, why, paths.TO_DELETE, told)
        await self._power.stop(change.id, grace=self._limits.stop)
        operation = Operation(kind=Kind.DESTROY, stack=change.id, request_id=why.request_id)
        (await self._run_told(operation, change, why)).check()
        found = await self._power.container(change.id)
        if found is not None:
            # Pulumi's state was lost and knew nothing of it.
            await self._power.remove_container(found.id)
        told = Changes(step="", message=self._endings.epitaph(change))
        told |= await self._endings.dates(change)
        await self._board.say(change.id, why, Event.REMOVED, changes=told)

    async def _block(self, change: Change, why: Context) -> None:
        assert change.error is not None, "what is blocked says why"
        # Its file stands; whose home it is that is gone is not known, so the rest is not told.
        lost = isinstance(change.error, HomeMissingError)
        revived = change.known.phase is Phase.TOMBSTONED and lost
        events = (Event.REVIVE,) if revived else ()
        await self._board.say(change.id, why, *events, changes=described(change))
        raise change.error

    async def _share(self, why: Context) -> None:
        """Make the network, unless it is there."""
        async with self._network:
            name = self._facts.network
            if await self._power.named("network", name) is not None:
                return
            policies, request_id = self._limits.policies, why.request_id
            operation = make_network(self._facts, policies=policies, request_id=request_id)
            (await self._run(operation, "")).check()

    async def _run(
        self, operation: Operation, owner: str, on_event: OnEvent | None = None
    ) -> Outcome:
        async with self._slots.taken(owner):
            try:
                return await self._engine.run(operation, on_event=on_event)
            except StacksError as error:
                return Outcome(error=error)

    async def _run_told(self, operation: Operation, change: Change, why: Context) -> Outcome:
        """Run an operation and publish its steps."""
        return await progress.told(
            lambda on_event: self._run(operation, owner_of(change), on_event),
            lambda step: self._board.say(change.id, why, changes=Changes(step=step)),
        )
