"""Whether a workspace shall run: the file's pin, the newest wish, else as it is; what that takes. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from stacks.planned import GONE, Action, Change, Known
from state_index.models import HistoryRow, Published
from state_index.phases import Phase

_ON = frozenset({Phase.STARTING, Phase.RUNNING})
_OFF = frozenset({Phase.STOPPING, Phase.WARM})


def wants_on(known: Known, pinned: str) -> bool:
    """Whether the workspace shall run: the file's pin, the newest wish, else as it is.

    A new one is started, so that its owner finds it running.
    """
    if pinned != "auto":
        return pinned == "running"
    if known.asked is not None:
        return known.asked
    if known.running and known.phase is Phase.WARM:
        return True  # somebody started it by hand: stopping it would cost their work
    if known.wanted is not None:
        return known.wanted
    return known.new or known.running


def switched(known: Known, change: Change) -> Change:
    """Decide on start and stop, where the shape is right, or is left as it is."""
    if change.on and not (known.running and known.phase is Phase.RUNNING):
        return replace(change, action=Action.START)
    if not change.on and (known.running or known.phase is not Phase.WARM):
        return replace(change, action=Action.STOP)
    return change


def last_wish(row: Published | None, history: Sequence[HistoryRow]) -> bool | None:
    """Tell whether a workspace should run, by the phases it went through, newest first.

    An error, an update or an unreachable engine says nothing about it: what was before does. One
    that came back after its removal, and was not at rest since, runs as a new one does: its hash of
    before may stand when the runner was killed on the way.
    """
    if row is not None and row.phase in GONE:
        return None
    phases = [row.phase] if row else []
    phases += [change.to_phase for change in history if change.to_phase]
    for phase in phases:
        if phase in _ON | GONE:
            return True
        if phase in _OFF:
            return False
    return None


def phase_before(row: Published | None, history: Sequence[HistoryRow]) -> Phase | None:
    """Tell in which phase the engine was lost; None where it is not, or where nobody knows any more."""
    if row is None or row.phase is not Phase.UNKNOWN:
        return None
    lost = (each.from_phase for each in history if each.to_phase is Phase.UNKNOWN)
    return next((phase for phase in lost if phase is not Phase.UNKNOWN), None)


def is_settled(phase: Phase) -> bool:
    """Whether a phase says by itself whether the workspace should run."""
    return phase in _ON | _OFF | GONE
