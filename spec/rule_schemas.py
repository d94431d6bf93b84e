"""JSON Schemas of `_owners.yaml` and `_policies.yaml`, for editors; committed beside the models."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from spec.owners import OwnersFile
from spec.policies import PoliciesFile
from spec.schema import drop_titles

_HERE = Path(__file__).parent
SCHEMAS: dict[Path, tuple[str, type[BaseModel]]] = {
    _HERE / "owners.schema.json": ("CodeHub owners", OwnersFile),
    _HERE / "policies.schema.json": ("CodeHub policies", PoliciesFile),
}
"""Where each is committed, with its title and its model."""


def schema(title: str, model: type[BaseModel]) -> dict[str, Any]:
    """A model's schema as plain JSON values."""
    found = model.model_json_schema()
    drop_titles(found)
    _drop_nulls(found)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title} | found


def schema_text(path: Path) -> str:
    """A schema as its committed file has it."""
    return json.dumps(schema(*SCHEMAS[path]), indent=2, ensure_ascii=False) + "\n"


def _drop_nulls(node: Any) -> None:
    """A key that is left out is no null that one could write."""
    if isinstance(node, list):
        for child in node:
            _drop_nulls(child)
    if not isinstance(node, dict):
        return
    if "default" in node and node["default"] is None:
        del node["default"]
    if isinstance(node.get("anyOf"), list):
        kept = [each for each in node["anyOf"] if each != {"type": "null"}]
        if len(kept) == 1:
            del node["anyOf"]
            node |= kept[0]
    for child in node.values():
        _drop_nulls(child)
