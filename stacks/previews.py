"""What an `up` would do, in words and properties: the plan, made exact by real Pulumi previews.

Nothing is changed. Only workspaces whose hash changed cost a Pulumi operation.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from stacks import identity, renames
from stacks.changes import PropertyChange, WorkspaceChange
from stacks.engine import Outcome, ResourceChange
from stacks.errors import PolicyViolationError, StacksError, Violation
from stacks.plan import Action, Change
from stacks.rendering import CHANGED_IN_PLACE
from stacks.work import Work
from telemetry.words import printable

CONTAINER = "container"
ORDER = (
    "purge", "delete", "replace", "blocked", "invalid", "update", "create", "stop", "start",
    "keep", "forget",
)  # fmt: skip
"""Destructive first; nothing last."""

IN_PLACE = frozenset({f"resources.{name}" for name in CHANGED_IN_PLACE})


async def preview_all(
    work: Work, changes: Iterable[Change], refused: Mapping[str, StacksError]
) -> list[WorkspaceChange]:
    """Preview changes, destructive first; as many Pulumi operations at once as `work` allows.

    Args:
        work: Asks Pulumi.
        changes: What the plan says.
        refused: Workspaces that there is no plan for, by id, each with the reason.
    """
    previews = await asyncio.gather(*(_preview(work, change) for change in changes))
    told = [*previews, *(_refused(id_, error) for id_, error in refused.items())]
    return sorted(told, key=lambda found: (not found.destructive, _rank(found.action), found.id))


def _refused(workspace_id: str, error: StacksError) -> WorkspaceChange:
    return WorkspaceChange(
        id=workspace_id,
        action=Action.BLOCKED,
        sync="",
        reason=error.message,
        error=error.to_json(),
    )


def _rank(action: str) -> int:
    return ORDER.index(action) if action in ORDER else len(ORDER)


async def _preview(work: Work, change: Change) -> WorkspaceChange:
    if change.inputs is None or not change.action.needs_pulumi:
        return describe(change)
    return described_by(change, await work.preview(change))


def describe(change: Change) -> WorkspaceChange:
    """Describe a change by the plan alone."""
    error = change.error or change.refusal
    idle = change.refusal is not None and change.action is Action.NOTHING
    return WorkspaceChange(
        id=change.id,
        action=Action.BLOCKED if idle else change.action,
        sync=change.sync,
        reason=_refused_by(change) or change.reason,
        details=file_changes(change),
        violations=change.findings,
        problems=tuple(found.as_dict() for found in change.problems),
        data=data_note(change),
        formerly=renames.in_progress(change),
        former_owner=identity.owner_before(change.known),
        error=error.to_json() if error else None,
    )


def _refused_by(change: Change) -> str:
    """The rules that refuse it; what they say stands beside."""
    rules = [found.rule for found in change.findings if found.mandatory]
    return f"refused by {', '.join(dict.fromkeys(rules))}" if rules else ""


def described_by(change: Change, outcome: Outcome) -> WorkspaceChange:
    """Describe a change by what Pulumi says of it."""
    exact = replace(change, action=exact_action(change.action, outcome))
    told = replace(describe(exact), violations=_once(change.findings + outcome.violations))
    if not told.details:
        told = replace(told, details=tuple(_resource_changes(outcome.changed)))
    if outcome.error is None:
        return told
    if isinstance(outcome.error, PolicyViolationError):
        told = replace(told, violations=_once(told.violations + outcome.error.violations))
    # What would not come about says nothing about the data.
    return replace(told, data="", error=outcome.error.to_json())


def _once(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """What the plan told of a rule already, the policy pack need not tell again."""
    found: dict[tuple[str, str], Violation] = {}
    for each in violations:
        found.setdefault((each.rule, each.message), each)
    return tuple(found.values())


def exact_action(planned: Action, outcome: Outcome) -> Action:
    """Tell update from replace by what happens to the container."""
    ops = {found.op for found in outcome.changed if found.name == CONTAINER}
    if planned is Action.CREATE or outcome.error is not None or not ops:
        return planned
    return Action.REPLACE if ops & {"replace", "create"} else Action.UPDATE


def data_note(change: Change) -> str:
    """Say in words what happens to the user's data."""
    homes = change.known.homes
    kept = f"home {homes[-1].number} is kept" if homes else "there is no home"
    before = identity.owner_before(change.known)
    if homes and before and change.spec:
        kept += f" and goes from {printable(before)} to {change.spec.owner}"
    if change.inputs is not None and not change.inputs.home.exists:
        return _new_home(change)
    if former := renames.in_progress(change):
        return (
            f"{kept}, it is that of {change.known.homes[-1].workspace}; the container of {former} "
            "goes, and what was written outside of the home is lost"
        )
    notes = {
        Action.CREATE: f"{kept} and mounted again" if homes else "a new, empty home is made",
        Action.REPLACE: f"{kept}; what was written outside of it is lost",
        Action.UPDATE: f"{kept}; nothing restarts",
        Action.DELETE: f"{kept}; what was written outside of it is lost",
        Action.STOP: kept,
        Action.KEEP: f"{kept} until its grace is over",
        Action.PURGE: "its home is removed for good",
        Action.START: kept,
    }
    return notes.get(change.action, "")


def _new_home(change: Change) -> str:
    return "a new, empty home is made" if change.action.needs_pulumi else ""


def file_changes(change: Change) -> tuple[PropertyChange, ...]:
    """Compare the file with the one that was last worked on, key by key."""
    row = change.known.row
    spec = change.spec or change.refused
    if spec is None or row is None or not row.spec_json:
        return ()
    before = _flat(json.loads(row.spec_json))
    after = _flat(json.loads(spec.model_dump_json()))
    return tuple(
        _property(path, before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    )


def _flat(value: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= (
            _flat(inner, f"{path}{key}.") if isinstance(inner, dict) else {f"{path}{key}": inner}
        )
    return flat


def _property(path: str, before: object, after: object) -> PropertyChange:
    kind = "add" if before is None else "delete" if after is None else "update"
    return PropertyChange(
        path=path,
        kind=kind,
        before="" if before is None else json.dumps(before, ensure_ascii=False),
        after="" if after is None else json.dumps(after, ensure_ascii=False),
        replaces=path not in IN_PLACE and path != "state",
    )


def _resource_changes(changed: Iterable[ResourceChange]) -> Iterable[PropertyChange]:
    for resource in changed:
        for path, kind in sorted(resource.properties.items()):
            yield PropertyChange(
                path=f"{resource.name}.{path}",
                kind=kind.removesuffix("-replace"),
                replaces=kind.endswith("-replace") or path in resource.replace_keys,
            )
