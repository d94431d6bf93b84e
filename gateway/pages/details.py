"""What the page of a workspace's details says: what is asked, what runs, how it came to be. Pure.

It goes by what the runner published, as the gateway has no engine. Values of variables are never told.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gateway.history import CommitBody, HistoryBody, PhaseBody
from gateway.pages.views import LOOKS
from state_index.models import Published
from state_index.phases import Phase

SHORT: Final = 12
"""Characters of a commit, or of a file's content, that people are shown; git takes as few."""
_ORDER: Final = ("owner", "image", "cpu", "memory", "pids", "state", "drift", "formerly")
_SET: Final = "set"
_NOT_YET: Final = "not made yet"
_NOT_KNOWN: Final = "not known"


@dataclass(frozen=True, slots=True)
class Property:
    """One property: what is asked for, and what runs.

    Attributes:
        name: What.
        asked: What the file says that was last worked on; "" where it says nothing.
        runs: What the container has.
        differs: Whether these differ by another hand.
        stays: Whether the engine itself has it so.
    """

    name: str
    asked: str
    runs: str
    differs: bool = False
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One change of phase, in words."""

    at: datetime
    words: str
    icon: str
    tone: str
    cause: str
    actor: str
    request_id: str
    revision: str


@dataclass(frozen=True, slots=True)
class CommitLine:
    """A commit that touched the file; all of it is foreign text."""

    commit: str
    author: str
    at: datetime | None
    at_words: str
    subject: str
    diff: str
    cut: bool
    withheld: bool


def properties(row: Published) -> tuple[Property, ...]:
    """Lay out what is asked and what runs: first what differs by another hand."""
    drift = {str(each.get("field", "")): each for each in row.drift}
    asked = _asked(row.spec_json)
    told = [_property(row, name, value, drift.pop(name, None)) for name, value in asked.items()]
    told += [_property(row, name, "", each) for name, each in drift.items()]
    return tuple(sorted(told, key=lambda each: not each.differs))


def steps(phases: Iterable[PhaseBody]) -> tuple[Step, ...]:
    """Write changes of phase for people."""
    return tuple(_step(each) for each in phases)


def commits(told: Iterable[CommitBody]) -> tuple[CommitLine, ...]:
    """Write commits for people; escaping is the template's."""
    return tuple(_commit(each) for each in told)


def has_diffs(history: HistoryBody) -> bool:
    """Whether diffs came with the commits."""
    return any(each.diff or each.withheld for each in history.commits)


def _asked(spec_json: str) -> dict[str, str]:
    try:
        spec = json.loads(spec_json) if spec_json else {}
    except ValueError:
        return {}
    resources = spec.get("resources") or {}
    flat = {**spec, **(resources if isinstance(resources, dict) else {})}
    told = {name: _value(flat[name]) for name in _ORDER if flat.get(name) not in (None, "")}
    env = spec.get("env")
    return told | {f"env.{name}": _SET for name in (env if isinstance(env, dict) else ())}


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _property(row: Published, name: str, asked: str, drift: Mapping[str, Any] | None) -> Property:
    if drift is not None:
        found, stays = str(drift.get("found", "")), bool(drift.get("stays"))
        return Property(name, asked or str(drift.get("wanted", "")), found, not stays, stays)
    if not row.applied_hash:
        return Property(name, asked, _NOT_YET)
    applied = row.applied_hash == row.desired_hash and row.phase is not Phase.UNKNOWN
    return Property(name, asked, _runs(row, name, asked) if applied else _NOT_KNOWN)


def _runs(row: Published, name: str, asked: str) -> str:
    return LOOKS[row.phase].label.lower() if name == "state" else asked


def _step(told: PhaseBody) -> Step:
    after = LOOKS[Phase(told.after)] if told.after else None
    return Step(
        at=told.at,
        words=after.label if after else "Forgotten",
        icon=after.icon if after else "archived",
        tone=after.tone if after else "rest",
        cause=told.cause,
        actor=told.actor,
        request_id=told.request_id,
        revision=told.revision[:SHORT],
    )


def _commit(told: CommitBody) -> CommitLine:
    try:
        at = datetime.fromisoformat(told.at)
    except ValueError:
        at = None
    aware = at if at is not None and at.tzinfo is not None else None
    return CommitLine(
        commit=told.commit[:SHORT],
        author=told.author,
        at=aware,
        at_words=told.at[:40],
        subject=told.subject,
        diff=told.diff,
        cut=told.cut,
        withheld=told.withheld,
    )
