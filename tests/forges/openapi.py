"""Requests and answers checked against GitHub's own description of its API (OpenAPI 3.0).

The description comes from npm by `scripts/setup --dev` (tools/github_api.py); nothing of it is in here.
Only the schemas that a check needs are turned into JSON Schema, which OpenAPI 3.0's are not quite.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

from tests.forges.server import Reply, Seen
from tools.cache import Cache
from tools.github_api import description

PREFIX = "/api/v3"
"""Where a GitHub Enterprise Server has the API."""


class MismatchError(AssertionError):
    """A request or an answer that GitHub's description does not allow."""


@cache
def document() -> dict[str, Any]:
    """The whole description."""
    found: dict[str, Any] = json.loads(description(Cache.from_env()).read_bytes())
    return found


def resolve(node: Any) -> Any:
    """What a reference leads to; anything else as it is."""
    while isinstance(node, dict) and "$ref" in node:
        node = at(node["$ref"])
    return node


def at(reference: str) -> Any:
    """What stands at a reference into the document."""
    node: Any = document()
    for key in reference.removeprefix("#/").split("/"):
        node = node[key]
    return node


def operation(seen: Seen) -> tuple[dict[str, Any], dict[str, str]]:
    """The operation that a request is, and the values in its path."""
    path = seen.path.removeprefix(PREFIX)
    for template, methods in _paths():
        found = template.fullmatch(path)
        if found and seen.method.lower() in methods:
            values = {key: unquote(value) for key, value in found.groupdict().items()}
            return methods[seen.method.lower()], values
    raise MismatchError(f"GitHub has no {seen.method} {path}")


@cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    def pattern(template: str) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template)))

    return [(pattern(one), methods) for one, methods in document()["paths"].items()]


def check_request(seen: Seen) -> dict[str, Any]:
    """The operation of a request that GitHub's description allows.

    Raises:
        MismatchError: it does not.
    """
    found, values = operation(seen)
    _check_parameters(seen, found, values)
    _check_body(seen, found)
    return found


def _check_parameters(seen: Seen, found: dict[str, Any], values: dict[str, str]) -> None:
    given = {"path": values, "query": seen.query}
    known = [resolve(one) for one in found.get("parameters", [])]
    for place, told in given.items():
        here = {one["name"]: one for one in known if one["in"] == place}
        if unknown := set(told) - set(here):
            raise MismatchError(f"{found['operationId']} has no parameter {unknown} in its {place}")
        for name, value in told.items():
            kind = resolve(here[name]["schema"])
            number = kind.get("type") == "integer" and value.isdecimal()
            _validate(kind, int(value) if number else value, f"{place} {name}")


def _check_body(seen: Seen, found: dict[str, Any]) -> None:
    if "requestBody" not in found:
        if seen.body:
            raise MismatchError(f"{found['operationId']} takes no body")
        return
    if not seen.headers["Content-Type"].startswith("application/json"):
        raise MismatchError("the body is not JSON")
    schema = resolve(found["requestBody"])["content"]["application/json"]["schema"]
    # Without this, a name written wrong would be one more property that the schema says nothing of.
    if unknown := set(seen.data) - set(resolve(schema)["properties"]):
        raise MismatchError(f"the body of {found['operationId']} has no {unknown}")
    _validate(schema, seen.data, f"the body of {found['operationId']}")


def example(operation_id: str, status: int = 200) -> Any:
    """The description's own example of an answer; a copy."""
    content = _answer(_by_id(operation_id), status)["content"]["application/json"]
    first = resolve(next(iter(content["examples"].values())))
    value = json.loads(json.dumps(first["value"]))
    for one in value if isinstance(value, list) else [value]:
        # The examples of teams lack what their own schema wants.
        if "requested_teams" in one:
            one["requested_teams"] = []
    return value


def check_reply(found: dict[str, Any], reply: Reply) -> None:
    """Check that an answer of ours is one that GitHub could give.

    Raises:
        MismatchError: it is not.
    """
    answer = _answer(found, reply.status)
    if "content" in answer:
        schema = answer["content"]["application/json"]["schema"]
        _validate(schema, reply.data, f"the answer of {found['operationId']}")


def _answer(found: dict[str, Any], status: int) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = resolve(found["responses"][str(status)])
    except KeyError:
        raise MismatchError(f"{found['operationId']} never answers {status}") from None
    return answer


def _by_id(operation_id: str) -> dict[str, Any]:
    for methods in document()["paths"].values():
        for one in methods.values():
            if isinstance(one, dict) and one.get("operationId") == operation_id:
                return one
    raise MismatchError(f"GitHub has no operation {operation_id}")


def _validate(schema: dict[str, Any], value: Any, what: str) -> None:
    for error in _validator(schema).iter_errors(value):
        raise MismatchError(f"{what}: {error.json_path}: {error.message[:200]}")


_VALIDATORS: dict[int, Draft202012Validator] = {}


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    # Schemas are parts of the document, which stays: each is itself and no other.
    if id(schema) not in _VALIDATORS:
        used: dict[str, Any] = {}
        whole = {**_converted(schema, used), "$defs": used}
        _VALIDATORS[id(schema)] = Draft202012Validator(whole)
    return _VALIDATORS[id(schema)]


def _converted(node: Any, used: dict[str, Any]) -> Any:
    """A schema of OpenAPI 3.0 as JSON Schema; what it refers to goes into `used`."""
    if isinstance(node, list):
        return [_converted(one, used) for one in node]
    if not isinstance(node, dict):
        return node
    if isinstance(reference := node.get("$ref"), str):
        name = reference.rpartition("/")[2]
        if name not in used:
            used[name] = {}
            used[name] = _converted(at(reference), used)
        return {"$ref": f"#/$defs/{name}"}
    plain = dict(_rules(node, used))
    if node.get("nullable") is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain


def _rules(node: dict[str, Any], used: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if key in {"properties", "patternProperties"}:
            yield key, {name: _converted(one, used) for name, one in value.items()}
        elif key not in {"example", "examples", "default", "nullable", "discriminator", "format"}:
            yield key, _converted(value, used)
