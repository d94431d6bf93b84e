"""Decides on workspaces of which a home is left at most: tombstones, their end, what is cut off. Pure.

Removing a home is not done here: `stacks.homes.remove` does. How its grace is counted is told in
`stacks.grace`, what else remembers it in `stacks.ledger`.
"""

from dataclasses import replace

from stacks import renames
from stacks.ledger_entries import agree, is_over
from stacks.planned import GONE, Action, Change, Known, Wish
from stacks.source import Snapshot
from state_index.models import Published
from state_index.phases import Phase, Sync

REMOVING = "removing home"
"""Step of a row while its home is being removed: a successor goes on from there."""


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
        gone = known.phase in GONE
        return _contradicted(known, change, snapshot=snapshot, wish=wish) if gone else None
    if is_half_removed(known):
        return replace(change, action=Action.PURGE, reason="its removal was interrupted")
    told_by_folder = snapshot.complete or (wish.purge and not snapshot.blind)
    if known.row is None:
        return _without_row(known, change, wish=wish) if told_by_folder or not known.homes else None
    return _with_row(known, known.row, change, wish=wish) if told_by_folder else None


def _contradicted(known: Known, change: Change, *, snapshot: Snapshot, wish: Wish) -> Change:
    """Decide on a container whose workspace was removed: the index is an older copy than it."""
    told = "its container is there, though the index says that it was removed"
    change = replace(change, sync=Sync.OUT_OF_SYNC, reason=told)
    if known.phase is Phase.DELETED and snapshot.complete:
        return replace(change, action=Action.FORGET)
    if wish.remove or (wish.prune and snapshot.complete):
        return replace(change, action=Action.DELETE, prunes=not wish.remove)
    return replace(change, reason=f"{told}; `codehub destroy` removes it")


def _purged(change: Change, wish: Wish) -> Change:
    told = "its name was typed"
    return replace(
        change,
        action=Action.PURGE,
        by_name=True,
        forget_missing=wish.forget_missing,
        reason=f"{told}, and to forget it if it is missing" if wish.forget_missing else told,
    )


def _without_row(known: Known, change: Change, *, wish: Wish) -> Change:
    if not known.homes:
        # Wanted while its end was under way: a row for it would be made, and removed again.
        return replace(change, action=Action.FORGET, reason="nothing of it is left")
    if wish.purge:
        return _purged(change, wish)
    ends = wish.prune or wish.remove or renames.was_removed(known)
    told = _only_a_home(known)
    if not ends:
        told += "; it is kept without an end, as nobody is known to have removed it"
    return replace(change, action=Action.KEEP, ends=ends, reason=told)


def _only_a_home(known: Known) -> str:
    """Say why nothing but a home is there under an id."""
    if not known.successors:
        return "only its home is there: the index was lost"
    others = " and ".join(sorted(row.id for row in known.successors))
    done = ", which was removed" if renames.was_removed(known) else ""
    return f"only its home is there: it was renamed to {others}{done}"


def _with_row(known: Known, row: Published, change: Change, *, wish: Wish) -> Change | None:
    if row.phase is Phase.DELETED:
        # What the index says of a home that is there is wrong: forgotten, it is found as it is.
        told = "its home is there, though the index says that it was removed"
        told = told if known.homes else "nothing of it is left"
        return replace(change, action=Action.FORGET, reason=told)
    if row.phase is Phase.TOMBSTONED or row.grace_end is not None:
        return _kept(known, row, change, wish=wish)
    return _purged(change, wish) if wish.purge and row.phase is Phase.ERROR else None


def _kept(known: Known, row: Published, change: Change, *, wish: Wish) -> Change:
    former = renames.former_id(row)
    elsewhere = bool(former) and not known.homes and not known.former_left
    if elsewhere and known.former_gone:
        told = f"its home went under its former id, {former}"
        return replace(change, action=Action.FORGET, reason=told)
    if wish.purge:
        return _purged(change, wish)
    # On the wrong engine, or under another prefix, the home is not seen either: nothing ends there.
    if is_over(row, wish.watched, known.entry) and not elsewhere:
        return replace(change, action=Action.PURGE, prunes=True, reason="its grace is over")
    if row.phase is not Phase.TOMBSTONED:
        return replace(change, action=Action.DELETE, reason="its home is kept after all")
    return _graced(known, row, change, wish=wish)


def _graced(known: Known, row: Published, change: Change, *, wish: Wish) -> Change:
    """Decide on the grace of a tombstone that stays."""
    # Where homes did not expire, no end was shown: there, a whole grace begins once they do.
    endless = row.expires_at is None and wish.watched is not None
    counts = row.grace_end is not None and agree(row, known.entry) and not endless
    if counts or (known.entry is not None and not known.entry.readable):
        return change
    if not (known.homes or row.applied_hash):
        return replace(change, action=Action.FORGET, reason="it never had a home")
    removed = renames.was_removed(known)
    if row.grace_end is None and not (row.removal or wish.prune or wish.remove or removed):
        return change  # found after a lost index; nobody wanted it removed
    told = f"its grace begins; {_only_a_home(known)}" if removed else "its grace begins"
    if row.grace_end is not None and not endless:
        told = "its grace begins anew: what was counted of it is lost, or a copy"
    return replace(change, action=Action.KEEP, reason=told)


def is_half_removed(known: Known) -> bool:
    """Whether its home was removed, by whom was ended before that could be told."""
    row, entry = known.row, known.entry
    if row is None or row.phase is not Phase.DELETING or row.step != REMOVING:
        return False
    # No volume is seen on the wrong engine either: that this removal took it is known by the ledger,
    # and of what the engine was told and did not answer, by a look at that very one (`torn`).
    proven = entry is not None and entry.is_gone
    return proven and not known.homes and known.container is None
