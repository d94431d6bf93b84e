"""JSON Schemas of `_defaults.yaml`, generators and templates, for editors; committed beside the models.

They are made from the workspace file's. In a generator's `workspace` a value may also be text with a
word in braces, of which only the reader knows what it will be.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from spec.defaults import NOT_SHARED
from spec.generators import KEYS, MAX_EACH, REQUIRED, WORD_PATTERN
from spec.schema import json_schema

_HERE = Path(__file__).parent

GENERATOR_KEYS = {
    "id": "The id of each workspace: text with words in braces.",
    "each": (
        f"One entry for each workspace, 1 to {MAX_EACH}: words and their values, which are text, numbers, "
        "true or false."
    ),
    "default": "Values of words that an entry does not give.",
    "workspace": (
        "What a file of each workspace would say, with words in braces. A value that is one word alone "
        "keeps its kind: a number stays a number. `{{` and `}}` stand for braces."
    ),
}
"""What each key of a generator means."""

_WORDS: dict[str, Any] = {
    "type": "object",
    "propertyNames": {"pattern": f"^{WORD_PATTERN}$"},
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
}
_WORDED = {"type": "string", "pattern": r"\{[a-z{]"}


def defaults() -> dict[str, Any]:
    """The schema of `_defaults.yaml`."""
    return _without_own("CodeHub defaults", "What workspace files say together: `_defaults.yaml`.")


def template() -> dict[str, Any]:
    """The schema of a template."""
    return _without_own(
        "CodeHub template", "What new workspaces are made from: `_templates/<name>.yaml`."
    )


def generator() -> dict[str, Any]:
    """The schema of a generator."""
    file = json_schema()
    workspace = {key: file[key] for key in ("type", "additionalProperties", "properties")}
    keys: dict[str, dict[str, Any]] = {
        "id": {"type": "string", "examples": [_example("id")]},
        "each": {"type": "array", "minItems": 1, "maxItems": MAX_EACH, "items": deepcopy(_WORDS)},
        "default": deepcopy(_WORDS),
        "workspace": {**_worded(workspace), "required": ["owner"]},
    }
    return {
        "$schema": file["$schema"],
        "title": "CodeHub generator",
        "description": "One file, many workspaces: `_generators/<name>.yaml`.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            key: {**found, "description": GENERATOR_KEYS[key]} for key, found in keys.items()
        },
        "required": list(REQUIRED),
        "$defs": {name: _worded(found) for name, found in file["$defs"].items()},
    }


def _example(key: str) -> str:
    return KEYS[key].partition(": ")[2]


def _without_own(title: str, description: str) -> dict[str, Any]:
    made = {**json_schema(), "title": title, "description": description}
    del made["required"]
    for key in NOT_SHARED:
        del made["properties"][key]
    return made


def _worded(node: dict[str, Any]) -> dict[str, Any]:
    """A schema that also lets text with a word pass for each value."""
    kind = node.get("type")
    if kind == "object":
        made = dict(node)
        for key in ("properties", "patternProperties"):
            if key in node:
                made[key] = {name: _worded(inner) for name, inner in node[key].items()}
        return made
    if kind is None:
        return node
    told: dict[str, Any] = {
        key: node[key] for key in ("description", "examples", "default") if key in node
    }
    return {**told, "anyOf": [{k: v for k, v in node.items() if k not in told}, dict(_WORDED)]}


SCHEMAS: dict[Path, Callable[[], dict[str, Any]]] = {
    _HERE / "defaults.schema.json": defaults,
    _HERE / "generator.schema.json": generator,
    _HERE / "template.schema.json": template,
}
"""Where each is committed."""


def schema_text(path: Path) -> str:
    """A schema as its committed file has it."""
    return json.dumps(SCHEMAS[path](), indent=2, ensure_ascii=False) + "\n"
