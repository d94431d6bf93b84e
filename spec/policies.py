"""`_policies.yaml` as a model: levels of rules, allowed images, default quotas, exemptions, windows.

The rules themselves are in the room `policies`, which this one does not know: a test compares the
ids. A rule that keeps workspaces from the host or from others' homes can't be set here.
"""

from datetime import date
from functools import partial
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from spec import rule_values
from spec.ids import ID_PATTERN
from spec.model import Strict
from spec.owners import Quota
from spec.windows import EXAMPLE, SyncWindow

POLICIES_NAME = "_policies.yaml"

SETTABLE = ("image-allowed", "owner-listed", "quota-owner", "quota-team")
"""Rules whose level may be set, and that have exemptions."""
FIXED = (
    "limit-memory", "limit-cpu", "limit-pids", "no-privilege", "no-shared-namespace",
    "no-host-mount", "home-retained", "labels-complete",
    "edit-allowed", "rules-by-admins", "approver-needed",
)  # fmt: skip
"""Rules that always hold."""

Level = Annotated[Literal["mandatory", "advisory", "off"], BeforeValidator(rule_values.level)]
ImagePattern = Annotated[
    str,
    BeforeValidator(rule_values.image),
    WithJsonSchema({"type": "string", "pattern": rule_values.IMAGE_PATTERN, "maxLength": 255}),
]
Workspace = Annotated[
    str,
    BeforeValidator(rule_values.workspace),
    WithJsonSchema({"type": "string", "pattern": f"^{ID_PATTERN}$"}),
]
ExemptRule = Annotated[
    str,
    BeforeValidator(partial(rule_values.one_of_rules, settable=SETTABLE, fixed=FIXED)),
    WithJsonSchema({"type": "string", "enum": list(SETTABLE)}),
]
Reason = Annotated[
    str,
    BeforeValidator(rule_values.reason),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": rule_values.REASON_LENGTH}),
]
Day = Annotated[
    date,
    BeforeValidator(rule_values.day),
    WithJsonSchema({"type": "string", "pattern": rule_values.DATE_PATTERN, "format": "date"}),
]
_LEVEL = (
    "`mandatory`: what breaks the rule is not done. `advisory`: it is done, and told. `off`: the "
    "rule is not looked at."
)


class RuleLevel(Strict):
    """How much a rule counts."""

    level: Level = Field("mandatory", description=_LEVEL, examples=["advisory"])


class ImageRule(RuleLevel):
    """Which images workspaces may run."""

    images: Annotated[list[ImagePattern], AfterValidator(rule_values.images)] = Field(
        description=(
            "Patterns of the images that are allowed: `[host/]name[:tag][@digest]`, with `*` for "
            "anything but `/`, `**` for anything at all and `?` for one character. Without a tag, "
            "every tag is allowed, and every digest. With a tag and no digest, an image that names "
            "a digest is not: the engine would not look at its tag."
        ),
        examples=[["codehub/*", "registry.example.org/team/ide:1.*"]],
        json_schema_extra={"minItems": 1},
    )


class RuleLevels(Strict):
    """Rules that are set, by id."""

    image_allowed: ImageRule | None = Field(
        None,
        alias="image-allowed",
        description="Which images workspaces may run. Without it, every image may be.",
        examples=[{"images": ["codehub/*"]}],
    )
    owner_listed: RuleLevel = Field(
        default_factory=RuleLevel,
        alias="owner-listed",
        description="Whether an owner must be in `_owners.yaml`, where that is there.",
        examples=[{"level": "advisory"}],
    )
    quota_owner: RuleLevel = Field(
        default_factory=RuleLevel,
        alias="quota-owner",
        description="Whether the quotas of owners hold.",
        examples=[{"level": "advisory"}],
    )
    quota_team: RuleLevel = Field(
        default_factory=RuleLevel,
        alias="quota-team",
        description="Whether the quotas of teams hold.",
        examples=[{"level": "off"}],
    )


class Quotas(Strict):
    """Quotas of who has none of their own, key by key."""

    owner: Quota = Field(
        default_factory=Quota,
        description="Of each owner, listed in `_owners.yaml` or not.",
        examples=[{"cpu": 8, "memory": "16Gi", "workspaces": 3}],
    )
    team: Quota = Field(
        default_factory=Quota,
        description="Of each team.",
        examples=[{"cpu": 32, "memory": "64Gi"}],
    )


class Exemption(Strict):
    """Workspaces that one rule does not hold for a time."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "rule": "image-allowed",
                    "workspaces": ["alice-gpu"],
                    "reason": "until the registry has the GPU image",
                    "until": "2030-12-31",
                }
            ]
        }
    )

    rule: ExemptRule = Field(description="The rule's id.", examples=["image-allowed"])
    workspaces: Annotated[list[Workspace], AfterValidator(rule_values.some)] = Field(
        description="Ids of the workspaces; there need be no such file yet.",
        examples=[["alice-gpu"]],
        json_schema_extra={"minItems": 1},
    )
    reason: Reason = Field(
        description="Why: it is shown beside the workspace, on one line.",
        examples=["until the registry has the GPU image"],
    )
    until: Day = Field(
        description=(
            "The last day that it counts, in UTC. Afterwards nothing is stopped; the next change "
            "of the workspace is refused."
        ),
        examples=["2030-12-31"],
    )


class PoliciesFile(Strict):
    """Which rules hold, and for whom they don't."""

    rules: RuleLevels = Field(
        default_factory=RuleLevels,
        description="Rules that are set, by id; all others are as the reference of rules says.",
        examples=[{"image-allowed": {"images": ["codehub/*"]}}],
    )
    quotas: Quotas = Field(
        default_factory=Quotas,
        description="Quotas of who has none of their own.",
        examples=[{"owner": {"cpu": 8, "memory": "16Gi", "workspaces": 3}}],
    )
    exemptions: list[Exemption] = Field(
        default_factory=list,
        description="Workspaces that a rule does not hold for a time.",
        examples=[
            [
                {
                    "rule": "image-allowed",
                    "workspaces": ["alice-gpu"],
                    "reason": "until the registry has the GPU image",
                    "until": "2030-12-31",
                }
            ]
        ],
    )
    windows: list[SyncWindow] = Field(
        default_factory=list,
        description=(
            "When changes of the files may be applied. Without any, at all times. Where several "
            "are for a workspace, one that allows must be open, if any allows, and none that denies."
        ),
        examples=[[EXAMPLE]],
    )
