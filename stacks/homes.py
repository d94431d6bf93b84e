"""Decides which home volume a workspace mounts, whether a new one may be made, and when one goes.

A home is never healed by making an empty one. A new home is allowed only when every source of
proof says that this workspace never had one; the sources are a list, so that snapshots can join
volume labels and the index. The decisions are pure. `remove` is the one function of the product that
removes home volumes (a test reads the code for others); what it needs to know it has read anew, and
what speaks against it `stacks.grounds` says.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from stacks.engine.model import Leftover
from stacks.errors import (
    HomeKeptError,
    HomeMissingError,
    HomeOwnerError,
    StacksError,
)
from stacks.grounds import Grounds, check
from stacks.power import HomeVolume
from stacks.programs.inputs import HomeInputs

FIRST_HOME = 1


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What one source knows of earlier homes of one workspace.

    Attributes:
        source: Name for messages, for example ``index``.
        had_home: Whether it knows that a home was made.
        number: Number of the last home, where the source knows it.
    """

    source: str
    had_home: bool
    number: int | None = None


def decide(
    workspace_id: str,
    *,
    owner: str,
    volumes: Sequence[HomeVolume],
    proofs: Iterable[Proof] = (),
    name_prefix: str = "",
    made_as: str = "",
) -> HomeInputs:
    """Decide on the home of a workspace.

    Args:
        workspace_id: The workspace.
        owner: Owner in the file, for the label of a new home.
        volumes: The labelled home volumes that are on the engine.
        proofs: What other sources know of earlier homes.
        name_prefix: First part of the volume's name, to name one that is missing.
        made_as: The id under which its home was made, where that is a former one.

    Returns:
        The home to render. The newest volume that is there, else a first one.

    Raises:
        HomeMissingError: There was a home, and it is not there.
    """
    known = [proof for proof in proofs if proof.had_home]
    newest = max(volumes, key=lambda volume: volume.number, default=None)
    wanted = max((proof.number or FIRST_HOME for proof in known), default=0)
    if newest is not None and newest.number >= wanted:
        # The label keeps the owner at creation: asking for another would replace the volume.
        other = newest.workspace if newest.workspace != workspace_id else ""
        return HomeInputs(number=newest.number, owner=newest.owner, exists=True, workspace=other)
    if known:
        raise _missing(made_as or workspace_id, name_prefix, known, wanted)
    return HomeInputs(number=FIRST_HOME, owner=owner, exists=False)


def check_owner(workspace_id: str, *, owner: str, former: str) -> None:
    """Refuse to hand a home that was found again to somebody else.

    Args:
        workspace_id: The workspace.
        owner: Owner in the file.
        former: Whose it was, as far as anything says; "" when nothing does.

    Raises:
        HomeOwnerError: It was another's.
    """
    if former and former != owner:
        raise HomeOwnerError(
            f"the home of {workspace_id} belonged to {former}, and its file says {owner}",
            step="home",
        )


def _missing(
    workspace_id: str, name_prefix: str, known: Sequence[Proof], number: int
) -> HomeMissingError:
    sources = ", ".join(proof.source for proof in known)
    volume = f"{name_prefix}{workspace_id}-home-{number}"
    error = HomeMissingError.of(
        workspace_id,
        volume,
        f"home {number} of {workspace_id}, the volume {volume}, is not on this engine "
        f"(known from: {sources})",
    )
    error.number = number
    return error


class Hands(Protocol):
    """What `remove` sees and does."""

    async def grounds(self, workspace_id: str) -> Grounds:
        """Read everything anew."""

    async def begin(self, workspace_id: str) -> None:
        """Say that the homes are being removed."""

    async def forget(self, workspace_id: str) -> None:
        """Let Pulumi forget the workspace; nothing on the engine is touched."""

    @property
    def turn(self) -> asyncio.Lock:
        """Held while the last look is taken and acted upon: nobody may wait in between."""

    async def removing(self, workspace_id: str, volume: Leftover, *, engine: str) -> bool:
        """Write durably that a volume is about to be removed: from here on it may be half empty.

        Args:
            workspace_id: Whose it is.
            volume: Which.
            engine: The engine on which it was seen.

        Returns:
            Whether that is news.
        """

    async def refused(self, volume: Leftover) -> None:
        """Write durably that a volume is whole after all: the engine would not remove it, or was not told."""

    async def remove_volume(self, volume: Leftover) -> None:
        """Remove a volume on the engine, unless another one has its name by now."""

    async def removed(self, workspace_id: str, volume: Leftover) -> None:
        """Write durably that it was."""


async def remove(
    workspace_id: str, *, by_name: bool, hands: Hands, forget_missing: bool = False
) -> None:
    """Remove all homes of a workspace: Pulumi forgets first, then the engine removes.

    Cut off in between, Pulumi knows of no home that is not there: the next attempt removes the
    volume, or the file's return takes it over by import. The other way round, Pulumi would
    make the home of a returning file anew, empty.

    Args:
        workspace_id: The workspace.
        by_name: Whether someone typed its name; else its tombstone must have expired.
        hands: What is seen and done.
        forget_missing: Whether someone typed that a home which is on no engine is forgotten.

    Raises:
        HomeKeptError: Something speaks against it.
        LedgerError: It cannot be kept in mind, so nothing is removed.
    """
    may = partial(check, workspace_id, by_name=by_name, forget_missing=forget_missing)
    first = await hands.grounds(workspace_id)
    may(first, begun=False)
    await hands.begin(workspace_id)
    await hands.forget(workspace_id)
    grounds = await hands.grounds(workspace_id)
    volumes, seen = grounds.volumes, {volume.name for volume in first.volumes}
    # Seen a moment ago and not any more, it may be on a disk that is not mounted now.
    may(replace(grounds, expected=grounds.expected | seen), begun=True)
    for volume in volumes:
        try:
            async with hands.turn:  # another removal may have taken long, and the file be back
                grounds = await hands.grounds(workspace_id)
                may(grounds, begun=True)
                await _remove(workspace_id, volume, grounds.engine, hands)
        except HomeKeptError as error:
            error.partly = volume is not volumes[0]
            raise


async def _remove(workspace_id: str, volume: Leftover, engine: str, hands: Hands) -> None:
    is_news = await hands.removing(workspace_id, volume, engine=engine)
    try:
        await hands.remove_volume(volume)
    except StacksError as error:
        if is_news and error.untouched:
            with suppress(StacksError):  # then it counts as torn; why it failed is told
                await hands.refused(volume)
        raise
    await hands.removed(workspace_id, volume)
