"""Fills an index that was lost, from the labels of what is there and from Pulumi's state.

A runner that looks around finds everything again by itself, but not what it was doing: a workspace
that slept would be new to it, and be started. Here each one gets a row that says whose it is and
whether it runs, before anything is worked on. Nothing on the engine is touched; rows that say more
than labels can are left alone, so doing it again changes nothing.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from stacks import renames
from stacks.board import Board, Context
from stacks.errors import HomeMissingError, OvertakenError
from stacks.identity import number_of
from stacks.power import Container, HomeVolume, Power
from stacks.programs.inputs import LABEL_OWNER
from stacks.rundir import SOCKET_NAME
from stacks.shared import SHARED_STACK
from stacks.source import Snapshot
from stacks.steps import Result
from state_index.models import Changes, Published
from state_index.phases import Event, Phase, Sync

REBUILT = "rebuild"
"""The action of a result that tells of a new row."""


class Memory(Protocol):
    """What of Pulumi's state is asked: `stacks.recorded.Recorded`."""

    def homes(self, workspace_id: str) -> tuple[str, ...]:
        """Give the home volumes in a workspace's stack."""

    def stacks(self) -> frozenset[str]:
        """Name all stacks."""


@dataclass(frozen=True, kw_only=True)
class Find:
    """What was found of one workspace.

    Attributes:
        id: Its id.
        container: Its container.
        homes: Its homes by their labels, by rising number.
        lost: A home volume that Pulumi's state has and the engine has not, "" for none.
        has_file: Whether it has a file, right or wrong.
        healthy: Whether its IDE answers.
    """

    id: str
    container: Container | None = None
    homes: tuple[HomeVolume, ...] = ()
    lost: str = ""
    has_file: bool = False
    healthy: bool = False

    @property
    def source(self) -> str:
        """By what it was found, for its history."""
        if self.container is not None:
            return "the labels of its container"
        return "the labels of its home" if self.homes else "Pulumi's state"


def is_told(row: Published | None) -> bool:
    """Whether a row says more than labels can."""
    if row is None:
        return False
    return row.phase is not Phase.PENDING or bool(row.applied_hash or row.spec_json)


def events(find: Find) -> tuple[Event, ...]:
    """Give what leads a new row to what is there."""
    if find.container is not None:
        if not find.container.running:
            return (Event.STOPPED,)
        return (Event.BOOTING, Event.READY) if find.healthy else (Event.BOOTING,)
    if find.has_file:
        return ()
    return (Event.REMOVED,)


def described(find: Find) -> Changes:
    """Give what its row says besides."""
    told = Changes(sync=Sync.OUT_OF_SYNC)
    if find.homes:
        told["owner"] = find.homes[-1].owner
    if find.container is not None:
        told["owner"] = find.container.labels.get(LABEL_OWNER, "") or told.get("owner", "")
        told["image"] = find.container.image
        told["upstream"] = f"unix:{find.id}/{SOCKET_NAME}"
    return told


class Rebuild:
    """The steps."""

    def __init__(
        self,
        *,
        board: Board,
        power: Power,
        memory: Memory,
        is_healthy: Callable[[str], Awaitable[bool]],
    ) -> None:
        """Prepare.

        Args:
            board: The index.
            power: The container engine.
            memory: Pulumi's state.
            is_healthy: Whether a workspace's IDE answers.
        """
        self._board = board
        self._power = power
        self._memory = memory
        self._is_healthy = is_healthy

    async def run(self, snapshot: Snapshot, why: Context) -> list[Result]:
        """Give each workspace that can be found a row; those that have one keep it.

        Args:
            snapshot: What the folder says; without it, no tombstone is set.
            why: Who asks, for the history.

        Returns:
            One result for each that was found.
        """
        rows = await self._board.rows()
        results = []
        for find in await self._finds(snapshot, rows):
            row = rows.get(find.id)
            told = row if is_told(row) else await self._tell(find, row, why)
            changed = told is not None and (row is None or told.generation != row.generation)
            results.append(
                Result(
                    id=find.id,
                    action=REBUILT if changed else "nothing",
                    phase=told.phase if told else "",
                    sync=told.sync if told else "",
                    changed=changed,
                )
            )
        return results

    async def _finds(self, snapshot: Snapshot, rows: dict[str, Published]) -> list[Find]:
        inventory = await self._power.inventory()
        heirs = renames.heirs(snapshot, rows, inventory.containers.values())
        there = {home.name for homes in inventory.homes.values() for home in homes}
        ids = inventory.containers.keys() | (inventory.homes.keys() - heirs.keys())
        if snapshot.unreadable or not snapshot.complete:
            # Whether it is a tombstone or waits for its file is not known.
            ids = ids & (inventory.containers.keys() | snapshot.ids)
        lost = {id_: self._lost(id_, there) for id_ in self._memory.stacks() & snapshot.ids - ids}
        lost.pop(SHARED_STACK, None)
        found = []
        for id_ in sorted(ids | {id_ for id_, name in lost.items() if name}):
            container = inventory.containers.get(id_)
            found.append(
                Find(
                    id=id_,
                    container=container,
                    homes=inventory.homes.get(id_, ()),
                    lost=lost.get(id_, ""),
                    has_file=id_ in snapshot.ids,
                    healthy=bool(container and container.running) and await self._is_healthy(id_),
                )
            )
        return found

    def _lost(self, workspace_id: str, there: set[str]) -> str:
        names = [name for name in self._memory.homes(workspace_id) if number_of(name) is not None]
        return "" if set(names) & there else max(names, default="")

    async def _tell(self, find: Find, row: Published | None, why: Context) -> Published | None:
        """Write one row; None when somebody else just wrote it."""
        by = Context(
            cause=f"{why.cause}; found by {find.source}",
            request_id=why.request_id,
            actor=why.actor,
        )
        told, known = described(find), row.generation if row else 0
        steps = events(find)
        with suppress(OvertakenError):
            if find.lost:
                missing = f"the home volume {find.lost} is not on this engine"
                error = HomeMissingError.of(find.id, find.lost, missing)
                return await self._board.fail(
                    find.id, by, error, retry_in=None, changes=told, if_generation=known
                )
            return await self._board.say(find.id, by, *steps, changes=told, if_generation=known)
        return None
