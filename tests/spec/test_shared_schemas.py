"""The JSON Schemas and the page of defaults, generators and templates: as committed, and judging alike."""

import subprocess
import sys
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from spec import shared_schemas
from spec.shared_reference import PAGE, outputs
from tests.spec.test_shared_files import CLASS

VALIDATORS = {
    "defaults": Draft202012Validator(shared_schemas.defaults()),
    "generator": Draft202012Validator(shared_schemas.generator()),
    "template": Draft202012Validator(shared_schemas.template()),
}


def loaded(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def test_the_committed_page_and_schemas_are_the_code_s() -> None:
    for path, text in outputs():
        assert path.read_text(encoding="utf-8") == text, path
    command = [sys.executable, "-m", "spec.shared_reference"]
    done = subprocess.run(
        command, cwd=PAGE.parents[2], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "".join(f"{path}\n" for path, _ in outputs())


def test_the_schemas_are_schemas() -> None:
    for validator in VALIDATORS.values():
        Draft202012Validator.check_schema(validator.schema)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("defaults", "image: one\nresources: {memory: 2Gi}\nenv: {TZ: x}\n"),
        ("template", "state: warm\n"),
        ("generator", CLASS),
        ("generator", CLASS.replace("memory}", 'memory}", cpu: "{cpu}')),
        ("generator", CLASS.replace("image: one", 'image: one\n  env: {A: "{{x"}')),
    ],
)
def test_good_files_pass(kind: str, text: str) -> None:
    assert list(VALIDATORS[kind].iter_errors(loaded(text))) == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("defaults", "owner: alice\n"),
        ("defaults", "state: cold\n"),
        ("template", "formerly: old\n"),
        ("generator", CLASS.replace("each:", "eech:")),
        ("generator", CLASS.replace("name: bob", "name: [bob]")),
        ("generator", CLASS.replace("memory: 8Gi", "Memory: 8Gi")),
        ("generator", CLASS.replace('"{memory}"', "8")),
        ("generator", CLASS.replace("image: one", "imge: one")),
        ("generator", CLASS.replace('  owner: "{name}"\n', "")),
    ],
)
def test_bad_files_fail(kind: str, text: str) -> None:
    assert list(VALIDATORS[kind].iter_errors(loaded(text)))
