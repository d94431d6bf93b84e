"""Compares two files of one workspace: by key, and by what the programs would ask Pulumi for. Pure.

Both are rendered as an `up` would, with stand-ins for what is the same on both sides: name prefix,
network, the number of the home. So an effect is that of the properties, by the golden table; a key
has the effect that its change alone would have.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from spec import WorkspaceSpec
from stacks.programs import resources
from stacks.programs.inputs import HomeInputs
from stacks.rendering import Facts, render
from stacks.review import golden
from stacks.review.golden import Effect
from stacks.review.model import Change, ResourceChange
from stacks.secrecy import looks_secret, repeated

FACTS = Facts(name_prefix="codehub-ws-", network="codehub-net", run="/run")
"""Stand-ins: settings are the runner's, and no setting changes by a pull request."""

Flat = Mapping[str, Any]


def rendered(spec: WorkspaceSpec, *, owner: str) -> tuple[resources.Resource, ...]:
    """Give the resources of a file.

    Args:
        spec: The file.
        owner: Whose the home was at first; its label never changes.
    """
    home = HomeInputs(number=1, owner=owner, exists=True, workspace=spec.formerly or "")
    return resources.workspace(render(spec, facts=FACTS, home=home))


def resource_changes(before: WorkspaceSpec, after: WorkspaceSpec) -> tuple[ResourceChange, ...]:
    """Give the properties that differ, each with what it does."""
    owner = before.owner
    pairs = zip(rendered(before, owner=owner), rendered(after, owner=owner), strict=True)
    return tuple(
        ResourceChange(resource=old.name, property=name, effect=golden.effect(old.type, name))
        for old, new in pairs
        for name in sorted(old.properties.keys() | new.properties.keys())
        if old.properties.get(name) != new.properties.get(name)
    )


def effect_of(changes: tuple[ResourceChange, ...]) -> Effect:
    """Give what property changes do together."""
    return golden.strongest([change.effect for change in changes])


def key_changes(before: WorkspaceSpec, after: WorkspaceSpec) -> tuple[Change, ...]:
    """Give the keys that differ, each with what it alone would do."""
    old, new = flat(before), flat(after)
    secrets = _secrets(old) | _secrets(new)
    return tuple(
        _change(path, old.get(path), new.get(path), effect_of(_alone(before, after, path)), secrets)
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    )


def keys_of(spec: WorkspaceSpec) -> tuple[Change, ...]:
    """Give all keys of a file, of which nothing is known before."""
    found = flat(spec)
    secrets = _secrets(found)
    return tuple(
        _change(path, None, value, Effect.NONE, secrets)
        for path, value in sorted(found.items())
        if value is not None
    )


def flat(spec: WorkspaceSpec) -> dict[str, Any]:
    """Give a file's keys and values as people write them; `id` is the name of the file."""
    return _flat(json.loads(spec.model_dump_json(exclude={"id"})))


def _flat(value: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, inner in value.items():
        here = f"{path}{key}"
        found |= _flat(inner, f"{here}.") if isinstance(inner, dict) else {here: inner}
    return found


def _alone(before: WorkspaceSpec, after: WorkspaceSpec, path: str) -> tuple[ResourceChange, ...]:
    return resource_changes(before, _with(before, after, path))


def _with(before: WorkspaceSpec, after: WorkspaceSpec, path: str) -> WorkspaceSpec:
    """Give the file on base with one key as on head."""
    key, _, inner = path.partition(".")
    if key == "env":
        variables = {name: value for name, value in before.env.items() if name != inner}
        if inner in after.env:
            variables[inner] = after.env[inner]
        return before.model_copy(update={"env": variables})
    if key == "resources":
        limits = before.resources.model_copy(update={inner: getattr(after.resources, inner)})
        return before.model_copy(update={"resources": limits})
    return before.model_copy(update={key: getattr(after, key)})


def _secrets(values: Flat) -> frozenset[str]:
    """Give the values that are not told, under no other name either."""
    return frozenset(str(value) for path, value in values.items() if looks_secret(path, value))


def _change(
    path: str, before: object, after: object, effect: Effect, secrets: frozenset[str]
) -> Change:
    hidden = any(
        looks_secret(path, value) or (path.startswith("env.") and repeated(value, secrets))
        for value in (before, after)
    )
    return Change(
        path=path,
        kind="add" if before is None else "delete" if after is None else "update",
        before="" if before is None or hidden else _json(before),
        after="" if after is None or hidden else _json(after),
        effect=effect,
        hidden=hidden,
        fingerprint=hashlib.sha256(_json([path, after]).encode()).hexdigest(),
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
