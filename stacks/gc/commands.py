"""`gc` of a runner; the same call to a daemon is in `calls`."""

from collections.abc import Iterable
from datetime import timedelta

from settings.model import RunnerSettings
from settings.tree import TreeIds
from stacks.board import Board
from stacks.fence import Fence
from stacks.gaps import Gaps
from stacks.gc.collector import Collector, Ours
from stacks.gc.files import Places
from stacks.gc.model import Item
from stacks.gc.shelves import Shelves
from stacks.gc.upkeep import Upkeep
from stacks.source import Source
from state_index.retention import Retention
from telemetry.logs import get_logger

_log = get_logger(__name__)


class GcCommands:
    """Part of `Runner`: what it opens is set there."""

    board: Board
    source: Source
    upkeep: Upkeep
    _collector: Collector

    def _open_gc(self, settings: RunnerSettings, ids: TreeIds, gaps: Gaps, fence: Fence) -> None:
        self.upkeep = Upkeep(
            board=self.board,
            shelves=_shelves(settings),
            retention=_retention(settings),
            fence=fence,
        )
        self._collector = Collector(
            ours=_ours(settings, ids),
            board=self.board,
            read=self.source.read,
            gaps=gaps,
            fence=fence,
            upkeep=self.upkeep,
        )

    async def gc(
        self, *, remove: bool = False, only: Iterable[str] | None = None, actor: str = ""
    ) -> list[Item]:
        """Tell what is left over, or remove it; see `Operator`."""
        if not remove:
            return list(await self._collector.look())
        _log.info("removing leftovers", actor=actor)
        return list(await self._collector.remove(None if only is None else frozenset(only)))


def _ours(settings: RunnerSettings, ids: TreeIds) -> Ours:
    return Ours(
        prefix=settings.name_prefix,
        network=settings.network,
        ids=ids,
        places=Places(
            data=settings.paths, pulumi_home=settings.pulumi_home, network=settings.network
        ),
        docker_host=settings.docker_host,
    )


def _shelves(settings: RunnerSettings) -> Shelves:
    return Shelves(
        data=settings.paths,
        pulumi_home=settings.pulumi_home,
        kept=settings.pulumi_history,
        log_bytes=settings.pulumi_logs,
        log_age=settings.pulumi_logs_keep,
    )


def _retention(settings: RunnerSettings) -> Retention:
    return Retention(
        history_rows=settings.history_rows,
        history_age=timedelta(seconds=settings.history_keep),
        operation_rows=settings.operation_rows,
        operation_age=timedelta(seconds=settings.operation_keep),
    )
