"""A program that renders the container as ours does, with other values for some properties."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi_docker as docker

from stacks.programs import resources
from stacks.programs.docker import SILENT, arguments
from stacks.programs.inputs import WorkspaceInputs
from stacks.programs.program import Program

LABEL = "codehub-test.changed"
"""Names a file with the properties that are to have another value."""

OTHER: dict[str, Any] = {
    "name": "codehub-test-golden-other",
    "image": "codehub-test/other:1",
    "user": "1001:1001",
    "restart": "no",
    "destroyGraceSeconds": 11,
    "envs": ["CODEHUB_ID=x", "TZ=other"],
    "labels": [{"label": "codehub.pids", "value": "65"}],
    "memory": 128,
    "memorySwap": 128,
    "cpus": "0.25",
    "capabilities": {"drops": ["CHOWN"]},
    "securityOpts": ["no-new-privileges:false"],
    "networkMode": "bridge",
    "mounts": [{"type": "tmpfs", "target": "/other"}],
    "logDriver": "none",
    "logOpts": {"max-size": "11m"},
    "start": True,
    "mustRun": True,
}
"""Another value for each property that a container has."""


def _changed(data: Mapping[str, Any], adopt: frozenset[str]) -> None:
    """Render the container as the program does, with the properties that a label's file names."""
    inputs = WorkspaceInputs.from_json(data)
    changed = json.loads(Path(inputs.labels[LABEL]).read_text())
    plain = resources.container(WorkspaceInputs.from_json({**data, "labels": {}}))
    docker.Container(
        resources.CONTAINER,
        **arguments({**plain, **{name: OTHER[name] for name in changed}}),
        opts=pulumi.ResourceOptions(delete_before_replace=True, replace_on_changes=SILENT),
    )


CHANGED = Program(render=_changed)
