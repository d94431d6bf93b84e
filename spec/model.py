"""The workspace file as a model: keys, types, defaults, and what each means.

`WorkspaceFile` is what a file says; `WorkspaceSpec` is that plus the id, which is the file's
name. JSON Schema and the reference page come from the descriptions and examples here; the rules
of single values are in `spec.rules`.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from spec import rules
from spec.errors import InvalidIdError, RuleError
from spec.ids import ID_PATTERN, check_id
from spec.units import SIZE_PATTERN, UNITS, format_size

WRITTEN: dict[str, Any] = {"written": True}
"""Validation context of what a person wrote: there a size without a unit is refused."""

Owner = Annotated[str, Field(pattern=rules.OWNER_PATTERN), BeforeValidator(rules.owner)]
Image = Annotated[
    str,
    BeforeValidator(rules.image),
    WithJsonSchema({"type": "string", "pattern": rules.IMAGE_PATTERN, "maxLength": 255}),
]
Cpu = Annotated[
    float,
    BeforeValidator(rules.cpu),
    WithJsonSchema({"type": "number", "minimum": rules.CPU_MIN, "maximum": rules.CPU_MAX}),
]
Pids = Annotated[int, Field(ge=rules.PIDS_MIN, le=rules.PIDS_MAX), BeforeValidator(rules.pids)]
Drift = Annotated[Literal["heal", "report"], BeforeValidator(rules.drift)]
State = Annotated[Literal["auto", "running", "warm"], BeforeValidator(rules.state)]
EnvName = Annotated[
    str,
    BeforeValidator(rules.env_name),
    WithJsonSchema({"type": "string", "pattern": rules.ENV_NAME_PATTERN}),
]
EnvValue = Annotated[str, BeforeValidator(rules.env_value)]


def _memory(value: object, info: ValidationInfo) -> int:
    written = bool(info.context and info.context.get("written"))
    return rules.written_memory(value) if written else rules.memory(value)


Memory = Annotated[
    int,
    BeforeValidator(_memory),
    PlainSerializer(format_size, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": SIZE_PATTERN}),
]


def _id(value: object) -> str:
    try:
        return check_id(str(value))
    except InvalidIdError as error:
        raise RuleError(error.message, error.hint) from error


def _former(value: object, info: ValidationInfo) -> str | None:
    # JSON of ours says null where there is none; in a file, nothing written is a mistake.
    written = bool(info.context and info.context.get("written"))
    return None if value is None and not written else rules.formerly(value)


Former = Annotated[
    str | None,
    BeforeValidator(_former),
    WithJsonSchema({"type": "string", "pattern": f"^{ID_PATTERN}$"}),
]


class Strict(BaseModel):
    """Immutable; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False)


class Resources(Strict):
    """What the workspace may use of its machine."""

    cpu: Cpu = Field(
        2.0,
        description="CPU cores it may use, from 0.1 to 64. Half a core is 0.5.",
        examples=[2, 0.5],
    )
    memory: Memory = Field(
        4 * UNITS["Gi"],
        description=(
            "Memory it may use, with a unit (Ki, Mi, Gi, Ti: powers of 1024; K, M, G, T: powers of "
            "1000), from 64Mi to 1Ti. A process that wants more is ended by the kernel; there is "
            "no swap on top."
        ),
        examples=["4Gi", "512Mi"],
        json_schema_extra={"default": "4Gi"},
    )
    pids: Pids = Field(
        4096,
        description="Processes and threads it may have at once, from 64 to 131072.",
        examples=[4096],
    )


class WorkspaceFile(Strict):
    """A workspace: one file `<id>.yaml` in the folder of workspaces."""

    owner: Owner = Field(
        description=(
            "The user whose workspace it is: the name to log in with. Only the owner opens it."
        ),
        examples=["alice"],
    )
    image: Image = Field(
        description=(
            "The container image, as Docker names images. It must serve an IDE on the unix socket "
            "/run/codehub/ide.sock."
        ),
        examples=["codehub/code-server", "registry.example.org/team/ide:1.4"],
    )
    resources: Resources = Field(
        default_factory=Resources,
        description="What the workspace may use of its machine.",
        examples=[{"cpu": 2, "memory": "4Gi", "pids": 4096}],
    )
    env: Annotated[dict[EnvName, EnvValue], AfterValidator(rules.env)] = Field(
        default_factory=dict,
        description=(
            "Environment variables. Values are text: quote numbers, true and false. Names that "
            "begin with CODEHUB_ are reserved. At most 256 variables and 32Ki together. Not a "
            "place for secrets: who reads the file reads them."
        ),
        examples=[{"TZ": "Asia/Seoul"}],
        json_schema_extra={"additionalProperties": False, "maxProperties": rules.ENV_COUNT},
    )
    state: State = Field(
        "auto",
        description=(
            "`auto`: its owner starts and stops it. `running`: always running. `warm`: always "
            "stopped, its home kept. With the latter two the portal's buttons are off."
        ),
        examples=["auto"],
    )
    drift: Drift = Field(
        "heal",
        description=(
            "What happens when another hand changes, stops or removes its container: `heal` sets "
            "it right, at once. `report` only says so, in the portal, `codehub status` and the "
            "history; `codehub up` sets it right then. A home that is gone is never made anew."
        ),
        examples=["report"],
    )
    formerly: Former = Field(
        None,
        description=(
            "The id under which its home was made, of a workspace that was renamed: it mounts that "
            "home, and the container under the old id goes. Names of volumes can't change, so the "
            "line stays, also through further renames. No other file may have that id or name it "
            "here. A home that is not found is HOME_MISSING: none is made in its place."
        ),
        examples=["alice-old"],
    )


class WorkspaceSpec(WorkspaceFile):
    """A workspace as desired: its file and its id. Immutable, equal by value."""

    id: Annotated[str, BeforeValidator(_id)] = Field(
        description="The file's name without .yaml.", examples=["alice-demo"]
    )

    @model_validator(mode="after")
    def _not_itself(self) -> Self:
        if self.formerly == self.id:
            raise RuleError("a workspace can't have been itself", "remove `formerly`")
        return self
