"""Programs that must not get through: one for each rule, and one that raises."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_docker as docker

from stacks.programs import docker as ours
from stacks.programs.inputs import WorkspaceInputs
from stacks.programs.program import Program

LABELS = [
    {"label": f"codehub.{name}", "value": "x"}
    for name in ("workspace", "owner", "prefix", "spec-hash", "home")
]
GOOD: dict[str, Any] = {
    "user": "1000:1000",
    "start": False,
    "must_run": False,
    "memory": 64,
    "memory_swap": 64,
    "cpus": "0.5",
    "capabilities": {"drops": ["ALL"]},
    "security_opts": ["no-new-privileges:true"],
    "labels": [*LABELS, {"label": "codehub.pids", "value": "64"}],
}


@dataclass(frozen=True, kw_only=True)
class Bad:
    """How a program breaks a rule."""

    rule: str
    change: Mapping[str, Any]


BROKEN = {
    "no_memory": Bad(rule="limit-memory", change={"memory": None, "memory_swap": None}),
    "no_cpus": Bad(rule="limit-cpu", change={"cpus": None}),
    "no_pids": Bad(rule="limit-pids", change={"labels": LABELS}),
    "no_labels": Bad(rule="labels-complete", change={"labels": GOOD["labels"][1:]}),
    "privileged": Bad(rule="no-privilege", change={"privileged": True}),
    "capability": Bad(
        rule="no-privilege", change={"capabilities": {"adds": ["SYS_ADMIN"], "drops": ["ALL"]}}
    ),
    "new_privileges": Bad(rule="no-privilege", change={"security_opts": []}),
    "host_network": Bad(rule="no-shared-namespace", change={"network_mode": "host"}),
    "docker_socket": Bad(
        rule="no-host-mount",
        change={
            "mounts": [
                {
                    "type": "bind",
                    "source": "/var/run/docker.sock",
                    "target": "/var/run/docker.sock",
                }
            ]
        },
    ),
}


def _container(name: str) -> Callable[[Mapping[str, Any], frozenset[str]], None]:
    def render(data: Mapping[str, Any], adopt: frozenset[str]) -> None:
        inputs = WorkspaceInputs.from_json(data)
        properties = {**GOOD, **BROKEN[name].change}
        docker.Container("container", name=inputs.container, image=inputs.image, **properties)

    return render


def _loose_home(data: Mapping[str, Any], adopt: frozenset[str]) -> None:
    inputs = WorkspaceInputs.from_json(data)
    labels = [docker.VolumeLabelArgs(**label) for label in LABELS]
    docker.Volume("home", name=inputs.volume, labels=labels)


def _raise(data: Mapping[str, Any], adopt: frozenset[str]) -> None:
    raise LookupError("a bug in the program")


def _unlabelled(data: Mapping[str, Any], adopt: frozenset[str]) -> None:
    inputs = WorkspaceInputs.from_json(data)
    properties = {**GOOD, "labels": GOOD["labels"][len(LABELS) :]}
    docker.Container("container", name=inputs.container, image=inputs.image, **properties)


def _nothing(data: Mapping[str, Any], adopt: frozenset[str]) -> None:
    pulumi.export("nothing", 0)


def _waits(data: Mapping[str, Any], adopt: frozenset[str]) -> None:
    """Make the home, then wait for ever instead of going on to the container."""
    home = ours._home(WorkspaceInputs.from_json(data), adopt="home" in adopt)
    home.id.apply(lambda _: threading.Event().wait())


PROGRAMS = {name: Program(render=_container(name)) for name in BROKEN}
NO_MEMORY = PROGRAMS["no_memory"]
NO_CPUS = PROGRAMS["no_cpus"]
NO_PIDS = PROGRAMS["no_pids"]
NO_LABELS = PROGRAMS["no_labels"]
PRIVILEGED = PROGRAMS["privileged"]
CAPABILITY = PROGRAMS["capability"]
NEW_PRIVILEGES = PROGRAMS["new_privileges"]
HOST_NETWORK = PROGRAMS["host_network"]
DOCKER_SOCKET = PROGRAMS["docker_socket"]
LOOSE_HOME = Program(render=_loose_home)
RAISING = Program(render=_raise)
UNLABELLED = Program(render=_unlabelled)
NOTHING = Program(render=_nothing)
WAITING = Program(render=_waits)
