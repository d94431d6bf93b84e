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
from stacks.errors import StacksError
from stacks.fence import Fence
from stacks.gaps import Gaps
from stacks.gc import engine, files, tables
from stacks.gc.decide import Scene, again, leftovers
from stacks.gc.files import Places
from stacks.gc.known import Standing, Workspaces, looks_lost
from stacks.gc.model import Fate, InTree, Item, Kind, OnEngine
from stacks.gc.upkeep import Upkeep
from stacks.source import Snapshot
from telemetry.logs import get_logger

_log = get_logger(__name__)

ON_ENGINE = frozenset({Kind.CONTAINER, Kind.NETWORK, Kind.IMAGE})
NAMED = "it has another name by now"
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
            scene = await self._scene(docker)
            meant = [item for item in leftovers(scene) if only is None or item.key in only]
            done = [await self._removed(docker, item, scene) for item in meant]
            # An image goes after those that were built on it, and the engine tells no order of them.
            done = [
                await self._removed(docker, item, scene) if _is_stuck(ended) else ended
                for item, ended in zip(meant, done, strict=True)
            ]
        return (*done, *await self._pruned(only))

    async def _pruned(self, only: Collection[str] | None) -> tuple[Item, ...]:
        """Prune records; what was removed before is told though that fails."""
        try:
            return await self._upkeep.prune(only)
        except StacksError as error:
            _log.warning("records not pruned", message=error.message)
            return (
                Item(
                    kind=Kind.PRUNED,
                    id="all",
                    name="old records",
                    why="beyond the bounds that are set",
                    fate=Fate.FAILED,
                    remedy=error.message,
                ),
            )

    async def _removed(self, docker: aiodocker.Docker, item: Item, scene: Scene) -> Item:
        """Remove one, and tell what became of it: whatever goes wrong, the others are told too."""
        if item.fate is not Fate.FOUND:
            return item
        try:
            kept = await self._remove(docker, item, scene)
        except (StacksError, OSError) as error:
            told = error.message if isinstance(error, StacksError) else str(error)
            _log.warning("leftover not removed", kind=item.kind, name=item.name, message=told)
            return replace(item, fate=Fate.FAILED, remedy=told)
        if kept:
            return replace(item, fate=Fate.KEPT, remedy=kept)
        _log.info("leftover removed", kind=item.kind, name=item.name, why=item.why)
        return replace(item, fate=Fate.REMOVED)

    async def _remove(self, docker: aiodocker.Docker, item: Item, scene: Scene) -> str:
        """Remove one; say why it is kept after all, "" when it is gone."""
        if not item.workspace:
            return await self._do(docker, item, scene)
        with self._gaps.alone(item.workspace) as free:
            kept = await self._stays(item.workspace) if free else CAME_BACK
            return kept or await self._do(docker, item, scene)

    async def _stays(self, workspace: str) -> str:
        """Read anew what is known of a workspace: say why nothing of it goes, "" when it may."""
        row = await self._board.row(workspace)
        known = Workspaces(snapshot=await self._read(), rows={workspace: row} if row else {})
        standing = known.standing(workspace)
        if standing is Standing.UNCLEAR:
            return known.why_unclear
        return CAME_BACK if standing is Standing.LIVES else ""

    async def _do(self, docker: aiodocker.Docker, item: Item, scene: Scene) -> str:
        if item.kind in ON_ENGINE:
            if kept := await self._changed(docker, item, scene):
                return kept
            await engine.remove(docker, item.kind, item.id, fence=self._fence)
        elif item.kind is Kind.TABLE:
            await tables.remove(item.id, fence=self._fence)
        else:
            places = self._ours.places
            return await asyncio.to_thread(files.remove, places, item, fence=self._fence)
        return ""

    async def _changed(self, docker: aiodocker.Docker, item: Item, scene: Scene) -> str:
        """Look again right before, by its id: say why it stays by now, "" when it still may go."""
        if item.kind is Kind.CONTAINER:
            found = await engine.container(docker, item.id)
            stacks = await asyncio.to_thread(files.stacks, self._ours.places, item.workspace)
            known = replace(scene, tree=InTree(stacks=stacks))
            return again(known, found) if found else ""
        if item.kind is Kind.IMAGE:
            names = await engine.names(docker, item.id)
            return NAMED if set(names) - {item.name} else ""
        return ""

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


def _is_stuck(item: Item) -> bool:
    return item.kind is Kind.IMAGE and item.fate is Fate.FAILED
