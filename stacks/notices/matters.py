"""What is the matter now, by the published rows. Pure.

A matter lasts as long as the rows show it. While a workspace is being worked on, nobody can say
whether its failure lasts: it is neither a matter nor over.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Any

from spec import Problem
from stacks import drift, secrecy
from stacks.errors import InvalidFileError, SyncWindowError, remedy_of
from stacks.notices.model import Kind, Notice
from state_index.models import Published
from state_index.phases import Phase, Sync
from telemetry.redact import redact_text

Key = tuple[Kind, str]
"""A kind and the workspace: of each there is one matter at most."""

WORKED_ON = frozenset(
    {
        Phase.PROVISIONING,
        Phase.STARTING,
        Phase.STOPPING,
        Phase.UPDATING,
        Phase.ARCHIVING,
        Phase.RESTORING,
        Phase.DELETING,
    }
)

DRIFT = "DRIFT"
DRIFT_REMEDY = "`codehub up {id}` heals it."

SHOWN_PROBLEMS = 3
"""Problems of a file that are told."""

MOST_EXTRA = 1000
"""Matters of other sources that are heeded at once."""


@dataclass(frozen=True, kw_only=True)
class Matter:
    """Something that is the matter now.

    Attributes:
        notice: What would be told of it; its kind is FAILURE, DRIFT or APPROVAL.
        fingerprint: Tells one such matter from another of the same workspace.
        passing: Whether it may well end without a person: it is told when it lasts only.
    """

    notice: Notice
    fingerprint: str
    passing: bool = False

    @property
    def key(self) -> Key:
        """Which matter it is."""
        return self.notice.kind, self.notice.workspace


@dataclass(frozen=True, kw_only=True)
class Scene:
    """All that is the matter at one moment.

    Attributes:
        matters: What is.
        unclear: What may be or not, because it is being worked on.
        rows: What is published, by workspace.
    """

    matters: Mapping[Key, Matter]
    unclear: frozenset[Key] = frozenset()
    rows: Mapping[str, Published] = field(default_factory=dict)


def scene(rows: Iterable[Published], extra: Iterable[Matter] = ()) -> Scene:
    """Look at all rows.

    Args:
        rows: What is published.
        extra: What is the matter besides, by another source; the first thousand are heeded.
    """
    known = {row.id: row for row in rows}
    found = [_failure(row) for row in known.values()] + [_drift(row) for row in known.values()]
    matters = [*(one for one in found if isinstance(one, Matter)), *islice(extra, MOST_EXTRA)]
    unclear = frozenset(one for one in found if isinstance(one, tuple))
    return Scene(matters={one.key: one for one in matters}, unclear=unclear, rows=known)


def _failure(row: Published) -> Matter | Key | None:
    if row.sync is Sync.INVALID:
        # Before what its phase says: nothing else of it can be mended first.
        return _matter(row, Kind.FAILURE, InvalidFileError.reason, _problems(row.problems))
    if row.phase in WORKED_ON or row.phase is Phase.PENDING:
        return Kind.FAILURE, row.id
    waits = not row.reason or row.reason == SyncWindowError.reason
    if row.phase not in {Phase.ERROR, Phase.UNKNOWN} and waits:
        return None
    # Nobody has to do anything for an engine that comes back.
    passing = row.phase is Phase.UNKNOWN or row.retry_at is not None
    return _matter(row, Kind.FAILURE, row.reason or str(row.phase), row.message, passing=passing)


def _drift(row: Published) -> Matter | Key | None:
    found = [one for one in drift.read(row.drift) if not one.stays]
    if row.phase in WORKED_ON or row.phase is Phase.UNKNOWN or (found and row.phase is Phase.ERROR):
        return Kind.DRIFT, row.id
    if not found:
        return None
    marks = sorted(f"{one.field}\0{one.found}" for one in found)
    return _matter(
        row,
        Kind.DRIFT,
        DRIFT,
        drift.words(found),
        since=row.updated_at,
        fingerprint=sha256("\0\0".join(marks).encode()).hexdigest()[:16],
        passing=not _only_reports(row.spec_json),
    )


def _matter(
    row: Published,
    kind: Kind,
    reason: str,
    message: str,
    *,
    since: datetime | None = None,
    fingerprint: str = "",
    passing: bool = False,
) -> Matter:
    told, remedy = _split(reason, message)
    notice = Notice(
        kind=kind,
        workspace=row.id,
        owner=row.owner,
        phase=str(row.phase),
        reason=reason,
        message=redact_text(told),
        remedy=redact_text(remedy or _remedy(kind, row.id)),
        since=since or row.since,
    )
    return Matter(notice=notice.cut(), fingerprint=fingerprint or reason, passing=passing)


def _split(reason: str, message: str) -> tuple[str, str]:
    """Take the remedy off a message, to whose end the index puts it."""
    remedy = remedy_of(reason)
    if reason == InvalidFileError.reason:
        return message, remedy
    if not remedy or not message.endswith(remedy):
        return message, ""
    return message.removesuffix(remedy).strip().removesuffix("."), remedy


def _remedy(kind: Kind, workspace_id: str) -> str:
    return DRIFT_REMEDY.format(id=workspace_id) if kind is Kind.DRIFT else ""


def _problems(problems: Iterable[Mapping[str, Any]]) -> str:
    told = [f"line {one.get('line', '?')}: {_message(one)}" for one in problems]
    more = f"; {len(told) - SHOWN_PROBLEMS} more" if len(told) > SHOWN_PROBLEMS else ""
    return "; ".join(told[:SHOWN_PROBLEMS]) + more or "its file has errors"


def _message(problem: Mapping[str, Any]) -> str:
    """Give what a review would tell of it: both leave the house."""
    key, message = str(problem.get("key", "")), str(problem.get("message", ""))
    return secrecy.told(Problem("", 0, 0, key, message, ""))[0]


def _only_reports(spec_json: str) -> bool:
    """Whether its file asks to be told of drift, and no more."""
    try:
        return bool(json.loads(spec_json).get("drift") == "report")
    except (ValueError, AttributeError):
        return False
