"""`_owners.yaml` as a model: people, teams, quotas, and who may approve or edit what.

Values are checked in `spec.rule_values`, names against each other in `spec.rule_files`. A reader
for whom the file is missing knows no owners, so every owner is as good as another.
"""

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from spec import rule_values
from spec.model import Owner, Strict
from spec.units import SIZE_PATTERN, format_size

OWNERS_NAME = "_owners.yaml"

Forge = Annotated[
    str,
    BeforeValidator(rule_values.forge),
    WithJsonSchema({"type": "string", "enum": list(rule_values.FORGES)}),
]
Login = Annotated[
    str,
    BeforeValidator(rule_values.login),
    WithJsonSchema({"type": "string", "pattern": rule_values.LOGIN_PATTERN}),
]
QuotaCpu = Annotated[
    float | None,
    BeforeValidator(rule_values.cpu),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": rule_values.CPU_MAX}),
]
QuotaMemory = Annotated[
    int | None,
    BeforeValidator(rule_values.memory),
    PlainSerializer(
        lambda size: None if size is None else format_size(size),
        return_type=str | None,
        when_used="json",
    ),
    WithJsonSchema({"type": "string", "pattern": SIZE_PATTERN}),
]
QuotaCount = Annotated[
    int | None,
    BeforeValidator(rule_values.workspaces),
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": rule_values.WORKSPACES_MAX}),
]


class Quota(Strict):
    """The most that workspaces may take together. What is not named is not limited."""

    cpu: QuotaCpu = Field(
        None, description="CPU cores of all together, with up to three decimals.", examples=[8]
    )
    memory: QuotaMemory = Field(
        None, description="Memory of all together, with a unit.", examples=["16Gi"]
    )
    workspaces: QuotaCount = Field(
        None, description="How many; 0 for none, running or not.", examples=[3]
    )


class Person(Strict):
    """Someone who may own workspaces; `{}` says no more than that."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

    logins: dict[Forge, Login] = Field(
        default_factory=dict,
        description=(
            "The person's name at a forge (`github`, `gitea`, `gitlab`), where it is another than "
            "the name here. No two people may have one login."
        ),
        examples=[{"github": "alice-gh"}],
    )
    quota: Quota = Field(
        default_factory=Quota,
        description=(
            "The most that the person's workspaces may take together. A key that is left out is "
            "that of `quotas.owner` in `_policies.yaml`."
        ),
        examples=[{"cpu": 8, "memory": "16Gi", "workspaces": 3}],
    )


class Team(Strict):
    """People who share a quota."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"members": ["alice", "bob"]}]})

    members: list[Owner] = Field(
        description="Whose workspaces count as the team's.", examples=[["alice", "bob"]]
    )
    maintainers: list[Owner] = Field(
        default_factory=list,
        description="Who may change the files of the members' workspaces.",
        examples=[["alice"]],
    )
    quota: Quota = Field(
        default_factory=Quota,
        description=(
            "The most that the members' workspaces may take together, besides each member's own "
            "quota. A key that is left out is that of `quotas.team` in `_policies.yaml`."
        ),
        examples=[{"cpu": 32, "memory": "64Gi", "workspaces": 10}],
    )


class OwnersFile(Strict):
    """Who may own workspaces, how much, and who may change whose."""

    people: dict[Owner, Person] = Field(
        description=(
            "Who may own workspaces, by the name that `owner:` has in workspace files: the name to "
            "log in with."
        ),
        examples=[{"alice": {}}],
        json_schema_extra={"additionalProperties": False},
    )
    teams: dict[Owner, Team] = Field(
        default_factory=dict,
        description="Teams by name. Someone may be in several, and counts in each.",
        examples=[{"data": {"members": ["alice", "bob"]}}],
        json_schema_extra={"additionalProperties": False},
    )
    approvers: list[Owner] = Field(
        default_factory=list,
        description="Who may approve destructive changes, and change anybody's workspace files.",
        examples=[["carol"]],
    )
    admins: list[Owner] = Field(
        default_factory=list,
        description=(
            "Approvers who may also change `_owners.yaml` and `_policies.yaml`. With none, the "
            "forge alone decides who may."
        ),
        examples=[["carol"]],
    )
