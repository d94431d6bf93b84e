"""pydantic's errors in the words and at the places of the file."""

from collections.abc import Mapping as AbstractMapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from spec.errors import RuleError, WrongTypeError
from spec.model import Resources, WorkspaceFile
from spec.nodes import Broken, Mapping, Node, Scalar, describe
from spec.problems import cut, shown
from spec.text import Flaw, Place

Location = tuple[int | str, ...]

LATER: AbstractMapping[Location, frozenset[str]] = {
    (): frozenset(
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
    ("resources",): frozenset({"disk", "gpu", "gpus", "swap"}),
}
"""Keys that the design has and the code does not act on yet."""

_SLIPS: AbstractMapping[Location, dict[str, str]] = {
    (): {
        "environment": "env", "limits": "resources", "user": "owner", "power": "state",
        "container": "image", "variables": "env", "status": "state",
        "renamed_from": "formerly", "former": "formerly", "previously": "formerly",
    },
    ("resources",): {"ram": "memory", "mem": "memory", "cores": "cpu", "processes": "pids"},
}  # fmt: skip
_MODELS: AbstractMapping[Location, type[BaseModel]] = {
    (): WorkspaceFile,
    ("resources",): Resources,
}
_MAPPINGS = {"resources": "resources: {cpu: 2, memory: 4Gi}", "env": "env: {TZ: Asia/Seoul}"}


def complain(root: Mapping, error: ErrorDetails) -> tuple[str, Flaw] | None:
    """The dotted key and the flaw of one of pydantic's errors.

    None when the value is one of which a problem is told already.
    """
    location, about_key = _location(error)
    key_place, node = _find(root, location)
    if isinstance(node, Broken):
        return None
    key = ".".join(cut(str(part)) for part in location)
    if error["type"] == "missing":
        return key, _missing(root, location)
    if error["type"] == "extra_forbidden":
        return key, Flaw(key_place, *_unknown(location))
    message, hint = _wording(node, location, error)
    return key, Flaw(_value_place(key_place, node, about_key=about_key), message, hint)


def _location(error: ErrorDetails) -> tuple[Location, bool]:
    """Pydantic marks an error of a dict's key by one more part, `[key]`."""
    location = error["loc"]
    if location[-1:] == ("[key]",) and len(location) == 3:  # noqa: PLR2004 (env, its key, the mark)
        return location[:-1], True
    return location, False


def _find(root: Mapping, location: Location) -> tuple[Place, Node]:
    place, node = root.place, root
    current: Node = node
    for part in location:
        if not isinstance(current, Mapping) or part not in current.entries:
            break
        entry = current.entries[str(part)]
        place, current = entry.place, entry.node
    return place, current


def _value_place(key_place: Place, node: Node, *, about_key: bool) -> Place:
    """The value's place, or its key's when nothing is written there."""
    nothing = isinstance(node, Scalar) and node.plain and not node.text
    return key_place if about_key or nothing else node.place


def _missing(root: Mapping, location: Location) -> Flaw:
    name = str(location[-1])
    return Flaw(root.place, f"`{name}` is missing", f"add {name}: {_example(name)}")


def _example(name: str) -> str:
    return str((WorkspaceFile.model_fields[name].examples or ["..."])[0])


def _value_wanted(location: Location) -> str:
    name = str(location[-1])
    if location[0] == "env" and len(location) > 1:
        return 'give it one, or "" for an empty one'
    if len(location) == 1 and WorkspaceFile.model_fields[name].is_required():
        return f"write {name}: {_example(name)}"
    return f"give it one, or remove `{name}`"


def _unknown(location: Location) -> tuple[str, str]:
    parent, name = location[:-1], str(location[-1])
    if name in LATER.get(parent, ()):
        return f"{shown(name)} is not supported yet", "remove it"
    if parent == () and name in ("id", "name"):
        return f"{shown(name)} is not a key", "the id is the file's name: remove it"
    known = list(_MODELS[parent].model_fields)
    near = _SLIPS[parent].get(name.lower()) or next(
        iter(get_close_matches(name.lower(), known, n=1)), None
    )
    if near is None and parent == () and name in Resources.model_fields:
        return f"{shown(name)} is not a key here", f"write resources: {{{name}: ...}}"
    hint = f"did you mean {near}?" if near else f"the keys are {', '.join(known)}"
    return f"{shown(name)} is not a key", hint


def _wording(node: Node, location: Location, error: ErrorDetails) -> tuple[str, str]:
    cause: Any = error.get("ctx", {}).get("error")
    if node.value is None and not isinstance(cause, RuleError):
        return "has no value", _value_wanted(location)
    if isinstance(cause, RuleError):
        return cause.message, cause.hint
    if isinstance(cause, WrongTypeError):
        return _wrong_type(node, cause)
    example = _MAPPINGS.get(str(location[-1]), "key: value")
    return f"must be a mapping, not {describe(node)}", f"write {example}"


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
