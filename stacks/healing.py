"""What healing drift needs beside Pulumi: room for a container to be made anew, and a look afterwards.

Only a container is ever removed here. A home is a volume, stays, and is mounted by the new one.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from stacks import drift
from stacks.drift import Difference
from stacks.errors import MemoryInUseError
from stacks.planned import Change
from stacks.power import Power

WITHIN = 600.0
"""Seconds in which what was healed may come back `TIMES` times; then it is somebody's will."""

TIMES = 3


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
        self._healed: dict[str, list[tuple[float, str, str]]] = {}

    def given_up(self, change: Change) -> tuple[Difference, ...] | None:
        """Give the differences where all that is to be healed comes back each time; else None.

        Something on the machine may set it whenever a container starts: healing would remove that
        container, and the next one, for ever.
        """
        heals = [each for each in change.drift or () if not each.stays]
        if change.known.container is None or not heals:
            return None
        recent = self._recent(change.id)
        if any(recent.count((each.field, each.found)) < TIMES for each in heals):
            return None
        return tuple(replace(each, stays=True) for each in change.drift or ())

    def note(self, change: Change) -> None:
        """Remember what is about to be healed."""
        if change.known.container is not None and change.drift:
            found = [(self._now(), it.field, it.found) for it in change.drift if not it.stays]
            self._healed[change.id] = [*self._healed.get(change.id, []), *found]

    def _recent(self, workspace_id: str) -> list[tuple[str, str]]:
        since = self._now() - WITHIN
        kept = [it for it in self._healed.pop(workspace_id, []) if it[0] > since]
        if kept:
            self._healed[workspace_id] = kept
        return [(field, found) for _, field, found in kept]

    async def is_possible(self, change: Change) -> bool:
        """Whether a limit of memory can be set right now; a workspace that needs more goes on as it is.

        Raises:
            StacksError: It cannot be seen.
        """
        if not change.drift or not change.known.running or change.inputs is None:
            return True
        if change.remakes or not any(each.field == "memory" for each in change.drift):
            return True
        try:
            await self._power.check_memory(change.id, change.inputs.memory)
        except MemoryInUseError:
            return False
        return True

    async def clear(self, change: Change) -> None:
        """Remove a container of which Pulumi would not see what is wrong with it.

        Raises:
            StacksError: It could not be removed.
        """
        container = change.known.container
        if change.remakes and container is not None:
            await self._power.stop(change.id, grace=self._grace)
            await self._power.remove_container(container.id)

    async def left(self, change: Change) -> tuple[Difference, ...]:
        """Give what differs right after an `up`; what it was to set right and did not, stays.

        Raises:
            StacksError: It cannot be seen.
        """
        container = await self._power.container(change.id)
        if container is None or container.observed is None or change.inputs is None:
            return ()
        row = change.known.row
        known = [each for each in drift.read(row.drift) if each.stays] if row else []
        tried = [replace(each, stays=True) for each in change.drift or ()]
        return drift.standing(drift.compare(change.inputs, container.observed), [*known, *tried])
