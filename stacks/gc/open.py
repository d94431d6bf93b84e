"""Puts the parts of `gc` together by the settings. Apart, as most commands never need them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from settings.model import RunnerSettings
from settings.tree import TreeIds
from stacks.board import Board
from stacks.fence import Fence
from stacks.gaps import Gaps
from stacks.gc.collector import Collector, Ours
from stacks.gc.files import Places
from stacks.gc.shelves import Shelves
from stacks.gc.upkeep import Upkeep
from stacks.source import Snapshot
from state_index.retention import Retention


def upkeep_of(settings: RunnerSettings, board: Board, fence: Fence) -> Upkeep:
    """Make what keeps records and logs within their bounds."""
    return Upkeep(
        board=board, shelves=_shelves(settings), retention=_retention(settings), fence=fence
    )


def collector_of(
    settings: RunnerSettings,
    ids: TreeIds,
    upkeep: Upkeep,
    *,
    board: Board,
    read: Callable[[], Awaitable[Snapshot]],
    gaps: Gaps,
    fence: Fence,
) -> Collector:
    """Make what finds and removes leftovers.

    Args:
        settings: The settings.
        ids: Of the data tree: what bears another one's is not ours.
        upkeep: Keeps records within their bounds.
        board: The way to the index.
        read: Reads the files.
        gaps: Keeps the queue's work away from what is being removed.
        fence: Says whether this runner leads.
    """
    return Collector(
        ours=_ours(settings, ids), board=board, read=read, gaps=gaps, fence=fence, upkeep=upkeep
    )


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
