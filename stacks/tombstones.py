"""Decides on workspaces of which a home is left at most: tombstones, their end, what is cut off. Pure.

Removing a home is not done here: `stacks.homes.remove` does. How its grace is counted is told in
`stacks.grace`.
"""

from dataclasses import replace

from stacks.planned import Action, Change, Known, Wish
from stacks.source import Snapshot
from state_index.models import Published
from state_index.phases import Phase

REMOVING = "removing home"
"""Step of a row while its home is being removed: a successor goes on from there."""


def is_expired(row: Published | None, watched: int | None) -> bool:
    """Whether a tombstone's grace is over.

    Args:
        row: What is published.
        watched: Milliseconds that runners watched so far; None: nothing expires here.
    """
    if row is None or row.grace_end is None or watched is None:
        return False
    return watched >= row.grace_end


def decide(known: Known, change: Change, *, snapshot: Snapshot, wish: Wish) -> Change | None:
    """Decide on a workspace without file of which a home is left at most.

    Args:
        known: What is known of it; no file stands.
        change: To be filled in.
        snapshot: What the folder says.
        wish: What is asked beyond the files.

    Returns:
        The change; None when this is no such workspace.
    """
    if known.container is not None:
        return None
    if is_half_removed(known):
        return replace(change, action=Action.PURGE, reason="its removal was interrupted")
    told_by_folder = snapshot.complete or (wish.purge and not snapshot.unreadable)
    if known.row is None:
        return _without_row(known, change, wish=wish) if told_by_folder or not known.homes else None
    return _with_row(known, known.row, change, wish=wish) if told_by_folder else None


def _purged(change: Change) -> Change:
    return replace(change, action=Action.PURGE, by_name=True, reason="its name was typed")


def _without_row(known: Known, change: Change, *, wish: Wish) -> Change:
    if not known.homes:
        # Wanted while its end was under way: a row for it would be made, and removed again.
        return replace(change, action=Action.FORGET, reason="nothing of it is left")
    if wish.purge:
        return _purged(change)
    told = "only its home is there: the index was lost"
    return replace(change, action=Action.KEEP, reason=told)


def _with_row(known: Known, row: Published, change: Change, *, wish: Wish) -> Change | None:
    if row.phase is Phase.DELETED:
        return replace(change, action=Action.FORGET, reason="nothing of it is left")
    if row.phase is Phase.TOMBSTONED or row.grace_end is not None:
        return _kept(known, row, change, wish=wish)
    return _purged(change) if wish.purge and row.phase is Phase.ERROR else None


def _kept(known: Known, row: Published, change: Change, *, wish: Wish) -> Change:
    if wish.purge:
        return _purged(change)
    if is_expired(row, wish.watched):
        return replace(change, action=Action.PURGE, reason="its grace is over")
    if row.phase is not Phase.TOMBSTONED:
        return replace(change, action=Action.DELETE, reason="its home is kept after all")
    if row.grace_end is not None:
        return change
    if known.homes or row.applied_hash:
        return replace(change, action=Action.KEEP, reason="its grace begins")
    return replace(change, action=Action.FORGET, reason="it never had a home")


def is_half_removed(known: Known) -> bool:
    """Whether its home was removed, by whom was ended before that could be told."""
    row = known.row
    removing = row is not None and row.phase is Phase.DELETING and row.step == REMOVING
    return removing and not known.homes and known.container is None
