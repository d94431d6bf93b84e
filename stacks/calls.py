"""How the parts of `RunnerClient` have the daemon work; `RunnerClient` itself does it."""

from collections.abc import Iterable
from typing import Any, Protocol

from stacks.steps import OnStep
from stacks.streams.model import Query


class Calls(Protocol):
    """What the parts are mixed into."""

    async def operate(
        self,
        kind: str,
        ids: Iterable[str] | None,
        *,
        options: dict[str, Any] | None = None,
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Any:
        """Have the daemon do an operation; gives its result as plain values."""

    async def ask(self, path: str, *, query: Query = ()) -> Any:
        """Read what the daemon says at a path, as plain values."""
