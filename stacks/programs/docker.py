"""Renders a workspace, or what workspaces share, as resources of the Docker provider.

Pulumi owns the shape only: containers are made stopped (``start=False, must_run=False``) and
`stacks.power` switches them. Nothing is decided here: the properties are in `resources`, and what is
not in the inputs is the same for every workspace. Traps of the provider are told where they are
stepped around; measured facts are in docs/explanation/pulumi-operations.md.
"""

import re
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_docker as docker

from stacks.programs import resources, shape
from stacks.programs.inputs import (
    LABEL_PREFIX,
    NETWORK_OPTIONS,
    HomeInputs,
    SharedInputs,
    WorkspaceInputs,
)
from stacks.programs.pids import limit_pids
from stacks.programs.program import Program

_HUMP = re.compile(r"([A-Z])")

# The provider neither updates nor replaces when these change: without this a change is lost.
SILENT = ["healthcheck", "tmpfs", "init", "cpuPeriod", "cpuQuota", "rm", "destroyGraceSeconds"]


def render_workspace(data: Mapping[str, Any], adopt: frozenset[str]) -> None:
    """Render the home volume and the container of one workspace.

    Args:
        data: ``WorkspaceInputs(...).to_json()``.
        adopt: ``home`` when the volume is on the engine and Pulumi must take it, not make it.
    """
    inputs = WorkspaceInputs.from_json(data)
    home = _home(inputs, adopt=inputs.home.exists or "home" in adopt)
    container = _container(inputs, home)
    pulumi.export("container", container.id)
    pulumi.export("home", home.name)


def render_shared(data: Mapping[str, Any], adopt: frozenset[str]) -> None:
    """Render the network of a target.

    Args:
        data: ``SharedInputs(...).to_json()``.
        adopt: ``network`` with its id behind a colon when it is on the engine already.
    """
    inputs = SharedInputs.from_json(data)
    labels = {LABEL_PREFIX: inputs.name_prefix, **shape.tree(inputs)}
    network = docker.Network(
        "network",
        name=inputs.network,
        driver="bridge",
        options=NETWORK_OPTIONS,
        labels=[docker.NetworkLabelArgs(**pair) for pair in resources.pairs(labels)],
        opts=pulumi.ResourceOptions(
            # Several data trees may use one network: its labels are those of who came first.
            ignore_changes=["labels"],
            import_=_adopted(adopt, "network"),
        ),
    )
    pulumi.export("network", network.id)


def _adopted(adopt: frozenset[str], name: str) -> str | None:
    return next((item.partition(":")[2] for item in adopt if item.startswith(f"{name}:")), None)


def _home(inputs: WorkspaceInputs, *, adopt: bool) -> docker.Volume:
    """Render the volume; with `adopt`, Pulumi fails rather than make one that is gone."""
    return docker.Volume(
        resources.HOME,
        **arguments(resources.home(inputs)),
        opts=pulumi.ResourceOptions(
            protect=True,
            retain_on_delete=True,
            # A changed label replaces a volume, which is the loss of a home.
            ignore_changes=["labels", "driver", "driverOpts"],
            import_=inputs.volume if adopt else None,
        ),
    )


def _container(inputs: WorkspaceInputs, home: docker.Volume) -> docker.Container:
    return docker.Container(
        resources.CONTAINER,
        **arguments(resources.container(inputs)),
        opts=pulumi.ResourceOptions(
            delete_before_replace=True, replace_on_changes=SILENT, depends_on=[home]
        ),
    )


def arguments(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Give properties under the names that the provider's SDK takes: `networkMode`, `network_mode`."""
    return {_HUMP.sub(r"_\1", name).lower(): value for name, value in properties.items()}


def _settle_workspace(data: Mapping[str, Any], docker_host: str | None) -> None:
    inputs = WorkspaceInputs.from_json(data)
    limit_pids(inputs.container, inputs.pids, docker_host=docker_host)


_SAMPLE = WorkspaceInputs(
    id="sample",
    owner="nobody",
    name_prefix="codehub-sample-",
    image="sample",
    cpu=1.0,
    memory=1 << 30,
    pids=64,
    spec_hash="",
    home=HomeInputs(number=1, owner="nobody"),
    run_folder="/run/sample",
    network="codehub-sample",
)
WORKSPACE = Program(render=render_workspace, settle=_settle_workspace, sample=_SAMPLE.to_json())
SHARED = Program(render=render_shared)
