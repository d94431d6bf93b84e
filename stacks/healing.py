"""What healing drift needs beside Pulumi: room for a new container, its network, and a look afterwards.

Only a container is ever removed here. A home is a volume, stays, and is mounted by the new one.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from stacks import drift, drifting
from stacks.board import Context
from stacks.drift import Difference
from stacks.errors import EngineRefusedError, MemoryInUseError, StaleContainerError
from stacks.planned import Action, Change, Wish
from stacks.power import Power
from stacks.programs import shape
from stacks.remakes import RemakeCap

WITHIN = 600.0
"""Seconds in which what was healed may come back `TIMES` times; then it is somebody's will."""

TIMES = 3

LOOK_AGAIN = 3600.0
"""Seconds after which it is looked again whether memory in use lets a limit be set: a look takes two.

And after which one that is refused is once more made anew.
"""

Found = tuple[str, frozenset[Difference]]
"""A container, and how it differs."""


class Healing:
    """The steps before and after an `up`."""

    def __init__(
        self, *, power: Power, grace: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepare.

        Args:
            power: The container engine.
            grace: Seconds that a container gets to end.
            monotonic: The clock by which healing is counted.
        """
        self._power = power
        self._grace = grace
        self._now = monotonic
        self._healed: dict[str, list[tuple[float, str]]] = {}
        self.remakes: RemakeCap | None = None
        """Counts what is made anew; the queue sets it."""
        self._put_off: dict[str, tuple[float, Found]] = {}
        self._supposed: dict[str, tuple[str, float]] = {}
        """Of which spec a container was made anew on suspicion, and when, by workspace."""

    async def decided(self, change: Change, why: Context) -> tuple[Change, Context]:
        """Give what is done of a change of shape right now, and why: it, or on and off alone.

        Raises:
            StacksError: It cannot be seen.
        """
        stays = self.given_up(change)
        if stays is not None:
            cause = why.cause.removesuffix(drifting.HELD)
            told_why = replace(why, cause=f"{cause}; it comes back each time, and is left")
            return drifting.given_up(change.known, change, stays), told_why
        if not change.action.needs_pulumi or await self.is_possible(change):
            return change, why
        alone = [replace(change, drift=(each,)) for each in drifting.apart(change)]
        stays = tuple(each for one in alone for each in self.given_up(one) or ())
        told = drift.standing(change.drift or (), stays)
        left = drifting.put_off(change.known, replace(change, drift=told))
        return left, replace(why, cause=f"{why.cause}{drifting.PUT_OFF}")

    async def mended(self, change: Change) -> tuple[Change, str]:
        """Set right what asks nothing of the memory of one whose memory waits; gives what was, in words.

        Raises:
            StacksError: It could not be.
        """
        done = drifting.apart(change)
        off, words = drifting.off_network(change), []
        container, inputs = change.known.container, change.inputs
        assert container is not None, "it uses too much memory"
        assert inputs is not None, "a change of shape has inputs"
        if limits := [each.field for each in done if each not in off]:
            await self._power.limit(container.id, pids=inputs.pids, restart=shape.RESTART)
            words.append(f"{' and '.join(limits)} set right")
        if off:
            await self.connect(change)
            words.append("it was put back on its network")
        self.note(replace(change, drift=done))
        rest = tuple(each for each in change.drift or () if each not in done)
        return drifting.put_off(change.known, replace(change, drift=rest)), "; ".join(words)

    def given_up(self, change: Change) -> tuple[Difference, ...] | None:
        """Give the differences where all that is to be healed comes back each time; else None.

        Something on the machine may set it whenever a container starts, and to another value each
        time: healing would remove that container, and the next one, for ever.
        """
        found = drifting.after_power(change)
        heals = [each for each in found if not each.stays]
        if change.known.container is None or not heals:
            return None
        recent = self._recent(change.id)
        if any(recent.count(each.field) < TIMES for each in heals):
            return None
        return tuple(replace(each, stays=True) for each in found)

    def note(self, change: Change) -> None:
        """Remember what was healed; an attempt that failed says nothing of what comes back."""
        if change.known.container is not None and change.drift:
            found = [(self._now(), it.field) for it in change.drift if not it.stays]
            self._healed[change.id] = [*self._healed.get(change.id, []), *found]

    def _recent(self, workspace_id: str) -> list[str]:
        since = self._now() - WITHIN
        kept = [it for it in self._healed.pop(workspace_id, []) if it[0] > since]
        if kept:
            self._healed[workspace_id] = kept
        return [field for _, field in kept]

    async def is_possible(self, change: Change) -> bool:
        """Whether a limit of memory can be set right now; a workspace that needs more goes on as it is.

        Raises:
            StacksError: It cannot be seen.
        """
        if not change.drift or not change.known.running or change.inputs is None:
            return True
        if change.remakes or not any(each.field == "memory" for each in change.drift):
            return True
        if self._was_seen(change):
            return False
        try:
            await self._power.check_memory(change.id, change.inputs.memory)
        except MemoryInUseError:
            self._put_off[change.id] = (self._now(), _found(change))
            return False
        self._put_off.pop(change.id, None)
        return True

    def waits(self, change: Change) -> bool:
        """Whether nothing can be done within the hour: its memory is in use, and all else is right."""
        if not change.known.running or not self._was_seen(change) or drifting.apart(change):
            return False
        return drifting.put_off(change.known, change).action is Action.NOTHING

    def _was_seen(self, change: Change) -> bool:
        """Whether it was seen within the hour that this cannot be set right, and nothing changed."""
        if change.id not in self._put_off:
            return False
        at, found = self._put_off[change.id]
        return self._now() - at < LOOK_AGAIN and found == _found(change)

    def ask_again(self, workspace_id: str) -> None:
        """Forget what was put off, and what was made anew on suspicion: someone asks."""
        self._put_off.pop(workspace_id, None)
        self._supposed.pop(workspace_id, None)

    async def admit(self, change: Change, error: StaleContainerError) -> Change:
        """Give the change that makes a container anew which can't be started.

        One that is only supposed to be broken counts among those that drift has made anew: whatever has
        an engine refuse one may have it refuse all of them. And what refuses the next one of the same
        spec too is not in the container: to go on making them would help nobody.

        Raises:
            EngineRefusedError: As many were made anew within the hour as may, or this one was.
        """
        # Of a broken one, Pulumi sees nothing wrong with it. Its home is a volume and stays.
        made = replace(change, action=Action.UPDATE, refresh=True, remakes=error.broken)
        if not error.supposed:
            return made
        hash_, at = self._supposed.get(change.id, ("", 0.0))
        again = hash_ == change.spec_hash and self._now() - at < LOOK_AGAIN
        admitted = made
        if self.remakes and not again:
            admitted = await self.remakes.admitted(made, Wish(heal=change.by_word))
        if again or not admitted.remakes:
            raise EngineRefusedError(error.message, step=error.step)
        return replace(made, supposed=True)

    def started(self, workspace_id: str) -> None:
        """Say that its container is started: it is not broken."""
        self._supposed.pop(workspace_id, None)

    async def clear(self, change: Change) -> None:
        """Remove a container of which Pulumi would not see what is wrong with it.

        Raises:
            StacksError: It could not be removed.
        """
        container = change.known.container
        if not change.remakes or container is None:
            return
        if self.remakes is not None:
            self.remakes.ends(change.id)
        await self._power.stop(change.id, grace=self._grace)
        await self._power.remove_container(container.id)
        if change.supposed:
            self._supposed[change.id] = change.spec_hash, self._now()
        if self.remakes is not None:
            self.remakes.made(change.id)

    async def connect(self, change: Change) -> None:
        """Put a container that stays back on its network: an `up` sees nothing of that.

        Raises:
            StacksError: It could not be.
        """
        container = change.known.container
        if change.remakes or container is None or change.inputs is None:
            return
        if drifting.off_network(change):
            await self._power.connect(container.id, change.inputs.network)

    async def left(self, change: Change) -> tuple[Difference, ...]:
        """Give what differs right after an `up`; what it was to set right and did not, stays.

        On a container that it made, no other hand was yet: there all is the engine's doing, by its
        settings or the image's. On one that was there before, another hand may have been.

        Raises:
            StacksError: It cannot be seen.
        """
        container = await self._power.container(change.id)
        if container is None or container.observed is None or change.inputs is None:
            return ()
        row = change.known.row
        known = [each for each in drift.read(row.drift) if each.stays] if row else []
        found = drift.compare(change.inputs, container.observed)
        before = change.known.container
        is_new = before is None or before.id != container.id
        tried = [replace(each, stays=True) for each in (found if is_new else change.drift or ())]
        return drift.standing(found, [*known, *tried])


def _found(change: Change) -> Found:
    container = change.known.container
    found = (each for each in change.drift or () if not drift.is_apart(each))
    return (container.id if container else ""), frozenset(found)
