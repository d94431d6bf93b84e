"""How published rows are shown: colours, ages, one line of why, JSON."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cli.output import shown

if TYPE_CHECKING:
    from state_index.models import Published

_MOVING = [
    "PENDING",
    "PROVISIONING",
    "STARTING",
    "STOPPING",
    "UPDATING",
    "ARCHIVING",
    "RESTORING",
    "DELETING",
    "OutOfSync",
]
STYLES = {
    "RUNNING": "green",
    "WARM": "blue",
    "ERROR": "bold red",
    "UNKNOWN": "bold red",
    "Invalid": "bold red",
} | dict.fromkeys(_MOVING, "yellow")
"""Rich style of a cell; the text says the same."""

_MOST = 6
"""Differences that are told; JSON has all."""

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def age(since: datetime, now: datetime) -> str:
    """How long ago, as kubectl says it: its largest unit."""
    seconds = max(0, int((now - since).total_seconds()))
    unit, size = next((one for one in _UNITS if seconds >= one[1]), _UNITS[-1])
    return f"{seconds // size}{unit}"


def expiry(row: "Published", now: datetime) -> str:
    """When its kept home goes: `in 6d`, `now` when that is due; nothing where none is kept."""
    if row.expires_at is None:
        return ""
    return f"in {age(now, row.expires_at)}" if row.expires_at > now else "now"


def differs(row: "Published") -> str:
    """What another hand changed, in words; nothing where all is as it was made."""
    told = [
        " ".join(map(shown, (each["field"], each["wanted"], "→", each["found"])))
        for each in row.drift
    ]
    more = f" and {len(told) - _MOST} more" if len(told) > _MOST else ""
    return f"differs: {', '.join(told[:_MOST])}{more}" if told else ""


def why(row: "Published") -> str:
    """One line: the failure, what is wrong with the file, the step under way, what differs."""
    parts = [shown(f"{row.reason}: {row.message}" if row.reason else row.message or row.step)]
    if row.problems:
        first = row.problems[0]
        place = f"{first.get('file')}:{first.get('line')}:{first.get('column')}"
        more = f" (and {len(row.problems) - 1} more)" if len(row.problems) > 1 else ""
        parts.append(f"{place}: {shown(str(first.get('message')))}{more}")
    parts.append(differs(row))
    return " ".join("; ".join(part for part in parts if part).split())


def plain(row: "Published") -> dict[str, Any]:
    """A row as JSON values; keys are stable. The spec is an object, times are ISO 8601."""
    values = asdict(row)
    spec = values.pop("spec_json")
    values["spec"] = json.loads(spec) if spec else None
    del values["grace_end"]  # counts by a clock that only runners have
    del values["removal"]  # says something to the runner's ledger only
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in values.items()
    }
