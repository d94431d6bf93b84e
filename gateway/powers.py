"""Which buttons a workspace has now. Pure; the index decides again when one is pressed."""

from state_index.models import Published
from state_index.phases import Event, Kind, Phase, decide

_NOT_BEGUN = frozenset({Phase.PENDING, Phase.PROVISIONING, Phase.UPDATING, Phase.RESTORING})


def can_start(row: Published) -> bool:
    """Return whether asking for a start changes anything."""
    if row.pinned == "warm" or row.phase in _NOT_BEGUN:
        return False
    return decide(row.phase, Event.START).kind in {Kind.MOVE, Kind.QUEUE}


def can_stop(row: Published) -> bool:
    """Return whether asking for a stop, or for the end of a start, changes anything."""
    if row.pinned == "running" or row.phase is Phase.ERROR:
        return False
    return decide(row.phase, Event.STOP).kind in {Kind.MOVE, Kind.QUEUE}
