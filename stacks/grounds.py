"""Decides whether the homes of a workspace may be removed, by all that is known at that moment. Pure.

Whoever removes them, `stacks.homes.remove`, asks before and right before. Nothing is read here.
"""

from dataclasses import dataclass

from stacks.engine.model import Leftover
from stacks.errors import HomeKeptError, HomeUnseenError
from stacks.ledger_entries import Entry, is_over
from stacks.power import Container
from stacks.programs.inputs import LABEL_HOME, LABEL_PREFIX, LABEL_TREE, LABEL_WORKSPACE
from stacks.source import Snapshot
from state_index.models import Published
from state_index.phases import Phase


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


def check(
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
    if snapshot.blind or snapshot.stale or not (by_name or snapshot.complete):
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
