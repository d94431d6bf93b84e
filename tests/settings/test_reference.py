"""The page of settings is the fields, and each field is fully described."""

import re
from pathlib import Path
from typing import Literal, get_origin

import pytest
from pydantic.fields import FieldInfo

from settings.load import load
from settings.model import CLASSES, Settings
from settings.reference import PAGE, kind, own_fields, page
from settings.types import extra

FIELDS = [
    pytest.param(one, name, field, id=name)
    for one in CLASSES
    for name, field in own_fields(one).items()
]


def test_the_committed_page_is_made_from_the_fields() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m settings.reference"


def test_every_setting_is_on_the_page_once() -> None:
    found = re.findall(r"^### `CODEHUB_(\w+)`$", page(), re.MULTILINE)
    expected = [name.upper() for one in CLASSES for name in own_fields(one)]
    assert found == expected
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(("owner", "name", "field"), FIELDS)
def test_each_field_says_what_it_is(owner: type[Settings], name: str, field: FieldInfo) -> None:
    assert field.description
    assert field.description.endswith(".")
    assert extra(field, "why").endswith("."), "why this default"
    assert field.examples, "an example"
    if get_origin(field.annotation) is not Literal and field.annotation not in {bool, str}:
        assert extra(field, "unit"), "what it counts, or how it is written"
    if field.default is None or field.default_factory is not None:
        assert extra(field, "shown"), "a default that can't be read off the field is put in words"
    assert kind(field)


@pytest.mark.parametrize(("owner", "name", "field"), FIELDS)
def test_each_example_is_accepted_and_is_not_the_default(
    owner: type[Settings], name: str, field: FieldInfo, tmp_path: Path
) -> None:
    assert field.examples
    variable = f"CODEHUB_{name.upper()}"
    changed = load(owner, {variable: field.examples[0]}, tmp_path)
    assert getattr(changed, name) != getattr(load(owner, {}, tmp_path), name)
