"""The rules that resources must keep, as pure functions over what Pulumi is about to make.

    evaluate(Resource(...)) -> the findings: which rule, and what exactly breaks it

Each rule has an id, a reason, a remedy, a level and a page section, the same words wherever a
user meets it. `policies.pack` runs them inside Pulumi; nothing here knows Pulumi's protocol,
reads files or asks an engine. Unknown resource types pass: a rule speaks of what it knows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

CONTAINER = "docker:index/container:Container"
VOLUME = "docker:index/volume:Volume"
DOCS = "docs/reference/policies.md"

LABEL_WORKSPACE = "codehub.workspace"
LABEL_HOME = "codehub.home"
LABEL_PIDS = "codehub.pids"
RUN_TARGET = "/run/codehub"


class Level(StrEnum):
    """What a finding does."""

    MANDATORY = "mandatory"
    """It stops the operation."""
    ADVISORY = "advisory"
    """It is told."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What a rule sees of a resource.

    Attributes:
        type: Pulumi's type token.
        name: Pulumi's name.
        properties: Inputs, under Pulumi's names (``networkMode``).
        protect: Whether Pulumi refuses to delete it.
        ignore_changes: Properties whose changes Pulumi leaves alone.
    """

    type: str
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    protect: bool = False
    ignore_changes: Sequence[str] = ()


Check = Callable[[Resource], Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        id: Stable, as users write it in an exemption.
        reason: Why the rule is there.
        remedy: What to do about a finding.
        level: What a finding does.
        applies_to: Type token of the resources it speaks of.
        check: Gives one sentence for each thing that breaks the rule.
    """

    id: str
    reason: str
    remedy: str
    applies_to: str
    check: Check
    level: Level = Level.MANDATORY

    @property
    def docs(self) -> str:
        """Page and section that explain the rule."""
        return f"{DOCS}#{self.id}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One rule broken by one resource."""

    rule: Rule
    resource: str
    detail: str

    @property
    def message(self) -> str:
        """All that a user needs, in one text."""
        return f"{self.detail}. {self.rule.reason} {self.rule.remedy} ({self.rule.docs})"


def evaluate(resource: Resource, *, rules: Sequence[Rule] | None = None) -> tuple[Finding, ...]:
    """Give what breaks the rules (all of `RULES` by default), in their order."""
    return tuple(
        Finding(rule=rule, resource=resource.name, detail=detail)
        for rule in (RULES if rules is None else rules)
        if rule.applies_to == resource.type
        for detail in rule.check(resource)
    )


def labels(resource: Resource) -> dict[str, str]:
    """Give a resource's labels; the provider takes them as a list of pairs."""
    return {
        str(item["label"]): str(item.get("value", ""))
        for item in resource.properties.get("labels") or ()
        if isinstance(item, Mapping) and "label" in item
    }


def _memory(resource: Resource) -> Sequence[str]:
    memory = _number(resource.properties.get("memory"))
    swap = _number(resource.properties.get("memorySwap"))
    found = [] if memory > 0 else ["memory is not limited"]
    if memory > 0 and not 0 < swap <= memory:
        found.append("swap is not limited (memorySwap must be set and at most memory)")
    return found


def _cpus(resource: Resource) -> Sequence[str]:
    return [] if _number(resource.properties.get("cpus")) > 0 else ["cpus is not limited"]


def _pids(resource: Resource) -> Sequence[str]:
    limit = _number(labels(resource).get(LABEL_PIDS))
    return [] if limit > 0 else [f"the label {LABEL_PIDS} does not limit processes"]


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # what is no number is no limit
    except (TypeError, ValueError):
        return 0.0


def _privilege(resource: Resource) -> Sequence[str]:
    properties = resource.properties
    capabilities = properties.get("capabilities") or {}
    found = ["it is privileged"] if properties.get("privileged") else []
    found += [f"it adds the capability {name}" for name in capabilities.get("adds") or ()]
    if "ALL" not in (capabilities.get("drops") or ()):
        found.append("it does not drop all capabilities")
    if properties.get("devices") or properties.get("deviceCgroupRules") or properties.get("gpus"):
        found.append("it is given devices of the host")
    user = str(properties.get("user") or "")
    if user.partition(":")[0] in {"", "0", "root"}:
        found.append("it runs as root or as whoever the image says")
    return found + _security_options(properties)


def _security_options(properties: Mapping[str, Any]) -> list[str]:
    options = [str(item) for item in properties.get("securityOpts") or ()]
    found = [f"{item} switches a protection off" for item in options if "unconfined" in item]
    if not {"no-new-privileges", "no-new-privileges:true"}.intersection(options):
        found.append("no-new-privileges is not set")
    return found


_NAMESPACES = ("networkMode", "pidMode", "ipcMode", "usernsMode", "cgroupnsMode")


def _namespaces(resource: Resource) -> Sequence[str]:
    values = {name: str(resource.properties.get(name) or "") for name in _NAMESPACES}
    return [
        f"{name} is {value}"
        for name, value in values.items()
        if value == "host" or value.startswith("container:")
    ]


def _mounts(resource: Resource) -> Sequence[str]:
    found = [
        f"it mounts {mount.get('source')} of the host at {mount.get('target')}"
        for mount in resource.properties.get("mounts") or ()
        if mount.get("type") == "bind" and not _own_run_folder(mount, labels(resource))
    ]
    found += [
        f"it mounts {volume.get('hostPath')} of the host at {volume.get('containerPath')}"
        for volume in resource.properties.get("volumes") or ()
        if volume.get("hostPath")
    ]
    return found


def _own_run_folder(mount: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    source = PurePosixPath(str(mount.get("source") or ""))
    return (
        mount.get("target") == RUN_TARGET
        and source.is_absolute()
        and ".." not in source.parts
        and source.parts[-2:] == ("run", found.get(LABEL_WORKSPACE, ""))
    )


def _home(resource: Resource) -> Sequence[str]:
    if LABEL_HOME not in labels(resource):
        return []
    found = [] if resource.protect else ["the home volume is not protected"]
    if "labels" not in resource.ignore_changes:
        found.append("a changed label would replace the home volume (ignore_changes lacks labels)")
    return found


RULES: tuple[Rule, ...] = (
    Rule(
        id="limit-memory",
        reason="A workspace without a memory limit takes the memory of all others.",
        remedy="Set `resources.memory`.",
        applies_to=CONTAINER,
        check=_memory,
    ),
    Rule(
        id="limit-cpu",
        reason="A workspace without a CPU limit slows all others down.",
        remedy="Set `resources.cpu`.",
        applies_to=CONTAINER,
        check=_cpus,
    ),
    Rule(
        id="limit-pids",
        reason="A workspace without a process limit can stop the host with a fork bomb.",
        remedy="Set `resources.pids`.",
        applies_to=CONTAINER,
        check=_pids,
    ),
    Rule(
        id="no-privilege",
        reason="Whoever works in a privileged workspace owns the host.",
        remedy="Run as uid 1000 with all capabilities dropped, no-new-privileges and no devices.",
        applies_to=CONTAINER,
        check=_privilege,
    ),
    Rule(
        id="no-shared-namespace",
        reason="A namespace of the host or of another container shows its processes or network.",
        remedy="Leave network, pid, ipc, user and cgroup namespaces to the container.",
        applies_to=CONTAINER,
        check=_namespaces,
    ),
    Rule(
        id="no-host-mount",
        reason="A folder or socket of the host is a way out of the workspace.",
        remedy="Mount volumes only; the workspace's own run folder is the one exception.",
        applies_to=CONTAINER,
        check=_mounts,
    ),
    Rule(
        id="home-retained",
        reason="A home is a person's work: no plan may delete or replace it.",
        remedy="Render the volume with protect, retain_on_delete and ignore_changes for labels.",
        applies_to=VOLUME,
        check=_home,
    ),
)
