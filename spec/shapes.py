"""What a model has at a place of a file: its keys, a field, an example. Pure.

Places are pydantic's: names of keys, and numbers of a list's items.
"""

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Location = tuple[int | str, ...]

_NO_EXAMPLE = "..."


def keys(model: type[BaseModel]) -> list[str]:
    """The keys of a model, as files have them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model, by their keys."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def field_at(model: type[BaseModel], location: Location) -> FieldInfo | None:
    """The field at a place; None for an entry of a mapping, an item of a list, an unknown key."""
    if not location:
        return None
    parent = _type_at(model, location[:-1])
    return fields(parent).get(str(location[-1])) if _is_model(parent) else None


def model_at(model: type[BaseModel], location: Location) -> type[BaseModel]:
    """The model at a place that has keys of its own."""
    found = _type_at(model, location)
    return found if _is_model(found) else model


def is_free(model: type[BaseModel], location: Location) -> bool:
    """Whether a mapping at a place may have keys of anybody's choice."""
    return bool(location) and get_origin(_type_at(model, location)) is dict


def example(model: type[BaseModel], location: Location) -> str:
    """What to write at a place."""
    field = field_at(model, location)
    if field is not None:
        return written((field.examples or [_NO_EXAMPLE])[0])
    found = _type_at(model, location)
    if _is_model(found):
        config = found.model_config.get("json_schema_extra")
        told = config.get("examples") if isinstance(config, dict) else None
        return written(told[0]) if isinstance(told, list) and told else "{}"
    return _NO_EXAMPLE


def written(value: Any) -> str:
    """A value as one line of YAML.

    >>> written({"cpu": 2, "members": ["alice"]})
    '{cpu: 2, members: [alice]}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return str(value)


def _is_model(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, BaseModel)


def _type_at(model: type[BaseModel], location: Location) -> Any:
    current: Any = model
    for part in location:
        current = _within(current, part)
        if current is None:
            return None
    return current


def _within(found: Any, part: int | str) -> Any:
    """The type of a key's value, of a mapping's entry, or of a list's item."""
    if _is_model(found):
        field = fields(found).get(str(part))
        return _bare(field.annotation) if field is not None else None
    origin, inner = get_origin(found), get_args(found)
    if origin is dict:
        return _bare(inner[1])
    return _bare(inner[0]) if origin is list else None


def _bare(found: Any) -> Any:
    """A type without what is annotated to it, and without None."""
    if get_origin(found) is Annotated:
        return _bare(get_args(found)[0])
    if get_origin(found) in (Union, UnionType):
        rest = [each for each in get_args(found) if each is not type(None)]
        return _bare(rest[0]) if len(rest) == 1 else None
    return found
