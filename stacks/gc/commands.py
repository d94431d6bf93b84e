"""`gc` of a runner; the same call to a daemon is in `calls`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from telemetry.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from settings.model import RunnerSettings
    from settings.tree import TreeIds
    from stacks.board import Board
    from stacks.fence import Fence
    from stacks.gc.collector import Collector
    from stacks.gc.model import Item
    from stacks.gc.upkeep import Upkeep
    from stacks.reconciler import Reconciler
    from stacks.source import Source

_log = get_logger(__name__)


class GcCommands:
    """Part of `Runner`: what it opens is set there; what only `gc` needs is loaded with its first call."""

    settings: RunnerSettings
    board: Board
    source: Source
    queue: Reconciler
    _ids: TreeIds
    _fence: Fence

    @cached_property
    def upkeep(self) -> Upkeep:
        """Keeps records and logs within their bounds."""
        from stacks.gc.open import upkeep_of  # noqa: PLC0415 - see the class

        return upkeep_of(self.settings, self.board, self._fence)

    @cached_property
    def _collector(self) -> Collector:
        from stacks.gc.open import collector_of  # noqa: PLC0415 - see the class

        return collector_of(
            self.settings,
            self._ids,
            self.upkeep,
            board=self.board,
            read=self.source.read,
            gaps=self.queue.gaps,
            fence=self._fence,
        )

    async def gc(
        self, *, remove: bool = False, only: Iterable[str] | None = None, actor: str = ""
    ) -> list[Item]:
        """Tell what is left over, or remove it; see `Operator`."""
        if not remove:
            return list(await self._collector.look())
        _log.info("removing leftovers", actor=actor)
        return list(await self._collector.remove(None if only is None else frozenset(only)))
