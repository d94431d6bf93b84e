"""The rules that resources must keep, as pure functions over what Pulumi is about to make.

    evaluate(Resource(...)) -> the findings: which rule, and what exactly breaks it

`policies.pack` runs them inside Pulumi; nothing here knows Pulumi's protocol, reads files or asks an
engine. Unknown resource types pass: a rule speaks of what it knows. What `_policies.yaml` says comes
as plain values (`configured`): without it the image rule allows every image.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from policies.images import is_allowed
from policies.words import DOCS, Finding, Level, Rule

__all__ = [
    "CONTAINER",
    "DOCS",
    "IMAGE_ALLOWED",
    "RULES",
    "VOLUME",
    "Finding",
    "Level",
    "Resource",
    "ResourceRule",
    "Rule",
    "configured",
    "evaluate",
    "labels",
    "not_listed",
]

CONTAINER = "docker:index/container:Container"
VOLUME = "docker:index/volume:Volume"

LABEL_WORKSPACE = "codehub.workspace"
LABEL_OWNER = "codehub.owner"
LABEL_PREFIX = "codehub.prefix"
LABEL_SPEC_HASH = "codehub.spec-hash"
LABEL_HOME = "codehub.home"
LABEL_PIDS = "codehub.pids"
RUN_TARGET = "/run/codehub"


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
class ResourceRule(Rule):
    """A rule about one resource.

    Attributes:
        applies_to: Type tokens of the resources it speaks of.
        check: Gives one sentence for each thing that breaks the rule.
    """

    applies_to: tuple[str, ...]
    check: Check


def evaluate(
    resource: Resource, *, rules: Sequence[ResourceRule] | None = None
) -> tuple[Finding, ...]:
    """Give what breaks the rules (all of `RULES` by default), in their order."""
    return tuple(
        Finding(rule=rule, resource=resource.name, detail=detail)
        for rule in (RULES if rules is None else rules)
        if resource.type in rule.applies_to
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


_LABELS = {
    CONTAINER: (LABEL_WORKSPACE, LABEL_OWNER, LABEL_PREFIX, LABEL_SPEC_HASH),
    VOLUME: (LABEL_WORKSPACE, LABEL_OWNER),
}


def _labelled(resource: Resource) -> Sequence[str]:
    found = labels(resource)
    wanted = _LABELS.get(resource.type, ())
    if resource.type == VOLUME and LABEL_HOME not in found:
        return []  # no home: nobody looks for it
    return [f"the label {name} is missing" for name in wanted if not found.get(name)]


def _any_image(_: Resource) -> Sequence[str]:
    return []


def _listed_images(patterns: Sequence[str], note: str) -> Check:
    told = f"; {note}" if note else ""

    def check(resource: Resource) -> Sequence[str]:
        image = str(resource.properties.get("image") or "")
        if is_allowed(image, patterns):
            return []
        return [f"{not_listed(image)}{told}"]

    return check


def not_listed(image: str) -> str:
    """Say that an image is not allowed."""
    return f"the image {image} is not on the list of allowed images"


def configured(settings: Mapping[str, Mapping[str, Any]]) -> tuple[ResourceRule, ...]:
    """Give the rules as `_policies.yaml` sets them for one workspace; see `policies.pack_rules`.

    Args:
        settings: By rule id: ``level``, and for images ``images`` and ``note`` (what else is said).
    """
    found = settings.get(IMAGE_ALLOWED)
    if found is None:
        return RULES
    check = _listed_images(tuple(found["images"]), str(found.get("note", "")))
    level = Level(found["level"])
    return tuple(
        replace(rule, level=level, check=check) if rule.id == IMAGE_ALLOWED else rule
        for rule in RULES
    )


IMAGE_ALLOWED = "image-allowed"

RULES: tuple[ResourceRule, ...] = (
    ResourceRule(
        id="limit-memory",
        reason="A workspace without a memory limit takes the memory of all others.",
        remedy="Set `resources.memory`.",
        applies_to=(CONTAINER,),
        check=_memory,
    ),
    ResourceRule(
        id="limit-cpu",
        reason="A workspace without a CPU limit slows all others down.",
        remedy="Set `resources.cpu`.",
        applies_to=(CONTAINER,),
        check=_cpus,
    ),
    ResourceRule(
        id="limit-pids",
        reason="A workspace without a process limit can stop the host with a fork bomb.",
        remedy="Set `resources.pids`.",
        applies_to=(CONTAINER,),
        check=_pids,
    ),
    ResourceRule(
        id="no-privilege",
        reason="Whoever works in a privileged workspace owns the host.",
        remedy="Run as uid 1000 with all capabilities dropped, no-new-privileges and no devices.",
        applies_to=(CONTAINER,),
        check=_privilege,
    ),
    ResourceRule(
        id="no-shared-namespace",
        reason="A namespace of the host or of another container shows its processes or network.",
        remedy="Leave network, pid, ipc, user and cgroup namespaces to the container.",
        applies_to=(CONTAINER,),
        check=_namespaces,
    ),
    ResourceRule(
        id="no-host-mount",
        reason="A folder or socket of the host is a way out of the workspace.",
        remedy="Mount volumes only; the workspace's own run folder is the one exception.",
        applies_to=(CONTAINER,),
        check=_mounts,
    ),
    ResourceRule(
        id="home-retained",
        reason="A home is a person's work: no plan may delete or replace it.",
        remedy="Render the volume with protect, retain_on_delete and ignore_changes for labels.",
        applies_to=(VOLUME,),
        check=_home,
    ),
    ResourceRule(
        id="labels-complete",
        reason="By its labels an object is found again after a crash, or when the index is lost.",
        remedy="Render containers and homes with all labels of `stacks.programs`.",
        applies_to=(CONTAINER, VOLUME),
        check=_labelled,
    ),
    ResourceRule(
        id=IMAGE_ALLOWED,
        reason="An image runs whatever its maker put in, with its owner's files.",
        remedy="Name an image of the list in `_policies.yaml`, or ask for it to be put there.",
        applies_to=(CONTAINER,),
        check=_any_image,
        settable=True,
    ),
)
