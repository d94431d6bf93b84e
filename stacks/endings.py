"""Ends what a removed workspace left: sets tombstones, and has homes removed, each step published.

What is to be done is decided by `stacks.tombstones`, whether a home may go by `stacks.homes`. Who may
ask for it by name is checked here (`check`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from stacks import homes, paths, purging, renames, torn
from stacks.board import Board, Context
from stacks.engine.model import Leftover
from stacks.errors import (
    LedgerError,
)
from stacks.grace import GraceClock
from stacks.grounds import Grounds
from stacks.ledger import Ledger
from stacks.ledger_entries import UNREADABLE, Entry, agree
from stacks.planned import Action, Change, Known
from stacks.power import Power
from stacks.programs.inputs import LABEL_HOME, LABEL_PREFIX, LABEL_WORKSPACE
from stacks.source import Snapshot
from stacks.telling import described
from stacks.tombstones import REMOVING, is_half_removed
from state_index.models import Changes, Published
from state_index.phases import Event


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
        ledger: Ledger,
        name_prefix: str,
    ) -> None:
        """Prepare.

        Args:
            board: Where things are published.
            power: The container engine.
            engine: Pulumi.
            read: Reads the folder anew.
            clock: Counts the grace.
            ledger: The second memory of what was removed.
            name_prefix: First part of the volumes' names.
        """
        self._board = board
        self._power = power
        self._engine = engine
        self._read = read
        self._clock = clock
        self._ledger = ledger
        self._prefix = name_prefix
        self.turn = asyncio.Lock()
        """Held while one home is removed: the last look at it is not older than its turn."""

    def epitaph(self, change: Change) -> str:
        """Say what is left of a workspace that was removed."""
        former = "" if change.known.homes else renames.former_id(change.known.row)
        return f"removed; its home is kept{f' under its former id, {former}' if former else ''}"

    async def dates(self, change: Change) -> Changes:
        """Give the dates of the tombstone that a removal ends with; none where no home is left."""
        known, row = change.known, change.known.row
        undone = known.container is None and row is not None and row.grace_end is not None
        if undone and agree(row, known.entry):
            return Changes()
        if known.homes or (row is not None and row.applied_hash):
            return await self._clock.begin(known.id, _names(known))
        return Changes()

    async def entomb(self, change: Change, why: Context) -> None:
        """Set the tombstone of a home that has none, its grace beginning now, if it shall end."""
        known, told = change.known, described(change)
        if change.ends:
            told |= await self._clock.begin(known.id, _names(known))
        if known.row is None:
            told["owner"] = known.homes[-1].owner
        told["message"] = change.reason
        events = () if known.row else (Event.REMOVED,)
        await self._board.say(known.id, why, *events, changes=told)

    async def check(self, workspace_id: str, *, confirm: str, snapshot: Snapshot) -> None:
        """Refuse to purge what still stands, or what nobody named twice; raises as `check`."""
        container = await self._power.container(workspace_id)
        row, homes_left = await self._board.row(workspace_id), await self._volumes(workspace_id)
        former = "" if homes_left else renames.former_id(row)
        purging.check(
            workspace_id,
            confirm=confirm,
            snapshot=snapshot,
            row=row,
            container=container.name if container else "",
            homes_left=bool(homes_left),
            former=former if former and await self._volumes(former) else "",
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
            await homes.remove(
                change.id,
                by_name=change.by_name,
                hands=hands,
                forget_missing=change.forget_missing,
            )
        await self._board.say(change.id, why, Event.PURGED)
        await self._board.forget(change.id, why.cause)
        await asyncio.to_thread(self._ledger.drop, change.id)

    async def revive(self, ids: Iterable[str]) -> None:
        """End the graces of workspaces that are wanted again; durably, before anything else is done.

        Raises:
            LedgerError: It cannot be written, so nothing may be done for them.
        """
        await asyncio.to_thread(self._ledger.revive, ids)

    async def prepare(self, change: Change) -> None:
        """Write what the ledger must know before anything is done for a workspace; as `revive`."""
        if change.takes:
            await asyncio.to_thread(self._ledger.accept, change.takes)
        if (entry := change.known.entry) is not None:
            # Of an earlier home, whose name the new one may get; or of none at all.
            if change.inputs is not None and not change.inputs.home.exists:
                await asyncio.to_thread(self._ledger.renew, change.id, change.inputs.volume)
            elif change.action is Action.FORGET and not entry.volumes:
                await asyncio.to_thread(self._ledger.drop, change.id)
        if change.wanted_again and change.action is not Action.PURGE:
            await self._wanted(change.known)

    async def _wanted(self, known: Known) -> None:
        row, entry = known.row, known.entry
        removed = row is not None and (row.removal or row.grace_end is not None)
        if removed or (entry is not None and entry.removal):
            await self.revive((known.id,))

    async def stand(self, snapshot: Snapshot) -> None:
        """End the graces of all that have a file in any form, whether or not it can be applied."""
        with suppress(LedgerError):  # then none of them expires; the clock says so
            await self.revive(snapshot.ids | snapshot.heirs.keys())

    def hands(self, why: Context) -> homes.Hands:
        """Give what `homes.remove` sees and does; a seam for tests."""
        return _Hands(self, why)

    async def grounds(self, workspace_id: str) -> Grounds:
        """Read anew what speaks for and against removing a home."""
        engine = await self._power.identity()  # first: what is seen then is on this one, or on none
        volumes = await self._volumes(workspace_id)
        holders = [found for each in volumes for found in await self._power.holders(each.name)]
        row, entry = await self._board.row(workspace_id), await self._entry(workspace_id)
        expected = self._expected(workspace_id, row, entry, seen=bool(volumes))
        return Grounds(
            container=await self._power.container(workspace_id),
            volumes=volumes,
            holders=tuple(holders),
            row=row,
            watched=await self._clock.watched(),
            entry=entry,
            expected=expected,
            engine=engine,
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

    async def removing(self, workspace_id: str, volume: Leftover, *, engine: str) -> bool:
        """Write that a volume is about to be removed; whether that is news."""
        there = {each.name for each in await self._volumes(workspace_id)}
        return await asyncio.to_thread(
            self._ledger.removing, workspace_id, volume.name, volumes=there, engine=engine
        )

    async def refused(self, volume: Leftover) -> None:
        """Write that a volume is whole after all."""
        await asyncio.to_thread(self._ledger.accept, volume.name)

    async def removed(self, workspace_id: str, volume: Leftover) -> None:
        """Write that a volume was removed."""
        await asyncio.to_thread(self._ledger.removed, workspace_id, volume.name)

    async def remove_volume(self, volume: Leftover) -> None:
        """Let the engine remove."""
        await self._power.remove_home(volume)

    def _expected(
        self, workspace_id: str, row: Published | None, entry: Entry | None, *, seen: bool
    ) -> frozenset[str]:
        """Name the homes that a workspace has, as far as ledger or index tell."""
        if entry is not None and entry.volumes:
            return entry.unseen
        # The index knows that there was a home, though not its number.
        had_one = row is not None and bool(row.applied_hash) and not seen
        had_one = had_one and not renames.former_id(row)
        return frozenset({f"{self._prefix}{workspace_id}-home-1"} if had_one else ())

    async def _entry(self, workspace_id: str) -> Entry | None:
        try:
            entries = await asyncio.to_thread(self._ledger.entries)
        except LedgerError:
            return UNREADABLE
        return await torn.settled(entries.get(workspace_id), self._power)

    async def _volumes(self, workspace_id: str) -> tuple[Leftover, ...]:
        labels = {LABEL_PREFIX: self._prefix, LABEL_WORKSPACE: workspace_id}
        found = await self._power.find(labels)
        homes_found = [
            each for each in found if each.kind == "volume" and each.ours and _is_home(each)
        ]
        # The newest last: it is what is left when the removal is cut off.
        return tuple(sorted(homes_found, key=lambda each: int(each.labels[LABEL_HOME])))


def _names(known: Known) -> frozenset[str]:
    """Name the homes that a removed workspace has, as far as anything tells."""
    if not known.homes and renames.former_id(known.row):
        return frozenset()  # it is kept under the id that it was made for
    before = known.entry.unseen if known.entry else frozenset()
    return before | {home.name for home in known.homes} | frozenset(known.recorded)


def _is_home(found: Leftover) -> bool:
    return found.labels.get(LABEL_HOME, "").isdecimal()


class _Hands:
    """The hands of one removal, whose steps are published with their cause."""

    def __init__(self, endings: Endings, why: Context) -> None:
        self._endings = endings
        self._why = why
        self.grounds = endings.grounds
        self.forget = endings.forget
        self.turn = endings.turn
        self.removing = endings.removing
        self.refused = endings.refused
        self.remove_volume = endings.remove_volume
        self.removed = endings.removed

    async def begin(self, workspace_id: str) -> None:
        await self._endings.begin(workspace_id, self._why)
