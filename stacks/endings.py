"""Ends what a removed workspace left: sets tombstones, and has homes removed, each step published.

What is to be done is decided by `stacks.tombstones`, whether a home may go by `stacks.homes`. Who may
ask for it by name is checked here (`check`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from stacks import homes, paths
from stacks.board import Board, Context
from stacks.engine.model import Leftover
from stacks.errors import (
    FileStandsError,
    NotConfirmedError,
    NotRemovedError,
    SourceError,
    UnknownWorkspaceError,
)
from stacks.grace import GraceClock
from stacks.homes import Grounds
from stacks.planned import Change
from stacks.power import Power
from stacks.programs.inputs import LABEL_HOME, LABEL_PREFIX, LABEL_WORKSPACE
from stacks.source import Snapshot
from stacks.tombstones import REMOVING, is_half_removed
from state_index.models import Changes, Published
from state_index.phases import Event, Phase

_PURGEABLE = frozenset({Phase.TOMBSTONED, Phase.ERROR})


class Forgetful(Protocol):
    """What can let Pulumi forget a stack: `stacks.engine.Engine`."""

    async def forget(self, stack: str) -> None:
        """Drop a stack from Pulumi's state; what it held stays on the engine."""


class Endings:
    """The steps at the end of a home's life."""

    def __init__(
        self,
        *,
        board: Board,
        power: Power,
        engine: Forgetful,
        read: Callable[[], Awaitable[Snapshot]],
        clock: GraceClock,
        name_prefix: str,
    ) -> None:
        """Prepare.

        Args:
            board: Where things are published.
            power: The container engine.
            engine: Pulumi.
            read: Reads the folder anew.
            clock: Counts the grace.
            name_prefix: First part of the volumes' names.
        """
        self._board = board
        self._power = power
        self._engine = engine
        self._read = read
        self._clock = clock
        self._prefix = name_prefix

    async def dates(self, change: Change) -> Changes:
        """Give the dates of the tombstone that a removal ends with; none where no home is left."""
        row = change.known.row
        if change.known.homes or (row is not None and row.applied_hash):
            return await self._clock.dates(row)
        return Changes()

    async def entomb(self, change: Change, why: Context) -> None:
        """Set the tombstone of a home that has none, its grace beginning now."""
        known = change.known
        told = await self._clock.dates(known.row)
        if known.row is None:
            told["owner"] = known.homes[-1].owner
        told["message"] = change.reason
        events = () if known.row else (Event.REMOVED,)
        await self._board.say(known.id, why, *events, changes=told)

    async def check(self, workspace_id: str, *, confirm: str, snapshot: Snapshot) -> None:
        """Refuse to purge what still stands, or what nobody named twice; raises as `check`."""
        container = await self._power.container(workspace_id)
        check(
            workspace_id,
            confirm=confirm,
            snapshot=snapshot,
            row=await self._board.row(workspace_id),
            container=container.name if container else "",
            homes_left=bool(await self._volumes(workspace_id)),
        )

    async def purge(self, change: Change, why: Context) -> None:
        """Remove a workspace's homes, and then all that is published of it but its history.

        Raises:
            HomeKeptError: Something speaks against it.
        """
        why = replace(why, cause=f"{why.cause}; {change.reason}")
        hands = self.hands(why)
        if is_half_removed(change.known):
            await hands.forget(change.id)
        else:
            await homes.remove(change.id, by_name=change.by_name, hands=hands)
        await self._board.say(change.id, why, Event.PURGED)
        await self._board.forget(change.id, why.cause)

    def hands(self, why: Context) -> homes.Hands:
        """Give what `homes.remove` sees and does; a seam for tests."""
        return _Hands(self, why)

    async def grounds(self, workspace_id: str) -> Grounds:
        """Read anew what speaks for and against removing a home."""
        volumes = await self._volumes(workspace_id)
        holders = [found for each in volumes for found in await self._power.holders(each.name)]
        return Grounds(
            container=await self._power.container(workspace_id),
            volumes=volumes,
            holders=tuple(holders),
            row=await self._board.row(workspace_id),
            watched=await self._clock.watched(),
            # Last: the engine may take long to answer, and the file come back meanwhile.
            snapshot=await self._read(),
        )

    async def begin(self, workspace_id: str, why: Context) -> None:
        """Publish that the homes are being removed."""
        told = Changes(step=REMOVING)
        await self._board.enter(workspace_id, why, paths.TO_PURGE, told)

    async def forget(self, workspace_id: str) -> None:
        """Let Pulumi forget."""
        await self._engine.forget(workspace_id)

    async def remove_volume(self, volume: Leftover) -> None:
        """Let the engine remove."""
        await self._power.remove_home(volume)

    async def _volumes(self, workspace_id: str) -> tuple[Leftover, ...]:
        labels = {LABEL_PREFIX: self._prefix, LABEL_WORKSPACE: workspace_id}
        found = await self._power.find(labels)
        homes_found = [
            each for each in found if each.kind == "volume" and each.ours and _is_home(each)
        ]
        # The newest last: it is what is left when the removal is cut off.
        return tuple(sorted(homes_found, key=lambda each: int(each.labels[LABEL_HOME])))


def _is_home(found: Leftover) -> bool:
    return found.labels.get(LABEL_HOME, "").isdecimal()


class _Hands:
    """The hands of one removal, whose steps are published with their cause."""

    def __init__(self, endings: Endings, why: Context) -> None:
        self._endings = endings
        self._why = why
        self.grounds = endings.grounds
        self.forget = endings.forget
        self.remove_volume = endings.remove_volume

    async def begin(self, workspace_id: str) -> None:
        await self._endings.begin(workspace_id, self._why)


def check(
    workspace_id: str,
    *,
    confirm: str,
    snapshot: Snapshot,
    row: Published | None,
    container: str,
    homes_left: bool,
) -> None:
    """Refuse to purge what still stands, or what nobody named twice. Pure.

    Args:
        workspace_id: Which.
        confirm: The id once more, as someone typed it.
        snapshot: What the folder says.
        row: What is published of it.
        container: Name of its container, "" without one.
        homes_left: Whether a home of it is there.

    Raises:
        NotConfirmedError: It was not typed.
        FileStandsError: Its file is there.
        SourceError: Whether it is cannot be told.
        UnknownWorkspaceError: Nothing is known of it.
        NotRemovedError: Something else of it still stands.
    """
    if confirm != workspace_id:
        raise NotConfirmedError(f"to purge {workspace_id}, its id must be given a second time")
    if workspace_id in snapshot.ids:
        raise FileStandsError(f"the file of {workspace_id} asks for it", step="purge")
    if heir := snapshot.heirs.get(workspace_id):
        raise FileStandsError(f"{workspace_id} is {heir} now: the file of {heir} names its home")
    if snapshot.unreadable:
        raise SourceError(f"whether its file is gone is not known: {snapshot.error}")
    if row is None and not container and not homes_left:
        raise UnknownWorkspaceError(f"there is no workspace {workspace_id}")
    if container:
        raise NotRemovedError(f"{workspace_id} still has its container, {container}")
    if row is not None and row.phase not in _PURGEABLE and row.grace_end is None:
        raise NotRemovedError(f"{workspace_id} is {row.phase}")
