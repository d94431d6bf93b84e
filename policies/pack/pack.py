"""The rules as a Pulumi policy pack.

Says nothing about what is allowed: that is `policies.rules`. Serving the pack is the SDK's own
`PolicyPack`, which prints a port and answers Pulumi until its process is ended; the runner does
it in a process forked from a warm one, `policies/pack/__main__.py` in one of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)

from policies.rules import Level, Resource, ResourceRule, configured, evaluate

NAME = "codehub"

Settings = Mapping[str, Mapping[str, Any]]

_LEVELS = {
    Level.MANDATORY: EnforcementLevel.MANDATORY,
    Level.ADVISORY: EnforcementLevel.ADVISORY,
    Level.OFF: EnforcementLevel.DISABLED,
}


def policies(settings: Settings | None = None) -> list[Policy]:
    """Give one Pulumi policy for each rule.

    Args:
        settings: What `_policies.yaml` says for the workspace at hand; see `policies.rules`.
    """
    return [
        ResourceValidationPolicy(
            name=rule.id,
            description=rule.reason,
            validate=_validation(rule),
            enforcement_level=_LEVELS[rule.level],
            remediation_steps=rule.remedy,
            url=rule.docs,
        )
        for rule in configured(settings or {})
    ]


def serve(settings: Settings | None = None) -> None:
    """Print a port and answer Pulumi there until this process is ended; args as `policies`."""
    PolicyPack(name=NAME, policies=policies(settings), enforcement_level=EnforcementLevel.MANDATORY)


def _validation(rule: ResourceRule) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type not in rule.applies_to:
            return
        for finding in evaluate(_resource(args), rules=(rule,)):
            report(finding.message, None)

    return validate


def _resource(args: ResourceValidationArgs) -> Resource:
    return Resource(
        type=args.resource_type,
        name=args.name,
        properties=_plain(args.props),
        protect=args.opts.protect,
        ignore_changes=tuple(args.opts.ignore_changes),
    )


def _plain(value: Any) -> Any:
    """Copy the SDK's proxies; a value not known before `up` raises, and the SDK tells so."""
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
