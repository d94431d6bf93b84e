"""What healing drift needs beside Pulumi: room for a container to be made anew, and a look afterwards.

Only a container is ever removed here. A home is a volume, stays, and is mounted by the new one.
"""

from dataclasses import replace

from stacks import drift
from stacks.drift import Difference
from stacks.errors import MemoryInUseError
from stacks.planned import Change
from stacks.power import Power


class Healing:
    """The steps before and after an `up`."""

    def __init__(self, *, power: Power, grace: float) -> None:
        """Prepare.

        Args:
            power: The container engine.
            grace: Seconds that a container gets to end.
        """
        self._power = power
        self._grace = grace

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
