"""JSON Schema of the workspace file, for editors. Generated from the model, committed beside it.

It says what a schema can say: sizes out of range and images that don't exist pass here and are
refused by the reader, and so is a file without an image, for `_defaults.yaml` may say it. `python -m spec.reference` writes `workspace.schema.json`.
"""

import json
from pathlib import Path
from typing import Any

from spec.model import WorkspaceFile

COMMITTED = Path(__file__).with_name("workspace.schema.json")


def json_schema() -> dict[str, Any]:
    """The schema as plain JSON values."""
    schema = WorkspaceFile.model_json_schema()
    drop_titles(schema)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "CodeHub workspace",
    }
    del schema["properties"]["formerly"]["default"]  # none is no value that one could write
    schema["required"].remove("image")
    schema["properties"]["resources"]["default"] = {"cpu": 2, "memory": "4Gi", "pids": 4096}
    return head | schema


def schema_text() -> str:
    """The schema as the committed file has it."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def drop_titles(node: Any) -> None:
    """Drop pydantic's titles, each key's own name: noise in an editor's hover."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        for child in node.values():
            drop_titles(child)
