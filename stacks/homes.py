"""Decides which home volume a workspace mounts, whether a new one may be made, and when one goes.

A home is never healed by making an empty one. A new home is allowed only when every source of
proof says that this workspace never had one; the sources are a list, so that snapshots can join
volume labels and the index. The decisions are pure. `remove` is the one function of the product that
removes home volumes (a test reads the code for others); what it needs to know it has read anew.
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
    HomeUnseenError,
    StacksError,
)
from stacks.ledger_entries import Entry, is_over
from stacks.power import Container, HomeVolume
from stacks.programs.inputs import (
    LABEL_HOME,
    LABEL_PREFIX,
    LABEL_TREE,
    LABEL_WORKSPACE,
    HomeInputs,
)
from stacks.source import Snapshot
from state_index.models import Published
from state_index.phases import Phase

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


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What speaks for and against removing a workspace's homes, at one moment.

    Attributes:
        snapshot: What the folder says, just read.
        row: What is published of it.
        watched: Milliseconds that runners watched so far; its tombstone's grace ends by them.
        entry: What the ledger of graces says of it.
        container: Its container.
        volumes: The volumes that are its homes by name and number, with all their labels.
        holders: Who mounts one of these.
        expected: The names of homes that it has, as far as anything tells.
        engine: Which engine was looked at, as `Power.identity` has it; asked before all else.
    """

    snapshot: Snapshot
    row: Published | None
    watched: int
    entry: Entry | None
    container: Container | None
    volumes: tuple[Leftover, ...]
    holders: tuple[Container, ...]
    expected: frozenset[str] = frozenset()
    engine: str = ""


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
    may = partial(check_removal, workspace_id, by_name=by_name, forget_missing=forget_missing)
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


def check_removal(
    workspace_id: str, grounds: Grounds, *, by_name: bool, begun: bool, forget_missing: bool = False
) -> None:
    """Refuse to remove a workspace's homes where anything speaks against it. Pure.

    Args:
        workspace_id: The workspace.
        grounds: What is known right now.
        by_name: Whether someone typed its name.
        begun: Whether the removal was published already.
        forget_missing: Whether someone typed that a home which is on no engine is forgotten.

    Raises:
        HomeKeptError: It says what.
        HomeUnseenError: There is a home, and none of it is seen.
    """
    told = _against(workspace_id, grounds, by_name=by_name, begun=begun)
    if told:
        raise HomeKeptError(f"the home of {workspace_id} is kept: {told}", step="purge")
    unseen = grounds.expected - {volume.name for volume in grounds.volumes}
    if unseen and not (forget_missing and by_name):
        names = ", ".join(sorted(unseen))
        raise HomeUnseenError(
            f"{names}, the home of {workspace_id}, is not on this engine, so nobody can tell that it "
            "is gone",
            step="purge",
        )


def _against(workspace_id: str, grounds: Grounds, *, by_name: bool, begun: bool) -> str:
    """Give what speaks against it, "" when nothing does."""
    if told := _by_files(workspace_id, grounds.snapshot, by_name=by_name):
        return told
    if grounds.container is not None:
        return f"its container is there, {grounds.container.name}"
    if grounds.holders:
        return f"it is mounted by {', '.join(found.name for found in grounds.holders)}"
    return _by_row(grounds, by_name=by_name, begun=begun) or _by_labels(workspace_id, grounds)


def _by_files(workspace_id: str, snapshot: Snapshot, *, by_name: bool) -> str:
    if snapshot.unreadable or not (by_name or snapshot.complete):
        return f"whether its file is gone is not known: {snapshot.error}"
    if workspace_id in snapshot.ids:
        return "its file is there"
    heir = snapshot.heirs.get(workspace_id)
    return f"it is that of {heir} now, whose file names it" if heir else ""


def _by_row(grounds: Grounds, *, by_name: bool, begun: bool) -> str:
    row = grounds.row
    if row is None:
        return "" if by_name else "it has no tombstone"
    # Not begun and DELETING: whoever began it was ended.
    cut_off = {Phase.TOMBSTONED, Phase.ERROR, Phase.UNKNOWN, Phase.DELETING}
    if row.phase not in ({Phase.DELETING} if begun else cut_off):
        return f"it is {row.phase}"
    if by_name:
        return ""
    if row.grace_end is None:
        return "it has no tombstone"
    return "" if is_over(row, grounds.watched, grounds.entry) else "its grace is not over"


def _by_labels(workspace_id: str, grounds: Grounds) -> str:
    for volume in grounds.volumes:
        labels = volume.labels
        number, prefix = labels.get(LABEL_HOME, ""), labels.get(LABEL_PREFIX, "")
        named = volume.name == f"{prefix}{workspace_id}-home-{number}"
        if not named or labels.get(LABEL_WORKSPACE) != workspace_id:
            return f"the volume {volume.name} does not say that it is its home"
        if not volume.ours or not labels.get(LABEL_TREE):
            return f"the volume {volume.name} does not say that it is this data tree's"
    return ""
