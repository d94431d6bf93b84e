"""What happens to a workspace and its data, in the words a reviewer reads first. Pure.

Only files are known here: whether a home is there, or a container runs, is told by the live part.
"""

from spec import WorkspaceSpec
from stacks.review.golden import Effect
from stacks.review.model import Action, Severity

LOST = "what was written outside of it is lost"
GRACE = "until its grace is over (7 days, unless set otherwise), then it is removed"

CREATED = "a new, empty home is made, unless one of this id is still kept from before"
ADOPTED = "the home of {former} is mounted, if it is still there; none is made in its place"
STANDS = "nothing is made while {former}, whose home it names, has a file of its own"
CONFLICT = "it has a home of its own already: the runner refuses to choose (HOME_CONFLICT)"
KEPT = "its home is kept; nothing restarts"
REPLACED = f"its home is kept; its container is made anew: what runs is ended, and {LOST}"
STOPPED = "its home is kept; what runs is ended, and it stays stopped"
STARTED = "its home is kept; it is started, and kept running"
RENAMED = f"its home goes along under its old name; the container of {{former}} goes, and {LOST}"
HANDED = "the home, with all that is in it, goes from {before} to {after}"
DELETED = f"its container goes, and {LOST}; its home is kept {GRACE}"
HELD = (
    "nothing is deleted while the folder holds no valid workspace file; with the first that is right "
    "again, it is removed"
)
HELD_BEFORE = (
    "careful: while no workspace file was right, nothing was removed; removals held so far begin now, of "
    "whatever has no file, also of what is not told here"
)
DOUBTED = (
    "nothing is deleted while a generator, or what files say together, can't be read; once it can, it is "
    "removed"
)
DOUBTED_BEFORE = (
    "careful: while a generator, or what files say together, could not be read, nothing was removed; "
    "removals held so far begin now, of whatever has no file, also of what is not told here"
)
INVALID = "nothing happens: the workspace stays as it is until its file is right"
NEVER_MADE = "nothing is made until its file is right"
UNKNOWN = (
    "its home is kept; what changes can't be told, for its file was wrong before: at worst its home "
    f"goes to {{owner}}, its container is made anew, and {LOST}"
)
UNKNOWN_HOME = (
    "what changes can't be told, for its file was wrong before: at worst its home goes to {owner}, "
    f"that of {{home}} is mounted instead, its container is made anew, and {LOST}"
)
CLAIMED = (
    "the file of {heir}, which is wrong, says that it was this workspace: nothing happens until that "
    "file is right or gone; then it is removed, unless that file still says so"
)
LET_GO = (
    "its file went before, and {heir}, whose wrong file said that it was this workspace, held it"
)
HOME_CHANGES = "another home is mounted: that of {after} instead of that of {before}"
LESS_MEMORY = (
    "its home is kept; nothing restarts; where more memory is in use than it may have, it waits"
)


def changed(
    before: WorkspaceSpec, after: WorkspaceSpec, effect: Effect
) -> tuple[Action, Severity, str]:
    """Tell what happens where a file is right on both sides: action, severity, data."""
    action, severity, told = _shape(before, after, effect)
    if before.owner != after.owner:
        severity = max(severity, Severity.HANDS_OVER)
        told = f"{HANDED.format(before=before.owner, after=after.owner)}; {told}"
    if (before.formerly or before.id) != (after.formerly or after.id):
        names = {"before": before.formerly or before.id, "after": after.formerly or after.id}
        severity, told = max(severity, Severity.HANDS_OVER), HOME_CHANGES.format(**names)
    return action, severity, told


def _shape(
    before: WorkspaceSpec, after: WorkspaceSpec, effect: Effect
) -> tuple[Action, Severity, str]:
    if effect in {Effect.REPLACE, Effect.UNSUPPORTED}:
        return Action.REPLACE, Severity.REPLACES, REPLACED
    if before.state != after.state and after.state == "warm":
        return Action.UPDATE, Severity.STOPS, STOPPED
    if before.state != after.state and after.state == "running":
        return Action.UPDATE, Severity.MAKES, STARTED
    less = after.resources.memory < before.resources.memory
    return Action.UPDATE, Severity.MAKES, LESS_MEMORY if less else KEPT
