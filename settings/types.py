"""The types of settings, and `setting`, which makes a field that is fully described."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SecretStr
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

from settings.units import format_duration, format_size, parse_duration, parse_size

Network = IPv4Network | IPv6Network


def _from_text(parse: Any) -> BeforeValidator:
    # Numbers pass: code (tests) gives seconds or bytes; `load` gives text only.
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


def _split(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return [item.strip() for item in value.split(",") if item.strip()]


Duration = Annotated[float, _from_text(parse_duration), PlainSerializer(format_duration)]
"""Seconds; written with units."""

Size = Annotated[int, _from_text(parse_size), PlainSerializer(format_size)]
"""Bytes; written with units."""

Networks = Annotated[tuple[Network, ...], BeforeValidator(_split)]
"""Networks in CIDR notation; in the environment with commas between."""

Place = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
"""A path; relative ones start at the current folder."""


def setting(
    default: Any = ...,
    *,
    description: str,
    why: str,
    example: str,
    unit: str = "",
    shown: str = "",
    secret: bool = False,
    **rules: Any,
) -> Any:
    """A field with everything that the reference page and the error report need.

    Args:
        default: its default (or `default_factory` among the rules).
        description: what it means, and what leaving it out means.
        why: why the default is what it is.
        example: a right value, as written in the environment.
        unit: what it counts, or how it is written; empty for plain text.
        shown: how the default is shown where it is computed.
        secret: its value may hold a secret: never in reprs and errors.
        rules: pydantic's constraints.
    """
    noted: JsonDict = {"why": why, "unit": unit, "shown": shown, "secret": secret}
    if default is not ...:
        rules["default"] = default
    return Field(
        description=description,
        examples=[example],
        json_schema_extra=noted,
        repr=not secret,
        **rules,
    )


def extra(field: FieldInfo, key: str) -> str:
    """What `setting` noted about a field, as text; empty when it noted nothing."""
    noted = field.json_schema_extra
    return str(noted.get(key) or "") if isinstance(noted, dict) else ""


def is_place(field: FieldInfo) -> bool:
    """Whether a field holds a path."""
    return field.annotation is Path


def is_secret(field: FieldInfo) -> bool:
    """Whether a field's value may hold a secret."""
    return bool(extra(field, "secret")) or SecretStr in {
        field.annotation,
        *get_args(field.annotation),
    }
