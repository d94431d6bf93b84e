"""What drift means for a workspace's change: heal it or leave it, and what is said. Pure.

`stacks.drift` finds the differences; `stacks.plan` asks here where they count. Drift is what another
hand did to what was applied: where the file changed, or our own work was cut off, there is none.
"""

from collections.abc import Iterable
from dataclasses import replace

from spec import WorkspaceSpec
from stacks import drift
from stacks.drift import Difference
from stacks.planned import Action, Change, Known, Wish
from stacks.power import GOING, Container
from stacks.programs.inputs import LABEL_SPEC_HASH, WorkspaceInputs
from stacks.wishes import switched
from state_index.models import Published
from state_index.phases import Event, Phase, Sync

REPORT = "report"
CAUSE = "drift: "
"""How a cause in the history begins that is drift."""

WAITS = (
    "it waits: only so many containers are made anew for drift in an hour (`heal_remakes`); "
    "`codehub up {id}` does it at once"
)

PUT_OFF = "; it uses more memory than its file gives it, so that waits"

HELD = "; it waits, nothing is touched"

_AT_REST = frozenset({Phase.RUNNING, Phase.WARM, Phase.UNKNOWN})
"""Phases in which nothing of ours is under way."""


def is_going(known: Known) -> bool:
    """Whether its container is being removed at this moment: when it has gone, it can be judged."""
    return known.container is not None and known.container.state == GOING


def before(known: Known) -> tuple[Difference, ...]:
    """Give the differences that were told."""
    return drift.read(known.row.drift) if known.row else ()


def was_stopped(known: Known, spec: WorkspaceSpec) -> bool:
    """Whether it was stopped by another hand and left so: that was nobody's wish."""
    told = any(each.field == drift.STATE for each in before(known))
    return told and known.asked is None and spec.state != "warm"


def missing(known: Known, change: Change) -> Change:
    """Say of one whose container is to be made that it was removed by another hand, if it was."""
    if change.retires or not _is_as_applied(known, change):
        return change
    return replace(change, drift=(drift.gone(),))


def foreign(known: Known, change: Change, container: Container) -> Change:
    """Say what another's container, which has our name, does not have in common with ours."""
    found = differences(known, change.inputs, container)
    if not found or not _is_as_applied(known, change):
        return change
    return replace(change, drift=found, remakes=True)


def shaped(known: Known, change: Change, container: Container) -> Change:
    """Decide on the shape of a container that is of this very file, as far as labels tell."""
    found = differences(known, change.inputs, container)
    change = replace(change, drift=found)
    heals = [each for each in found if not each.stays]
    if not heals:
        return change
    remakes = not all(each.field in drift.IN_PLACE or drift.is_detached(each) for each in heals)
    return replace(
        change,
        action=Action.REPLACE if remakes else Action.UPDATE,
        sync=Sync.OUT_OF_SYNC,
        refresh=True,
        remakes=remakes,
        reason=_told(heals),
    )


def differences(
    known: Known, inputs: WorkspaceInputs | None, container: Container
) -> tuple[Difference, ...]:
    """Compare a container with what would be made, and with what Pulumi says it made."""
    if inputs is None or container.observed is None:
        return ()
    found = drift.compare(inputs, container.observed)
    if known.made and container.id != known.made:
        found = (drift.replaced(known.made, container.id), *found)
    if not container.observed.complete:
        # What the list does not show is as it was seen last.
        found = (*found, *(each for each in before(known) if not drift.is_listed(each.field)))
    return drift.standing(found, before(known))


def left_alone(known: Known, change: Change, wish: Wish) -> Change:
    """Take a shape's repair back where the file wants to be told only, or where it has to wait."""
    told = [each for each in change.drift or () if not each.stays]
    if not told or not change.action.needs_pulumi:
        return change
    reports = _reports(change, wish)
    if not reports and not (wish.spares and change.remakes):
        return change
    if known.container is None and known.asked:
        return change  # whoever starts it wants it made
    reason = f"differs: {drift.words(told)}"
    if not reports:
        reason += f"; {WAITS.format(id=known.id)}"
    left = replace(change, action=Action.NOTHING, refresh=False, remakes=False, reason=reason)
    return replace(left, held=not reports)


def put_off(known: Known, change: Change) -> Change:
    """Leave the shape of one as it is that uses too much memory; on and off do not wait for that."""
    heals = [each for each in change.drift or () if not each.stays]
    reason = f"differs: {drift.words(heals)}{PUT_OFF}"
    left = replace(change, action=Action.NOTHING, refresh=False, reason=reason)
    return switched(known, left)


def given_up(known: Known, change: Change, stays: tuple[Difference, ...]) -> Change:
    """Leave the shape of one as it is on which it comes back each time; go on to on and off."""
    left = replace(change, action=Action.NOTHING, refresh=False, remakes=False, held=False)
    left = replace(left, drift=stays, sync=Sync.SYNCED)
    return onward(known, left, Wish(heal=True))


def off_network(change: Change) -> tuple[Difference, ...]:
    """Give what is healed by putting it back on its network, and by nothing else."""
    found = change.drift or ()
    return tuple(each for each in found if drift.is_detached(each) and not each.stays)


def apart(change: Change) -> tuple[Difference, ...]:
    """Give what can be healed by a call of its own, whatever is the matter with its memory."""
    found = change.drift or ()
    return tuple(each for each in found if drift.is_apart(each) and not each.stays)


def onward(known: Known, change: Change, wish: Wish) -> Change:
    """Go on to on and off, where the shape is right, or is left as it is.

    Another's container, which only has our name, is started and stopped for nobody but who asks: to
    start it, ours would have to be made in its place.
    """
    container = known.container
    is_ours = container is None or container.labels.get(LABEL_SPEC_HASH) == change.spec_hash
    if is_ours or known.asked is not None or container is None:
        return powered(known, switched(known, change), wish)
    if not change.on or container.running:
        return change
    return replace(change, drift=(drift.stopped(container.state), *(change.drift or ())))


def powered(known: Known, change: Change, wish: Wish) -> Change:
    """Say of a start whether it is one because another hand stopped the container."""
    container = known.container
    if change.action is not Action.START or container is None or container.running:
        return change
    assert change.spec is not None, "only what has a file is compared"
    reports = _reports(change, wish)
    # An engine that was away may itself have ended it, and then it is started without a word.
    phase = (known.before or known.phase) if reports else known.phase
    by_hand = phase is Phase.RUNNING or was_stopped(known, change.spec)
    if known.asked is not None or not by_hand:
        return change
    found = (drift.stopped(container.state), *(change.drift or ()))
    if not reports and not change.held:
        return replace(change, drift=found, reason=_told(found))
    told = [each for each in found if not each.stays]
    reason = f"differs: {drift.words(told)}" if reports else change.reason
    change = replace(change, drift=found)
    return replace(change, action=Action.NOTHING, sync=Sync.OUT_OF_SYNC, reason=reason)


def found(change: Change) -> tuple[Event, ...]:
    """Give what happened to one that another hand stopped or removed, and that is left so.

    Of one that an engine has again that was away, where it stands.
    """
    known = change.known
    if not change.drift or change.action is not Action.NOTHING:
        return ()
    if known.container is None:
        return (Event.VANISHED,) if known.phase in _AT_REST else ()
    is_stopped = any(each.field == drift.STATE for each in change.drift)
    if known.phase is Phase.UNKNOWN:
        return (Event.BOOTING, Event.READY) if known.running else (Event.STOPPED,)
    return (Event.STOPPED,) if is_stopped and known.phase is Phase.RUNNING else ()


def why_held(change: Change) -> str:
    """Say why a cap holds it back; the row has the differences besides."""
    return WAITS.format(id=change.id) if change.drift else change.reason


def is_complete(change: Change) -> bool:
    """Whether all of its differences are known, rather than what the list shows."""
    container = change.known.container
    if change.drift is None:
        return False
    return container is None or container.observed is None or container.observed.complete


def is_news(change: Change) -> bool:
    """Whether the list shows other differences than were told: it is to be looked at."""
    if change.drift is None or is_complete(change):
        return False
    told = {each for each in before(change.known) if drift.is_listed(each.field)}
    return told != {each for each in change.drift if drift.is_listed(each.field)}


def cause(change: Change, row: Published | None, told: str) -> str:
    """Give the history's cause, where drift has to do with it."""
    if change.drift is None:
        return told
    if change.drift and any(not each.stays for each in change.drift):
        what = _told(each for each in change.drift if not each.stays)
        if change.action is Action.NOTHING:
            what += HELD if change.held else "; reported, nothing is touched"
        return f"{told}; {what}" if _is_asked(change) else what
    told_of = row is not None and any(not each.stays for each in drift.read(row.drift))
    ended = told_of and change.action is Action.NOTHING and is_complete(change)
    return "drift ended: it is as its file says" if ended else told


def after_power(change: Change) -> tuple[Difference, ...]:
    """Give what is left once it runs, or is stopped, as it should be."""
    return tuple(each for each in change.drift or () if each.field != drift.STATE)


def _is_asked(change: Change) -> bool:
    return change.known.asked is not None


def _is_as_applied(known: Known, change: Change) -> bool:
    row = known.row
    if row is None or known.new or row.applied_hash != change.desired_hash:
        return False
    if (known.before or row.phase) in _AT_REST:
        return True
    # Anything else is work of ours that was cut off, which is ours to go on with, but for this:
    left = (known.before or row.phase) is Phase.PENDING
    return left and any(each.field == drift.CONTAINER for each in before(known))


def _reports(change: Change, wish: Wish) -> bool:
    return change.spec is not None and change.spec.drift == REPORT and not wish.heal


def _told(differences: Iterable[Difference]) -> str:
    return f"{CAUSE}{drift.words(differences)}"
