"""The rows of the index as frozen dataclasses. No SQL here; times are aware and in UTC."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypedDict

from state_index.phases import Phase, Sync

IntentKind = Literal["start", "stop"]
IntentStatus = Literal["open", "taken", "done", "failed"]
Pinned = Literal["auto", "running", "warm"]


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def _require_aware(*times: datetime | None) -> None:
    if any(time is not None and time.tzinfo is None for time in times):
        message = "times in the index are aware ones"
        raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What the runner says about one workspace.

    Attributes:
        id: the workspace's id, the name of its file.
        owner: who may open it.
        phase: where it is in its life, since `since`.
        sync: how it compares with its file.
        reason: a stable code for the phase (`IMAGE_MISSING`, ...), or empty.
        message: the same for a person, with the remedy.
        step: what the runner is doing just now, or what it did when it failed.
        since: when the phase began.
        retry_at: when the runner tries again, if it will by itself.
        generation: the index's generation at this row's last change; only grows.
        desired_hash: hash of what the file asks for.
        applied_hash: hash of what was last applied.
        image: the image in use.
        upstream: where its IDE listens: `unix:<path>`, relative to the run folder.
        pinned: the file's `state:`.
        problems: what is wrong with its file, as `spec.Problem` fields.
        spec_json: the desired spec as JSON.
        request_id: the request that caused the last change, if one did.
        updated_at: when this row last changed.
        removed_at: when its resources were removed; None unless only its home is kept.
        expires_at: when its home goes, as far as can be said now: time in which no runner
            watches puts it off.
        grace_end: the same exactly, by `Removals.watched`; this is what counts.
        removal: which removal it is, a random id that the runner's ledger of graces knows too; ""
            when it was not removed, or nobody asked for its end.
        drift: how what is there differs from what was made, by another hand: `field`, `wanted` and
            `found` in words, and whether it `stays`, because the engine itself does it.
    """

    id: str
    owner: str
    phase: Phase
    sync: Sync
    reason: str = ""
    message: str = ""
    step: str = ""
    since: datetime = field(default_factory=utc_now)
    retry_at: datetime | None = None
    generation: int = 0
    desired_hash: str = ""
    applied_hash: str = ""
    image: str = ""
    upstream: str = ""
    pinned: Pinned = "auto"
    problems: tuple[dict[str, Any], ...] = ()
    spec_json: str = ""
    request_id: str = ""
    updated_at: datetime = field(default_factory=utc_now)
    removed_at: datetime | None = None
    expires_at: datetime | None = None
    grace_end: int | None = None
    removal: str = ""
    drift: tuple[dict[str, Any], ...] = ()

    def __post_init__(self) -> None:
        _require_aware(self.since, self.retry_at, self.updated_at, self.removed_at, self.expires_at)

    @property
    def formerly(self) -> str:
        """Which former id its file named when it was last worked on, "" for none."""
        return str(json.loads(self.spec_json).get("formerly") or "") if self.spec_json else ""


class Changes(TypedDict, total=False):
    """What `Index.publish` may change besides the phase."""

    owner: str
    sync: Sync
    reason: str
    message: str
    step: str
    retry_at: datetime | None
    desired_hash: str
    applied_hash: str
    image: str
    upstream: str
    pinned: Pinned
    problems: tuple[dict[str, Any], ...]
    spec_json: str
    removed_at: datetime | None
    expires_at: datetime | None
    grace_end: int | None
    removal: str
    drift: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A user's request for one change of power, an operation that can be followed by its id.

    Attributes:
        id: the operation id (uuid4, hex).
        workspace_id: whom it concerns.
        kind: start or stop.
        actor: who asked.
        request_id: the request that brought it.
        created_at: when it was asked.
        status: open (nobody took it), taken (the runner works on it), done, failed.
        error: why it failed.
        phase: the workspace's phase when it was asked.
        generation: the row's generation when it was asked.
        joined: True when this is no new operation: the start was asked for or under way already.
    """

    id: str
    workspace_id: str
    kind: IntentKind
    actor: str
    request_id: str
    created_at: datetime
    status: IntentStatus
    error: str = ""
    phase: Phase
    generation: int
    joined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerInfo:
    """The runner that works on this index.

    Attributes:
        address: where it serves its streams: `unix:<path>`, relative to the data folder.
        pid: its process id.
        version: CodeHub's version that it runs.
        started_at: when it started.
        heartbeat: grows while it is alive; compare two readings, never clocks.
    """

    address: str
    pid: int
    version: str
    started_at: datetime = field(default_factory=utc_now)
    heartbeat: int = 0

    def __post_init__(self) -> None:
        _require_aware(self.started_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One change of phase, and who or what caused it.

    Attributes:
        workspace_id: whom it concerns.
        from_phase: the phase before; None when the row was made.
        to_phase: the phase after; None when the row was forgotten.
        event: the event that moved it, or empty.
        cause: for a person: what led to it.
        actor: the user behind it, or empty.
        request_id: the request behind it, or empty.
        revision: the commit that it came from, or empty.
        at: when.
    """

    workspace_id: str
    from_phase: Phase | None
    to_phase: Phase | None
    event: str
    cause: str
    actor: str
    request_id: str
    revision: str
    at: datetime
