"""What a workspace's container is made of, as plain values: for the program, and to compare with.

`programs.docker` hands these to Pulumi; `stacks.drift` compares what the engine has with them. One
place, so that what is made and what is looked for cannot part.
"""

import math

from stacks.programs.inputs import (
    LABEL_FORMERLY,
    LABEL_OWNER,
    LABEL_PIDS,
    LABEL_PREFIX,
    LABEL_SPEC_HASH,
    LABEL_TREE,
    LABEL_WORKSPACE,
    SharedInputs,
    WorkspaceInputs,
)

MIB = 2**20

RESTART = "unless-stopped"
DROPPED = "ALL"
"""Capabilities that a container has not."""
SECURITY = "no-new-privileges:true"
LOG_DRIVER = "json-file"
LOG_OPTIONS = {"max-size": "10m", "max-file": "3"}


def memory(inputs: WorkspaceInputs) -> int:
    """Give the limit of memory as Pulumi is told it: whole MiB."""
    return math.ceil(inputs.memory / MIB)


def environment(inputs: WorkspaceInputs) -> dict[str, str]:
    """Give the variables that are set beside the image's own."""
    return {**inputs.env, "CODEHUB_ID": inputs.id}


def labels(inputs: WorkspaceInputs) -> dict[str, str]:
    """Give the container's labels, beside the image's own."""
    return {
        **inputs.labels,
        LABEL_WORKSPACE: inputs.id,
        LABEL_OWNER: inputs.owner,
        LABEL_SPEC_HASH: inputs.spec_hash,
        LABEL_PIDS: str(inputs.pids),
        LABEL_PREFIX: inputs.name_prefix,
        **({LABEL_FORMERLY: inputs.home.workspace} if inputs.home.workspace else {}),
        **tree(inputs),
    }


def tree(inputs: WorkspaceInputs | SharedInputs) -> dict[str, str]:
    """Give the label that names the data tree; none where there is no id."""
    return {LABEL_TREE: inputs.tree} if inputs.tree else {}
