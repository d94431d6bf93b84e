"""The types of settings, and `setting`, which makes a field that is fully described."""

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

from settings.units import parse_duration, parse_size


class Gap(StrEnum):
    """What must not be reached from inside a workspace; a gap where it can be."""

    WORKSPACE_IPV4 = "workspace-ipv4"
    WORKSPACE_IPV6 = "workspace-ipv6"
    HOST_IPV4 = "host-ipv4"
    HOST_IPV6 = "host-ipv6"
    METADATA = "metadata"
    WORKSPACE_SOCKET = "workspace-socket"
    ENGINE_SOCKET = "engine-socket"


ALL_GAPS = "all"

ENGINES_NETWORKS = frozenset({"bridge", "host", "none", "default", "nat", "container"})
"""Names with a meaning of their own on an engine: workspaces there would share what is not ours."""


# Numbers pass: code gives seconds and bytes; `load` gives text only, where units are needed.


def _seconds(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _bytes(value: Any) -> Any:
    return parse_size(value) if isinstance(value, str) else value


def _split(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return [item.strip() for item in value.split(",") if item.strip()]


def _gaps(value: Any) -> Any:
    names = _split(value)
    return list(Gap) if names == [ALL_GAPS] else names


Duration = Annotated[float, BeforeValidator(_seconds)]
"""Seconds; written with units."""

Size = Annotated[int, BeforeValidator(_bytes)]
"""Bytes; written with units."""


def _without_zone(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    # A zone names an interface of one machine: no rule of a packet filter holds it.
    if getattr(network.network_address, "scope_id", None):
        raise ValueError("a network has no zone: leave out the % and what follows it")
    return network


def _not_the_engines(name: str) -> str:
    if name in ENGINES_NETWORKS:
        raise ValueError(f"{name} is a network of the engine's own: choose another name")
    return name


NetworkName = Annotated[str, AfterValidator(_not_the_engines)]
"""Name of a network that is made for us."""

Network = Annotated[IPv4Network | IPv6Network, AfterValidator(_without_zone)]

Networks = Annotated[tuple[Network, ...], BeforeValidator(_split)]
"""Networks in CIDR notation; in the environment with commas between."""

Gaps = Annotated[tuple[Gap, ...], BeforeValidator(_gaps)]
"""Names of gaps, with commas between in the environment; `all` is every one."""

Place = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
"""A path; relative ones start at the current folder."""

OptionalPlace = Place | None
"""A path that may be left out."""


UNQUOTING = "unquoting"
"""Type of the errors (`PydanticCustomError`) that are told of secrets too: they quote nothing."""


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
    """Whether a field holds a path, or may hold one."""
    kinds = (field.annotation, *get_args(field.annotation))
    return Path in {get_args(one)[0] if get_origin(one) is Annotated else one for one in kinds}


def is_secret(field: FieldInfo) -> bool:
    """Whether a field's value may hold a secret."""
    return bool(extra(field, "secret")) or SecretStr in {
        field.annotation,
        *get_args(field.annotation),
    }
