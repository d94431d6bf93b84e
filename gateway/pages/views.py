"""What a page says about a workspace: words, icon and tone for each phase. Pure.

Templates ask nothing but this, so that a phase looks the same on every page.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from gateway.powers import can_start, can_stop
from state_index.models import Published
from state_index.phases import Phase, Sync

_MOST: Final = 6
"""Differences that are told; the API has all."""
_UNITS: Final = (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10))


class Look(NamedTuple):
    """How a phase is shown; `{id}` in the headline stands for the workspace."""

    label: str
    icon: str
    tone: str
    headline: str
    help: str
    since: str
    busy: bool = False


class SyncLook(NamedTuple):
    """How the agreement with the file is shown."""

    label: str
    icon: str
    tone: str
    help: str


class ProblemLine(NamedTuple):
    """One thing that is wrong with the workspace's file."""

    where: str
    message: str
    hint: str


_SOON: Final = "This page goes on by itself when it is ready."

LOOKS: Final[Mapping[Phase, Look]] = {
    Phase.PENDING: Look(
        "Waiting", "waiting", "busy", "{id} is waiting", f"The runner gets to it next. {_SOON}",
        "Began", busy=True,
    ),
    Phase.PROVISIONING: Look(
        "Being made", "busy", "busy", "{id} is being made", f"It is made from its file. {_SOON}",
        "Began", busy=True,
    ),
    Phase.STARTING: Look(
        "Starting", "busy", "busy", "{id} is starting", _SOON, "Began", busy=True,
    ),
    Phase.RUNNING: Look(
        "Running", "running", "good", "{id} is running", "It is ready for you.", "Started",
    ),
    Phase.STOPPING: Look(
        "Stopping", "busy", "busy", "{id} is stopping", "Its home is kept.", "Began", busy=True,
    ),
    Phase.UPDATING: Look(
        "Updating", "busy", "busy", "{id} is being updated",
        f"Its file changed, and it is brought up to date. {_SOON}", "Began", busy=True,
    ),
    Phase.WARM: Look(
        "Stopped", "stopped", "rest", "{id} is stopped",
        "Its home is safe. Start it to go on where you left off.", "Stopped",
    ),
    Phase.ARCHIVING: Look(
        "Archiving", "busy", "busy", "{id} is being archived", "Its home is saved first.",
        "Began", busy=True,
    ),
    Phase.COLD: Look(
        "Archived", "archived", "rest", "{id} is archived",
        "Its home is in the archive and comes back when it starts.", "Archived",
    ),
    Phase.RESTORING: Look(
        "Restoring", "busy", "busy", "{id} is being restored",
        f"Its home comes back from the archive. {_SOON}", "Began", busy=True,
    ),
    Phase.DELETING: Look(
        "Deleting", "busy", "busy", "{id} is being deleted", "Its file is gone.", "Began",
        busy=True,
    ),
    Phase.TOMBSTONED: Look(
        "Deleted", "archived", "rest", "{id} is deleted",
        "Its home is kept for a while. It comes back with its file.", "Deleted",
    ),
    Phase.DELETED: Look(
        "Deleted", "archived", "rest", "{id} is deleted", "Nothing of it is left.", "Deleted",
    ),
    Phase.ERROR: Look(
        "Failed", "error", "bad", "{id} failed",
        "Its home was left as it is. Trying again begins anew; the logs may say more.", "Failed",
    ),
    Phase.UNKNOWN: Look(
        "Unknown", "unknown", "warn", "{id} can't be seen at the moment",
        "The machine that it is on does not answer. It may well be running.", "Lost",
    ),
}  # fmt: skip
"""Every phase; a test compares it with the enumeration."""

_PINNED_HELP: Final = "Its home is safe. Its file keeps it stopped: it says state: warm."

SYNCS: Final[Mapping[Sync, SyncLook]] = {
    Sync.SYNCED: SyncLook("in sync", "synced", "rest", "It is as its file says"),
    Sync.OUT_OF_SYNC: SyncLook(
        "out of sync", "outofsync", "warn", "It is not yet as its file says"
    ),
    Sync.INVALID: SyncLook("file has errors", "invalid", "bad", "Its file can't be used as it is"),
}


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """One workspace as templates see it."""

    id: str
    owner: str
    phase: str
    generation: int
    label: str
    icon: str
    tone: str
    busy: bool
    failed: bool
    headline: str
    help: str
    since: datetime
    since_words: str
    retry_at: datetime | None
    expires_at: datetime | None
    step: str
    message: str
    reason: str
    sync: SyncLook
    pinned: str
    image: str
    size: str
    url: str
    problems: tuple[ProblemLine, ...]
    differs: tuple[str, ...]
    can_open: bool
    can_start: bool
    can_stop: bool


def view_of(row: Published) -> WorkspaceView:
    """Return what pages say about a published workspace."""
    look = LOOKS[row.phase]
    return WorkspaceView(
        id=row.id,
        owner=row.owner,
        phase=str(row.phase),
        generation=row.generation,
        label=look.label,
        icon=look.icon,
        tone=look.tone,
        busy=look.busy,
        failed=row.phase is Phase.ERROR,
        headline=look.headline.format(id=row.id),
        help=_PINNED_HELP if row.phase is Phase.WARM and row.pinned == "warm" else look.help,
        since=row.since,
        since_words=look.since,
        retry_at=row.retry_at,
        expires_at=row.expires_at,
        step=row.step,
        message=row.message,
        reason=row.reason,
        sync=SYNCS[row.sync],
        pinned=row.pinned,
        image=row.image,
        size=_size(row.spec_json),
        url=workspace_url(row.id),
        problems=tuple(_problem(problem) for problem in row.problems),
        differs=_differs(row.drift),
        can_open=row.phase is Phase.RUNNING,
        can_start=can_start(row),
        can_stop=can_stop(row),
    )


def workspace_url(workspace_id: str) -> str:
    """Return the path under which a workspace's IDE is."""
    return f"/w/{workspace_id}/"


def counts(rows: Sequence[Published]) -> str:
    """Return how many workspaces there are, in words, by what their badges say; gone ones are none."""
    there = [row for row in rows if row.phase is not Phase.DELETED]
    if not there:
        return "None so far."
    labels = Counter(LOOKS[row.phase].label.lower() for row in there)
    parts = ", ".join(f"{number} {label}" for label, number in labels.most_common())
    return f"{len(there)} workspace{'' if len(there) == 1 else 's'}: {parts}"


def _problem(problem: Mapping[str, Any]) -> ProblemLine:
    where = f"{problem.get('file', '')}:{problem.get('line', 1)}:{problem.get('column', 1)}"
    key = problem.get("key", "")
    message = str(problem.get("message", ""))
    return ProblemLine(where, f"{key}: {message}" if key else message, str(problem.get("hint", "")))


def _differs(drift: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    told = [f"{each['field']} {each['wanted']} → {each['found']}" for each in drift]
    more = (f"and {len(told) - _MOST} more",) if len(told) > _MOST else ()
    return (*told[:_MOST], *more)


def _size(spec_json: str) -> str:
    """Return CPU and memory in words; nothing when the desired spec does not say."""
    try:
        resources = json.loads(spec_json)["resources"]
        cpu, memory = float(resources["cpu"]), resources["memory"]
    except (ValueError, TypeError, KeyError):
        return ""
    return f"{cpu:g} CPU, {memory if isinstance(memory, str) else _bytes(int(memory))}"


def _bytes(number: int) -> str:
    for unit, size in _UNITS:
        if number >= size:
            return f"{number / size:.4g}{unit}"
    return str(number)
