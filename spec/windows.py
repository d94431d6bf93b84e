"""`windows` of `_policies.yaml`: times of the week at which changes of the files may be applied.

What they mean at a moment is told in the room `policies`, which this one does not know.
"""

from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    WithJsonSchema,
)

from spec import window_values
from spec.model import Strict
from spec.rule_values import REASON_LENGTH, reason
from spec.window_values import (
    CLOCK_PATTERN,
    DAYS,
    END_PATTERN,
    WORKSPACES_PATTERN,
    ZONE_PATTERN,
)


def _json(expression: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": expression})


Kind = Annotated[Literal["allow", "deny"], BeforeValidator(window_values.kind)]
Day = Annotated[
    str, BeforeValidator(window_values.day), WithJsonSchema({"type": "string", "enum": list(DAYS)})
]
Reason = Annotated[
    str,
    BeforeValidator(reason),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": REASON_LENGTH}),
]

EXAMPLE: Final[dict[str, JsonValue]] = {
    "kind": "allow",
    "days": ["mon", "tue", "wed", "thu", "fri"],
    "from": "22:00",
    "to": "06:00",
    "zone": "Europe/Berlin",
}


class SyncWindow(Strict):
    """A time of the week at which changes of the files are applied, or are not."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    kind: Kind = Field(
        description=(
            "`allow`: changes are applied within it, and outside only in another one that allows. "
            "`deny`: none is applied within it, whatever allows it."
        ),
        examples=["allow"],
    )
    days: Annotated[list[Day], AfterValidator(window_values.days)] = Field(
        default_factory=lambda: list(DAYS),
        description="The days on which it begins: `mon` to `sun`. By default, every day.",
        examples=[["mon", "fri"]],
        json_schema_extra={"minItems": 1},
    )
    begin: Annotated[str, BeforeValidator(window_values.begin), _json(CLOCK_PATTERN)] = Field(
        "00:00", alias="from", description="When it begins.", examples=["22:00"]
    )
    end: Annotated[str, BeforeValidator(window_values.end), _json(END_PATTERN)] = Field(
        "24:00",
        alias="to",
        description="When it ends; at that time or before `from`, on the day after.",
        examples=["06:00"],
    )
    zone: Annotated[str, BeforeValidator(window_values.zone), _json(ZONE_PATTERN)] = Field(
        description=(
            "Whose clocks count: a place of the time zone database, or `UTC`. Of a time that is "
            "shown twice when clocks are set back, `from` is the first and `to` the second; one "
            "that is skipped is the moment of the jump."
        ),
        examples=["Europe/Berlin"],
    )
    workspaces: Annotated[
        list[Annotated[str, BeforeValidator(window_values.pattern), _json(WORKSPACES_PATTERN)]],
        AfterValidator(window_values.patterns),
    ] = Field(
        default_factory=lambda: ["*"],
        description="Ids of the workspaces that it is for, with `*` for anything. By default, all.",
        examples=[["class-*"]],
        json_schema_extra={"minItems": 1},
    )
    reason: Reason | None = Field(
        None,
        description="Why: it is shown beside the changes that wait, on one line.",
        examples=["lessons"],
    )
