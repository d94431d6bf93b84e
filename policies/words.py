"""A rule in words, and what was found against it: the same wherever a user meets it.

Who checks a rule, and when, is elsewhere: `policies.rules` for resources, `policies.plan` for all
workspaces together, `policies.edits` for who may change what. `policies.catalogue` lists them all.
"""

from dataclasses import dataclass
from enum import StrEnum

DOCS = "docs/reference/policies.md"


class Level(StrEnum):
    """What a finding does."""

    MANDATORY = "mandatory"
    """It stops the operation."""
    ADVISORY = "advisory"
    """It is told."""
    OFF = "off"
    """The rule is not looked at."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        id: Stable, as users write it in an exemption.
        reason: Why the rule is there.
        remedy: What to do about a finding.
        level: What a finding does, unless `_policies.yaml` says otherwise.
        settable: Whether `_policies.yaml` may set the level, and exempt workspaces. What keeps a
            workspace from the host and from others' homes may not be given away by a file.
    """

    id: str
    reason: str
    remedy: str
    level: Level = Level.MANDATORY
    settable: bool = False

    @property
    def docs(self) -> str:
        """Page and section that explain the rule."""
        return f"{DOCS}#{self.id}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One rule broken by one resource or one workspace.

    Attributes:
        rule: The rule.
        resource: Pulumi's name of the resource, or the workspace's id.
        detail: What exactly breaks it, one sentence without its full stop.
        level: What this finding does; the rule's level by default.
    """

    rule: Rule
    resource: str
    detail: str
    level: Level | None = None

    @property
    def mandatory(self) -> bool:
        """Whether it stops the operation."""
        return (self.level or self.rule.level) is Level.MANDATORY

    @property
    def message(self) -> str:
        """All that a user needs, in one text."""
        return f"{self.detail}. {self.rule.reason} {self.rule.remedy} ({self.rule.docs})"
