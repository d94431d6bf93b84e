"""Which changes wait for a sync window, and when the next one of them may be made. Pure but for `Opening`.

Also what is done meanwhile of what waits, for a window or for an approval.

What the repository says waits: files that are new or changed, and the removal of what lost its file.
All else goes on: starts and stops that someone asks for, drift that is healed, what was begun within
a window and is not at its end, and whatever keeps homes. When windows are open is told in
`policies.windows`.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import ValidationError

from policies.model import Workspace
from policies.windows import Calendar
from spec import WorkspaceSpec
from stacks.errors import ReviewExceededError, SyncWindowError
from stacks.plan import as_it_is
from stacks.planned import GONE, Action, Change, Known
from stacks.rulebook import workspace
from state_index.phases import Phase, Sync

_LONGEST = timedelta(hours=1)
"""Longest sleep: a clock that was put forward is seen by then, and by each look at the files."""

WAITING = (SyncWindowError, ReviewExceededError)
"""Why a file is not gone by yet that nothing is wrong with."""


def is_of_files(change: Change, standing: Mapping[str, Workspace]) -> bool:
    """Whether a change is made because the files say something else than what stands.

    Args:
        change: The change.
        standing: What stands, by id, as it was last worked on.
    """
    if change.error is not None or change.action is Action.INVALID:
        return False
    if change.prunes:
        return change.action is Action.DELETE
    return change.spec is not None and workspace(change.spec) != standing.get(change.id)


def timely(change: Change, calendar: Calendar, standing: Mapping[str, Workspace]) -> Change:
    """Give what is done of a change now: it, or nothing of it before a window opens.

    Args:
        change: What would be done.
        calendar: What the windows say now.
        standing: What stands, by id, as it was last worked on.
    """
    if not calendar.windows or not is_of_files(change, standing):
        return change
    told = calendar.of(change.id)
    if told.open:
        return change
    what = "its file is gone" if change.prunes else "its file changed"
    if change.known.new and not change.prunes:
        what = "it is new"
    error = SyncWindowError(f"{what}, and that waits: {told.words}", until=told.until)
    left = Change(
        known=change.known,
        action=Action.NOTHING,
        sync=Sync.OUT_OF_SYNC,
        reason=error.message,
        claimed=change.spec.owner if change.spec else "",
        findings=change.findings,
        wanted_again=change.wanted_again,
        refusal=error,
        refused=change.spec,
    )
    return as_it_is(change.known, left)


def meanwhile(change: Change, plan: Callable[[Known], Change]) -> Change:
    """Give what is done of one that waits: all that its file from before asks for, drift included.

    Args:
        change: What the rules, the reviews and the windows left.
        plan: Plans for one workspace.
    """
    before = _applied(change)
    if before is None:
        return change
    stands = plan(replace(change.known, spec=before))
    if stands.error is not None:
        return change
    return replace(
        stands,
        sync=Sync.OUT_OF_SYNC,
        reason=change.reason if stands.action is Action.NOTHING else stands.reason,
        refusal=change.refusal,
        refused=change.refused,
    )


def _applied(change: Change) -> WorkspaceSpec | None:
    """Give the file that stands, of one that waits; None where it can't be gone by."""
    row, waits = change.known.row, isinstance(change.refusal, WAITING)
    if not waits or row is None or row.phase in GONE | {Phase.ERROR} or not row.spec_json:
        return None
    try:
        before = WorkspaceSpec.model_validate_json(row.spec_json)
    except ValidationError:
        return None  # of an older or newer release
    wanted = change.refused
    if wanted is None and not change.known.homes:
        return None  # whether there was an earlier home is looked up for files only
    # Which home it is was told by the new file: of another former id, nothing was looked at.
    return before if (wanted.formerly if wanted else None) == before.formerly else None


def next_opening(changes: Iterable[Change]) -> datetime | None:
    """Give when the first of the changes that wait may be made; None where none waits for that."""
    waiting = (each.refusal for each in changes)
    untils = (it.until for it in waiting if isinstance(it, SyncWindowError) and it.until)
    return min(untils, default=None)


def told_at_preview(
    change: Change, calendar: Calendar, standing: Mapping[str, Workspace]
) -> Change:
    """Give a change that is only shown: it, and what it waits for."""
    if not calendar.windows or not is_of_files(change, standing):
        return change
    told = calendar.of(change.id)
    return (
        change if told.open else replace(change, reason=f"{change.reason}; it waits: {told.words}")
    )


class Opening:
    """Waits for the next opening, by the wall clock."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Prepare; nothing is waited for yet.

        Args:
            clock: Says what time it is.
        """
        self._clock = clock
        self.at: datetime | None = None
        """When it is; None where nothing waits."""
        self._moved = asyncio.Event()

    def set(self, at: datetime | None) -> None:
        """Say when it is; None where nothing waits."""
        self.at = at
        self._moved.set()  # also when it is the same: the clock may have been moved since

    async def wait(self) -> None:
        """Return when it has come; it counts once."""
        while True:
            self._moved.clear()
            at = self.at
            left = None if at is None else at - self._clock()
            if left is not None and left <= timedelta():
                self.at = None
                return
            seconds = None if left is None else min(left, _LONGEST).total_seconds()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._moved.wait()
