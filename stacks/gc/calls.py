"""`gc` of `RunnerClient`: the same as `stacks.gc.commands` has. It loads nothing of what does the work."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from stacks.calls import Calls
from stacks.gc.model import Item


class GcCalls(Calls, Protocol):
    """Part of `RunnerClient`: how it calls is told there."""

    async def gc(
        self, *, remove: bool = False, only: Iterable[str] | None = None, actor: str = ""
    ) -> list[Item]:
        """Tell what is left over, or remove it; see `Operator`."""
        options = {
            "remove": remove,
            "only": None if only is None else sorted(only),
            "actor": actor,
        }
        return [Item.from_json(item) for item in await self.operate("gc", None, options=options)]


def only_looks(kind: str, options: Mapping[str, Any]) -> bool:
    """Whether an operation changes nothing, so that nobody has to wait for its end."""
    return kind in {"preview", "diff"} or (kind == "gc" and not options.get("remove"))
