"""What runs Pulumi operations, as the rooms above the engine's see it."""

from collections.abc import Callable
from typing import Protocol

from stacks.engine import EngineEvent, Operation, Outcome

OnEvent = Callable[[EngineEvent], None]


class Operations(Protocol):
    """What runs Pulumi operations: `stacks.engine.Engine`, or one that is started when needed."""

    async def run(self, operation: Operation, *, on_event: OnEvent | None = None) -> Outcome:
        """Run one operation to its end; failures are in the outcome."""

    async def forget(self, stack: str) -> None:
        """Drop a stack from Pulumi's state; what it held stays on the engine."""
