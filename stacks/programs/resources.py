"""A workspace's resources as plain values: type, name and properties as Pulumi is told them. Pure.

`programs.docker` registers them and `stacks.review` compares them for two commits, so that what a
review says of a property is what the program would ask for. Nothing here imports Pulumi.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stacks.programs import shape
from stacks.programs.inputs import (
    CONTAINER_TYPE,
    HOME_PATH,
    LABEL_HOME,
    LABEL_OWNER,
    RUN_PATH,
    USER,
    VOLUME_TYPE,
    WorkspaceInputs,
)

STOP_GRACE_SECONDS = 10
BILLIONTH = Decimal("1e-9")
ROUND_ZEROS = 9

HOME = "home"
CONTAINER = "container"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a program.

    Attributes:
        name: Pulumi's name.
        type: Pulumi's type token.
        properties: Inputs, under Pulumi's names (``networkMode``).
    """

    name: str
    type: str
    properties: Mapping[str, Any]


def workspace(inputs: WorkspaceInputs) -> tuple[Resource, Resource]:
    """Give the home volume and the container of a workspace."""
    return (
        Resource(name=HOME, type=VOLUME_TYPE, properties=home(inputs)),
        Resource(name=CONTAINER, type=CONTAINER_TYPE, properties=container(inputs)),
    )


def home(inputs: WorkspaceInputs) -> dict[str, Any]:
    """Give the properties of the home volume."""
    labels = {
        **inputs.home_identity,
        LABEL_OWNER: inputs.home.owner,
        LABEL_HOME: str(inputs.home.number),
        **shape.tree(inputs),
    }
    return {
        "name": inputs.volume,
        "driver": "local",  # what the engine reads back, so that made and adopted are the same
        "labels": pairs(labels),
    }


def container(inputs: WorkspaceInputs) -> dict[str, Any]:
    """Give the properties of the container."""
    memory = shape.memory(inputs)
    return {
        "name": inputs.container,
        "image": inputs.image,
        "user": USER,
        "start": False,
        "mustRun": False,
        "restart": shape.RESTART,
        "destroyGraceSeconds": STOP_GRACE_SECONDS,
        "envs": _environment(inputs),
        "labels": pairs(shape.labels(inputs)),
        "memory": memory,
        # Unset, the engine fills it in and every second `up` shows a change. Equal: no swap.
        "memorySwap": memory,
        "cpus": decimal(inputs.cpu),
        "capabilities": {"drops": [shape.DROPPED]},
        "securityOpts": [shape.SECURITY],
        # Not networksAdvanced: that connects after creating, and a failure between the two
        # leaves a container without a network in the state that no later `up` corrects.
        "networkMode": inputs.network,
        "mounts": [
            {"type": "volume", "source": inputs.volume, "target": HOME_PATH},
            {"type": "bind", "source": inputs.run_folder, "target": RUN_PATH},
        ],
        "logDriver": shape.LOG_DRIVER,
        "logOpts": dict(shape.LOG_OPTIONS),
    }


def pairs(labels: Mapping[str, str]) -> list[dict[str, str]]:
    """Give labels as the provider takes them."""
    return [{"label": key, "value": labels[key]} for key in sorted(labels)]


def _environment(inputs: WorkspaceInputs) -> list[str]:
    variables = shape.environment(inputs)
    return [f"{key}={variables[key]}" for key in sorted(variables)]


def decimal(cores: float) -> str:
    """Write cores as the provider reads them back, or each refresh would replace the container.

    It reads ``2.0`` for 2, ``10.`` for 10 and, wrongly, ``0.1`` for 0.05 (it takes nine zeros
    anywhere for a round number); what it would read wrongly is moved by a billionth of a core.
    """
    exact = Decimal(str(cores)).quantize(BILLIONTH)
    text = _read_back(exact)
    return text if Decimal(text) == exact else _read_back(exact + BILLIONTH)


def _read_back(cores: Decimal) -> str:
    """Do what the provider's ``nanoInt64ToDecimalString`` does."""
    text = format(cores, ".9f")
    return format(cores, ".1f") if text.count("0") == ROUND_ZEROS else text.rstrip("0")
