"""Decides who may have a home purged by its name: what still stands, and what nobody named twice. Pure."""

from stacks.errors import (
    FileStandsError,
    NotConfirmedError,
    NotRemovedError,
    SourceError,
    UnknownWorkspaceError,
)
from stacks.source import Snapshot
from state_index.models import Published
from state_index.phases import Phase

_PURGEABLE = frozenset({Phase.TOMBSTONED, Phase.ERROR})


def check(
    workspace_id: str,
    *,
    confirm: str,
    snapshot: Snapshot,
    row: Published | None,
    container: str,
    homes_left: bool,
    former: str = "",
) -> None:
    """Refuse to purge what still stands, or what nobody named twice. Pure.

    Args:
        workspace_id: Which.
        confirm: The id once more, as someone typed it.
        snapshot: What the folder says.
        row: What is published of it.
        container: Name of its container, "" without one.
        homes_left: Whether a home of it is there.
        former: The id that it was renamed from, where its home is there under that.

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
    if snapshot.blind or snapshot.stale:
        raise SourceError(f"whether its file is gone is not known: {snapshot.error}")
    if row is None and not container and not homes_left:
        raise UnknownWorkspaceError(f"there is no workspace {workspace_id}")
    _check_removed(workspace_id, row=row, container=container, former=former)


def _check_removed(
    workspace_id: str, *, row: Published | None, container: str, former: str
) -> None:
    if container:
        raise NotRemovedError(f"{workspace_id} still has its container, {container}")
    if former:
        raise NotRemovedError(
            f"the home of {workspace_id} is kept under its former id, {former}",
            remedy=f"Purge that: `codehub purge {former}`.",
        )
    if row is not None and row.phase not in _PURGEABLE and row.grace_end is None:
        raise NotRemovedError(f"{workspace_id} is {row.phase}")
