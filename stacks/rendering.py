"""Turns a workspace file into what the program renders, and hashes it. Pure.

- the *spec hash* covers what the container is made of; the container carries it as a label;
- the *desired hash* covers that and everything else that may change what Pulumi would do: limits
  that are changed in place, the program, the plugin and the versions. The index keeps the last one
  that was applied.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from spec import WorkspaceSpec
from stacks.programs.inputs import HomeInputs, WorkspaceInputs

HASH_LENGTH = 32

CHANGED_IN_PLACE = frozenset({"memory"})
"""Inputs that the engine changes on a living container; every other change replaces it."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is the same for all workspaces of a target.

    Attributes:
        name_prefix: First part of every name on the engine.
        network: Name of the shared network.
        run: Absolute path of the parent of the run folders.
        versions: Program, plugin identity and versions: part of every desired hash.
        tree: Id of the data tree, put on all that is made.
    """

    name_prefix: str
    network: str
    run: str
    versions: Mapping[str, str] = field(default_factory=dict)
    tree: str = ""


def render(spec: WorkspaceSpec, *, facts: Facts, home: HomeInputs) -> WorkspaceInputs:
    """Turn a file into what the program renders, spec hash included."""
    inputs = WorkspaceInputs(
        id=spec.id,
        owner=spec.owner,
        name_prefix=facts.name_prefix,
        image=spec.image,
        cpu=spec.resources.cpu,
        memory=spec.resources.memory,
        pids=spec.resources.pids,
        env=dict(spec.env),
        spec_hash="",
        home=home,
        run_folder=f"{facts.run}/{spec.id}",
        network=facts.network,
        tree=facts.tree,
    )
    return replace(inputs, spec_hash=spec_hash(inputs))


def spec_hash(inputs: WorkspaceInputs) -> str:
    """Hash what the container is made of, but for what is changed in place."""
    return _hash({k: v for k, v in _plain(inputs).items() if k not in CHANGED_IN_PLACE})


def desired_hash(inputs: WorkspaceInputs, versions: Mapping[str, str]) -> str:
    """Hash all that decides what Pulumi would do."""
    return _hash({"inputs": _plain(inputs), "versions": dict(versions)})


def _plain(inputs: WorkspaceInputs) -> dict[str, Any]:
    plain = inputs.to_json()
    # The hash cannot hold itself; whether the home is there already does not change what is wanted.
    del plain["spec_hash"], plain["home"]["exists"]
    if not plain["home"]["workspace"]:
        del plain["home"]["workspace"]  # hashes from before there were former ids stay right
    return plain


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]
