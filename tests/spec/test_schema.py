"""The JSON Schema: as committed, and judging as the reader does where a schema can."""

import subprocess
import sys
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from spec import json_schema
from spec.reference import PAGE, page
from spec.schema import COMMITTED, schema_text

VALIDATOR = Draft202012Validator(json_schema())
BASE = {"owner": "alice", "image": "codehub/code-server"}


def test_the_committed_schema_is_the_models() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == schema_text()


def test_the_committed_page_is_the_models() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_writing_again_changes_nothing() -> None:
    command = [sys.executable, "-m", "spec.reference"]
    done = subprocess.run(
        command, cwd=PAGE.parents[2], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == f"{COMMITTED}\n{PAGE}\n"
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"resources": {}},
        {"resources": {"cpu": 0.5, "memory": "512Mi", "pids": 64}},
        {"env": {"TZ": "Asia/Seoul"}},
        {"state": "warm"},
        {"drift": "report"},
        {"formerly": "alice-old"},
        {"image": "registry.example.org/team/ide:1.4"},
    ],
)
def test_good_files_pass(more: dict[str, Any]) -> None:
    assert list(VALIDATOR.iter_errors(BASE | more)) == []


@pytest.mark.parametrize(
    "more",
    [
        {"owner": "Alice"},
        {"owner": 5},
        {"image": "A B"},
        {"image": "Team/ide"},
        {"resources": {"cpu": 0}},
        {"resources": {"cpu": 65}},
        {"resources": {"cpu": "2"}},
        {"resources": {"memory": 4}},
        {"resources": {"memory": "4GB"}},
        {"resources": {"pids": 1}},
        {"resources": {"disk": "10Gi"}},
        {"resources": []},
        {"env": {"1A": "x"}},
        {"env": {"CODEHUB_ID": "x"}},
        {"env": {"A": 5}},
        {"env": {f"A{n}": "x" for n in range(257)}},
        {"state": "cold"},
        {"drift": "ignore"},
        {"formerly": "x"},
        {"id": "alice-demo"},
    ],
)
def test_bad_files_fail(more: dict[str, Any]) -> None:
    assert list(VALIDATOR.iter_errors(BASE | more))


def test_the_owner_is_required_and_the_image_may_be_a_default() -> None:
    assert list(VALIDATOR.iter_errors({"image": BASE["image"]}))
    assert not list(VALIDATOR.iter_errors({"owner": BASE["owner"]}))


def test_each_key_has_words_and_an_example_for_editors() -> None:
    schema = json_schema()
    keys = schema["properties"] | schema["$defs"]["Resources"]["properties"]
    for name, key in keys.items():
        assert key.get("examples"), name
        assert key.get("description") or key.get("$ref"), name


def test_defaults_are_as_written_in_files() -> None:
    schema = json_schema()
    assert schema["$defs"]["Resources"]["properties"]["memory"]["default"] == "4Gi"
    assert schema["properties"]["resources"]["default"]["memory"] == "4Gi"
    assert schema["properties"]["state"]["default"] == "auto"
