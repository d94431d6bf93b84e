"""Looks for leftovers and removes them, under the runner's right to act and beside its other work.

Whoever removes holds the seat, asks the fence before each step, and keeps the queue's hands off the
workspace that a leftover belonged to; what the workspace is by then is read again before. So what an
operation is making is never a leftover, and what came to be one another's is left alone.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aiodocker
import aiohttp

from settings.tree import TreeIds
from stacks.address import engine_address
from stacks.board import Board
from stacks.docker_calls import CALL_TIMEOUT
from stacks.errors import NotLeadingError, StacksError
from stacks.fence import Fence
from stacks.gaps import Gaps
from stacks.gc import engine, files, tables
from stacks.gc.decide import Scene, leftovers
from stacks.gc.files import Places
from stacks.gc.known import Standing, Workspaces, looks_lost
from stacks.gc.model import Fate, InTree, Item, Kind, OnEngine
from stacks.gc.upkeep import Upkeep
from stacks.source import Snapshot
from telemetry.logs import get_logger

_log = get_logger(__name__)

ON_ENGINE = frozenset({Kind.CONTAINER, Kind.NETWORK, Kind.IMAGE})
CAME_BACK = "something knows its workspace again, or is at work on it"


@dataclass(frozen=True, kw_only=True)
class Ours:
    """What is ours, by names."""

    prefix: str
    network: str
    ids: TreeIds
    places: Places
    docker_host: str | None = None


class Collector:
    """Finds and removes leftovers of one data tree."""

    def __init__(
        self,
        *,
        ours: Ours,
        board: Board,
        read: Callable[[], Awaitable[Snapshot]],
        gaps: Gaps,
        fence: Fence,
        upkeep: Upkeep,
    ) -> None:
        """Prepare.

        Args:
            ours: What is ours.
            board: The index.
            read: Reads the folder anew.
            gaps: Tells what the queue is at work on, and keeps it off.
            fence: Says whether anything may be removed.
            upkeep: What prunes records.
        """
        self._ours = ours
        self._board = board
        self._read = read
        self._gaps = gaps
        self._fence = fence
        self._upkeep = upkeep

    async def look(self) -> tuple[Item, ...]:
        """Tell what is left over, and which records are beyond their bounds. Nothing is changed.

        Raises:
            EngineUnavailableError: The engine does not answer.
            PublishFailedError: The index does not.
        """
        async with self._docker() as docker:
            return (*leftovers(await self._scene(docker)), *await self._upkeep.look())

    async def remove(self, only: Collection[str] | None = None) -> tuple[Item, ...]:
        """Remove what is left over, and prune records; gives what became of each.

        Args:
            only: Keys of those that are meant; all by default.

        Raises:
            EngineUnavailableError: The engine does not answer.
            NotLeadingError: Another runner may lead.
        """
        self._fence.check("gc")
        async with self._docker() as docker:
            found = leftovers(await self._scene(docker))
            meant = [item for item in found if only is None or item.key in only]
            done = [await self._removed(docker, item) for item in meant]
        return (*done, *await self._upkeep.prune(only))

    async def _removed(self, docker: aiodocker.Docker, item: Item) -> Item:
        if item.fate is not Fate.FOUND:
            return item
        try:
            kept = await self._remove(docker, item)
        except NotLeadingError:
            raise
        except (StacksError, OSError) as error:
            told = error.message if isinstance(error, StacksError) else str(error)
            _log.warning("leftover not removed", kind=item.kind, name=item.name, message=told)
            return replace(item, fate=Fate.FAILED, remedy=told)
        if kept:
            return replace(item, fate=Fate.KEPT, remedy=kept)
        _log.info("leftover removed", kind=item.kind, name=item.name, why=item.why)
        return replace(item, fate=Fate.REMOVED)

    async def _remove(self, docker: aiodocker.Docker, item: Item) -> str:
        """Remove one; say why it is kept after all, "" when it is gone."""
        if not item.workspace:
            await self._do(docker, item)
            return ""
        with self._gaps.alone(item.workspace) as free:
            if not free or (item.kind is not Kind.CONTAINER and await self._lives(item.workspace)):
                return CAME_BACK
            await self._do(docker, item)
            return ""

    async def _lives(self, workspace: str) -> bool:
        row = await self._board.row(workspace)
        known = Workspaces(
            snapshot=await self._read(),
            rows={workspace: row} if row else {},
        )
        return known.standing(workspace) is Standing.LIVES

    async def _do(self, docker: aiodocker.Docker, item: Item) -> None:
        if item.kind in ON_ENGINE:
            await engine.remove(docker, item.kind, item.id, fence=self._fence)
        elif item.kind is Kind.TABLE:
            await tables.remove(item.id, fence=self._fence)
        else:
            await asyncio.to_thread(files.remove, self._ours.places, item, fence=self._fence)

    async def _scene(self, docker: aiodocker.Docker) -> Scene:
        ours = self._ours
        # Before the engine is asked: what is made meanwhile belongs to one that was busy then.
        busy = self._gaps.busy
        on_engine = await engine.look(docker)
        in_tree = await asyncio.to_thread(files.look, ours.places)
        return Scene(
            prefix=ours.prefix,
            network=ours.network,
            ids=ours.ids,
            workspaces=await self._workspaces(busy, on_engine, in_tree),
            engine=on_engine,
            tree=in_tree,
            tables=await tables.look(),
        )

    async def _workspaces(
        self, busy: frozenset[str], on_engine: OnEngine, in_tree: InTree
    ) -> Workspaces:
        rows = await self._board.rows()
        homes = (found.name for found in on_engine.volumes if self._is_prefixed(found.name))
        return Workspaces(
            snapshot=await self._read(),
            rows=rows,
            busy=busy | self._gaps.busy,
            lost=looks_lost(rows, homes, in_tree.stacks),
        )

    def _is_prefixed(self, name: str) -> bool:
        return name.startswith(self._ours.prefix)

    @asynccontextmanager
    async def _docker(self) -> AsyncIterator[aiodocker.Docker]:
        timeout = aiohttp.ClientTimeout(total=CALL_TIMEOUT)
        docker = aiodocker.Docker(engine_address(self._ours.docker_host), timeout=timeout)
        try:
            yield docker
        finally:
            await docker.close()


def keys(items: Iterable[Item]) -> list[str]:
    """Name the leftovers that may be removed, for whoever confirms them."""
    return [item.key for item in items if item.fate is Fate.FOUND]
