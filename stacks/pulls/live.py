"""The live part of the comment: what is there now, and what would happen to it. Pure.

Only names of properties are told, never values: what `env` holds, in the file or in the container, is
in none of it. Every foreign word goes through `stacks.review.safe`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stacks import secrecy
from stacks.changes import PropertyChange, WorkspaceChange
from stacks.review import safe
from stacks.review.model import Review
from state_index.phases import Phase
from telemetry.redact import redact_text

MOST = 20
"""Workspaces that are looked at."""
PROPERTIES = 20
"""Of one workspace that are named."""

NOW = {
    Phase.RUNNING: "running now",
    Phase.WARM: "stopped now",
    Phase.COLD: "archived now",
    Phase.TOMBSTONED: "removed already, its home is kept",
    Phase.DELETED: "removed already",
    Phase.ERROR: "failing now",
    Phase.UNKNOWN: "on an engine that does not answer",
    Phase.PENDING: "not made yet",
}
RUNS = "what runs in it would be ended"
THEN = {
    "purge": "its home would be removed for good",
    "delete": "its container would go",
    "replace": "its container would be made anew",
    "update": "it would be changed in place",
    "create": "its container would be made",
    "start": "it would be started",
    "stop": "it would be stopped",
    "nothing": "nothing would happen to it",
    "blocked": "nothing would happen to it",
    "invalid": "nothing would happen to it until its file is right",
    "keep": "the grace of its home would begin",
    "forget": "it would be forgotten: it was never made",
}
ENDS = frozenset({"delete", "replace", "stop"})


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What is known of one workspace that a pull request changes.

    Attributes:
        id: Which.
        phase: Its phase; None where nothing is published of it.
        homes: How many homes it has.
        drift: How many properties another hand changed.
        change: What would happen, by the plan and by Pulumi where that was asked; None where it
            could not be.
        asked: Whether Pulumi was asked.
        problem: Why something could not be looked at.
    """

    id: str
    phase: Phase | None = None
    homes: int = 0
    drift: int = 0
    change: WorkspaceChange | None = None
    asked: bool = False
    problem: str = ""


def body(review: Review, facts: Sequence[Fact], *, of: int) -> str:
    """Give the section.

    Args:
        review: What the files say.
        facts: What is there, destructive first.
        of: How many workspaces it changes.
    """
    lines = ["### Live: what is there now", ""]
    lines += [line for fact in facts for line in _told(fact)]
    if not facts:
        lines += ["No workspace that stands is changed.", ""]
    if of > len(facts) and facts:
        lines += [f"{of - len(facts)} more are not looked at here.", ""]
    lines.append(
        f"<sub>Seen by the runner, for {safe.code(review.base[:12])} → {safe.code(review.head[:12])}. "
        "It may be otherwise at the merge: then what is worse waits for an approval.</sub>"
    )
    return "\n".join(lines) + "\n"


def _told(fact: Fact) -> Iterator[str]:
    now = NOW.get(fact.phase, f"{fact.phase.lower()} now") if fact.phase else "not there yet"
    yield f"- {safe.code(fact.id)}: **{now}**{_then(fact)}"
    if fact.homes or fact.phase is not None:
        yield f"  - its home {'is there' if fact.homes else '**is not there**'}"
    if fact.drift:
        yield f"  - another hand changed it: {fact.drift} propert{'ies' if fact.drift > 1 else 'y'}"
    if fact.change is not None:
        yield from _details(fact.change, asked=fact.asked)
    if fact.problem:
        yield f"  - {safe.code(_harmless(fact.problem))}"


def _then(fact: Fact) -> str:
    if fact.change is None:
        return ""
    action = str(fact.change.action)
    ended = f": {RUNS}" if fact.phase is Phase.RUNNING and action in ENDS else ""
    return f", {THEN.get(action, action)}{ended}"


def _details(change: WorkspaceChange, *, asked: bool) -> Iterator[str]:
    if change.data:
        yield f"  - {safe.code(_harmless(change.data))}"
    if change.details:
        told = ", ".join(_property(each) for each in change.details[:PROPERTIES])
        more = len(change.details) - PROPERTIES
        by = "Pulumi's preview" if asked else "the plan"
        yield f"  - by {by}: {told}{f' and {more} more' if more > 0 else ''}"
    for each in change.violations:
        level = "❌ refused by" if each.mandatory else "💡 advice of"
        yield f"  - {level} {safe.code(each.rule)}"
    if change.error is not None:
        reason, message = str(change.error.get("reason", "")), str(change.error.get("message", ""))
        yield f"  - ❌ {safe.code(reason)}: {safe.code(_harmless(message))}"


def _property(each: PropertyChange) -> str:
    return f"{safe.code(each.path)}{' (anew)' if each.replaces else ''}"


def _harmless(text: str) -> str:
    return secrecy.hidden_in(redact_text(text))
