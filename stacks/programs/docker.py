"""Renders a workspace, or what workspaces share, as resources of the Docker provider.

Pulumi owns the shape only: containers are made stopped (``start=False, must_run=False``) and
`stacks.power` switches them. Nothing is decided here; what is not in the inputs is the same for
every workspace. Traps of the provider are told where they are stepped around; measured facts
are in docs/explanation/pulumi-operations.md.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pulumi
import pulumi_docker as docker

from stacks.programs import shape
from stacks.programs.inputs import (
    HOME_PATH,
    LABEL_HOME,
    LABEL_OWNER,
    LABEL_PREFIX,
    NETWORK_OPTIONS,
    RUN_PATH,
    USER,
    SharedInputs,
    WorkspaceInputs,
)
from stacks.programs.pids import limit_pids
from stacks.programs.program import Program

STOP_GRACE_SECONDS = 10
BILLIONTH = Decimal("1e-9")
ROUND_ZEROS = 9

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
        labels=[docker.NetworkLabelArgs(label=key, value=labels[key]) for key in sorted(labels)],
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
    labels = {
        **inputs.home_identity,
        LABEL_OWNER: inputs.home.owner,
        LABEL_HOME: str(inputs.home.number),
        **shape.tree(inputs),
    }
    return docker.Volume(
        "home",
        name=inputs.volume,
        driver="local",  # what the engine reads back, so that made and adopted are the same
        labels=[docker.VolumeLabelArgs(label=key, value=labels[key]) for key in sorted(labels)],
        opts=pulumi.ResourceOptions(
            protect=True,
            retain_on_delete=True,
            # A changed label replaces a volume, which is the loss of a home.
            ignore_changes=["labels", "driver", "driverOpts"],
            import_=inputs.volume if adopt else None,
        ),
    )


def _container(inputs: WorkspaceInputs, home: docker.Volume) -> docker.Container:
    memory = shape.memory(inputs)
    return docker.Container(
        "container",
        name=inputs.container,
        image=inputs.image,
        user=USER,
        start=False,
        must_run=False,
        restart=shape.RESTART,
        destroy_grace_seconds=STOP_GRACE_SECONDS,
        envs=_environment(inputs),
        labels=_labels(inputs),
        memory=memory,
        # Unset, the engine fills it in and every second `up` shows a change. Equal: no swap.
        memory_swap=memory,
        cpus=_decimal(inputs.cpu),
        capabilities=docker.ContainerCapabilitiesArgs(drops=[shape.DROPPED]),
        security_opts=[shape.SECURITY],
        # Not networks_advanced: that connects after creating, and a failure between the two
        # leaves a container without a network in the state that no later `up` corrects.
        network_mode=inputs.network,
        mounts=_mounts(inputs),
        log_driver=shape.LOG_DRIVER,
        log_opts=shape.LOG_OPTIONS,
        opts=pulumi.ResourceOptions(
            delete_before_replace=True, replace_on_changes=SILENT, depends_on=[home]
        ),
    )


def _mounts(inputs: WorkspaceInputs) -> list[docker.ContainerMountArgs]:
    return [
        docker.ContainerMountArgs(type="volume", source=inputs.volume, target=HOME_PATH),
        docker.ContainerMountArgs(type="bind", source=inputs.run_folder, target=RUN_PATH),
    ]


def _environment(inputs: WorkspaceInputs) -> list[str]:
    variables = shape.environment(inputs)
    return [f"{key}={variables[key]}" for key in sorted(variables)]


def _labels(inputs: WorkspaceInputs) -> list[docker.ContainerLabelArgs]:
    labels = shape.labels(inputs)
    return [docker.ContainerLabelArgs(label=key, value=labels[key]) for key in sorted(labels)]


def _decimal(cores: float) -> str:
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


def _settle_workspace(data: Mapping[str, Any], docker_host: str | None) -> None:
    inputs = WorkspaceInputs.from_json(data)
    limit_pids(inputs.container, inputs.pids, docker_host=docker_host)


WORKSPACE = Program(render=render_workspace, settle=_settle_workspace)
SHARED = Program(render=render_shared)
