"""Turns Pulumi's engine events into ours, and a whole operation's into its changes. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation import events as auto

from stacks.engine.model import EngineEvent, ResourceChange, name_of
from stacks.errors import Violation

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"
MANDATORY = "mandatory"

# The steps of a replacement, and what a user calls them all.
_REPLACING = frozenset({
    "replace", "create-replacement", "delete-replaced", "import-replacement", "read-replacement",
    "discard-replaced", "remove-pending-replace",
})  # fmt: skip


def translate(event: auto.EngineEvent) -> EngineEvent | None:
    """Give our event for one of Pulumi's, or None for what tells nothing."""
    if event.resource_pre_event:
        return _step("begin", event.resource_pre_event.metadata)
    if event.res_outputs_event:
        return _step("done", event.res_outputs_event.metadata)
    if event.res_op_failed_event:
        return _step("failed", event.res_op_failed_event.metadata)
    if event.diagnostic_event and event.diagnostic_event.severity != "debug":
        text, urn = event.diagnostic_event.message.strip(), event.diagnostic_event.urn or ""
        return EngineEvent(kind="message", resource=name_of(urn), message=text)
    if event.policy_event:
        return EngineEvent(kind="policy", message=event.policy_event.message.strip())
    return _frame(event)


def _step(kind: str, step: auto.StepEventMetadata) -> EngineEvent:
    return EngineEvent(kind=kind, op=step.op.value, resource=name_of(step.urn))


def _frame(event: auto.EngineEvent) -> EngineEvent | None:
    """Begin, summary and end of the operation as a whole."""
    if event.prelude_event:
        return EngineEvent(kind="prelude")
    if event.summary_event:
        return EngineEvent(kind="summary")
    return EngineEvent(kind="end") if event.cancel_event else None


@dataclass
class _Seen:
    type: str
    ops: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


@dataclass
class Collector:
    """Gathers a whole operation's events.

    Attributes:
        outputs: The stack's outputs.
        errors: (resource, text) of each error message.
        policies: What policies said.
        failed: Names of resources whose step failed.
    """

    outputs: dict[str, Any] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    policies: list[Violation] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _seen: dict[str, _Seen] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing failed so far."""
        is_refused = any(violation.mandatory for violation in self.policies)
        return not (self.errors or self.failed or is_refused)

    def add(self, event: auto.EngineEvent) -> None:
        """Take the next event."""
        if event.resource_pre_event:
            self._step(event.resource_pre_event.metadata)
        elif event.res_outputs_event:
            self._step(event.res_outputs_event.metadata)
        elif event.res_op_failed_event:
            self.failed.append(name_of(event.res_op_failed_event.metadata.urn))
        elif event.diagnostic_event and event.diagnostic_event.severity == "error":
            urn = event.diagnostic_event.urn or ""
            self.errors.append((name_of(urn), event.diagnostic_event.message.strip()))
        elif event.policy_event:
            self.policies.append(_violation(event.policy_event))

    def _step(self, step: auto.StepEventMetadata) -> None:
        if step.type == STACK_TYPE and step.new:
            self.outputs = dict(step.new.outputs or {}) or self.outputs
        if step.type == STACK_TYPE or step.type.startswith(PROVIDER_PREFIX):
            return
        seen = self._seen.setdefault(step.urn, _Seen(type=step.type))
        if step.op.value not in seen.ops:
            seen.ops.append(step.op.value)
        diff = step.detailed_diff or {}
        seen.properties.update({path: item.diff_kind.value for path, item in diff.items()})
        seen.keys = tuple(step.keys or ()) or seen.keys

    def changes(self) -> tuple[ResourceChange, ...]:
        """Give one change for each resource, in the order in which they came up."""
        return tuple(
            ResourceChange(
                op=_whole(seen.ops),
                type=seen.type,
                name=name_of(urn),
                properties=dict(seen.properties),
                replace_keys=seen.keys,
            )
            for urn, seen in self._seen.items()
        )


def _whole(ops: Iterable[str]) -> str:
    """Give one word for the steps of one resource."""
    found = [op for op in ops if op != "refresh"]
    if _REPLACING.intersection(found):
        return "replace"
    # With --refresh a resource is read first, then compared: what is not `same` counts.
    changed = [op for op in found if op != "same"]
    return changed[-1] if changed else "same"


def _violation(event: auto.PolicyEvent) -> Violation:
    urn = event.resource_urn or ""
    return Violation(
        rule=event.policy_name,
        resource=name_of(urn),
        message=event.message.strip(),
        mandatory=event.enforcement_level == MANDATORY,
    )


def to_wire(event: EngineEvent) -> Mapping[str, str]:
    """Give an event's filled fields, to be sent from the worker."""
    fields = {"kind": event.kind, "op": event.op, "resource": event.resource}
    return {key: value for key, value in {**fields, "message": event.message}.items() if value}
