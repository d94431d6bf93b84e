"""pydantic's errors in the words and at the places of the file."""

from collections.abc import Mapping as AbstractMapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from spec.errors import RuleError, WrongTypeError
from spec.model import Resources, WorkspaceFile
from spec.nodes import Broken, Mapping, Node, Scalar, Sequence, describe
from spec.owners import OwnersFile, Person, Quota, Team
from spec.policies import FIXED, Exemption, PoliciesFile, RuleLevels
from spec.problems import cut, shown
from spec.shapes import Location, example, field_at, is_free, keys, model_at
from spec.text import Flaw, Place

LATER: AbstractMapping[type[BaseModel], frozenset[str]] = {
    WorkspaceFile: frozenset(
        [
            "autostart",
            "autostop",
            "archive_after",
            "disk",
            "generate",
            "idle",
            "lifecycle",
            "max_run",
            "members",
            "mounts",
            "ports",
            "repo",
            "secrets",
            "target",
            "timezone",
        ]
    ),
    Resources: frozenset({"disk", "gpu", "gpus", "swap"}),
}
"""Keys that the design has and the code does not act on yet."""

_SLIPS: AbstractMapping[type[BaseModel], dict[str, str]] = {
    WorkspaceFile: {
        "environment": "env", "limits": "resources", "user": "owner", "power": "state",
        "container": "image", "variables": "env", "status": "state",
        "renamed_from": "formerly", "former": "formerly", "previously": "formerly",
    },
    Resources: {"ram": "memory", "mem": "memory", "cores": "cpu", "processes": "pids"},
    OwnersFile: {"users": "people", "owners": "people", "groups": "teams", "administrators": "admins"},
    Person: {"quotas": "quota", "login": "logins", "accounts": "logins", "limits": "quota"},
    Team: {"people": "members", "owners": "maintainers", "leads": "maintainers"},
    Quota: {"ram": "memory", "cores": "cpu", "count": "workspaces", "number": "workspaces"},
    PoliciesFile: {"policies": "rules", "exceptions": "exemptions", "defaults": "quotas"},
    RuleLevels: {"images": "image-allowed", "image-allowlist": "image-allowed"},
    Exemption: {"expires": "until", "why": "reason", "workspace": "workspaces", "id": "rule"},
}  # fmt: skip
_MAPPINGS = {"resources": "resources: {cpu: 2, memory: 4Gi}", "env": "env: {TZ: Asia/Seoul}"}


def complain(
    root: Mapping, error: ErrorDetails, *, model: type[BaseModel]
) -> tuple[str, Flaw] | None:
    """The dotted key and the flaw of one of pydantic's errors in a file of such a model.

    None when the value is one of which a problem is told already.
    """
    location, about_key = _location(model, error)
    key_place, node = _find(root, location)
    if isinstance(node, Broken):
        return None
    key = ".".join(cut(str(part)) for part in location)
    if error["type"] == "missing":
        parent = root.place if len(location) == 1 else node.place
        return key, Flaw(parent, *_missing(model, location))
    if error["type"] == "extra_forbidden":
        return key, Flaw(key_place, *_unknown(model, location))
    message, hint = _wording(model, node, location, error)
    return key, Flaw(_value_place(key_place, node, about_key=about_key), message, hint)


def _location(model: type[BaseModel], error: ErrorDetails) -> tuple[Location, bool]:
    """Pydantic marks an error of a dict's key by one more part, `[key]`."""
    location = error["loc"]
    if location[-1:] == ("[key]",) and is_free(model, location[:-2]):
        return location[:-1], True
    return location, False


def _find(root: Mapping, location: Location) -> tuple[Place, Node]:
    place, node = root.place, root
    current: Node = node
    for part in location:
        if isinstance(current, Sequence) and isinstance(part, int):
            current = current.items[part]
            place = current.place
            continue
        if not isinstance(current, Mapping) or part not in current.entries:
            break
        entry = current.entries[str(part)]
        place, current = entry.place, entry.node
    return place, current


def _value_place(key_place: Place, node: Node, *, about_key: bool) -> Place:
    """The value's place, or its key's when nothing is written there."""
    nothing = isinstance(node, Scalar) and node.plain and not node.text
    return key_place if about_key or nothing else node.place


def _missing(model: type[BaseModel], location: Location) -> tuple[str, str]:
    name = str(location[-1])
    return f"`{name}` is missing", f"add {name}: {example(model, location)}"


def _value_wanted(model: type[BaseModel], location: Location) -> str:
    name = str(location[-1])
    field = field_at(model, location)
    if model is WorkspaceFile and location[0] == "env" and len(location) > 1:
        return 'give it one, or "" for an empty one'
    if field is None or field.is_required():
        return f"write {name}: {example(model, location)}"
    return f"give it one, or remove `{name}`"


def _unknown(model: type[BaseModel], location: Location) -> tuple[str, str]:
    parent, name = model_at(model, location[:-1]), str(location[-1])
    if name in LATER.get(parent, ()):
        return f"{shown(name)} is not supported yet", "remove it"
    if parent is RuleLevels and name in FIXED:
        return f"{shown(name)} always holds", "remove it"
    if parent is WorkspaceFile and name in ("id", "name"):
        return f"{shown(name)} is not a key", "the id is the file's name: remove it"
    known = keys(parent)
    near = _SLIPS.get(parent, {}).get(name.lower()) or next(
        iter(get_close_matches(name.lower(), known, n=1)), None
    )
    if near is None and parent is WorkspaceFile and name in Resources.model_fields:
        return f"{shown(name)} is not a key here", f"write resources: {{{name}: ...}}"
    hint = f"did you mean {near}?" if near else f"the keys are {', '.join(known)}"
    return f"{shown(name)} is not a key", hint


def _wording(
    model: type[BaseModel], node: Node, location: Location, error: ErrorDetails
) -> tuple[str, str]:
    cause: Any = error.get("ctx", {}).get("error")
    if node.value is None and not isinstance(cause, RuleError):
        return "has no value", _value_wanted(model, location)
    if isinstance(cause, RuleError):
        return cause.message, cause.hint
    if isinstance(cause, WrongTypeError):
        return _wrong_type(node, cause)
    if error["type"] == "list_type":
        found = example(model, location)
        return f"must be a list, not {describe(node)}", f"write {location[-1]}: {found}"
    name = str(location[-1])
    written = _MAPPINGS.get(name) if model is WorkspaceFile else None
    if written is None:
        written = f"{cut(name)}: {example(model, location)}"
    return f"must be a mapping, not {describe(node)}", f"write {written}"


def _wrong_type(node: Node, cause: WrongTypeError) -> tuple[str, str]:
    is_number = isinstance(node.value, float) and cause.wanted == "a whole number"
    written = node.text if isinstance(node, Scalar) and is_number else describe(node)
    message = f"must be {cause.wanted}, not {written}"
    if not isinstance(node, Scalar):
        return message, f"write for example {cause.example}"
    if cause.wanted == "text":
        return message, f'put it in quotes: "{cut(node.text)}"'
    bare = Scalar(node.place, node.text, plain=True)
    if not node.plain and isinstance(bare.value, int | float):
        return message, f"remove the quotes: {cut(node.text)}"
    return message, f"write for example {cause.example}"
