"""The engine as its callers see it: run one operation, tell its steps, give its outcome."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from stacks.engine.model import EngineConfig, EngineEvent, Leftovers, Operation, Outcome

OnEvent = Callable[[EngineEvent], None]


class Engine:
    """Runs Pulumi operations, each in a process of its own that dies with this one."""

    def __init__(self, config: EngineConfig, *, leftovers: Leftovers) -> None:
        self._config = config
        self._leftovers = leftovers

    async def __aenter__(self) -> Self:
        """Start the process that operations are forked from."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every operation and the process they are forked from."""

    async def run(self, operation: Operation, *, on_event: OnEvent | None = None) -> Outcome:
        """Run one operation to its end.

        Cancelling ends the operation (SIGINT, then SIGKILL of its group).

        Args:
            operation: What to do.
            on_event: Called in the event loop for each step.

        Returns:
            How it ended; failures are in ``Outcome.error``, not raised.
        """
        raise NotImplementedError

    async def forget(self, stack: str) -> None:
        """Drop a stack from Pulumi's state; what it held stays on the engine."""
        raise NotImplementedError
