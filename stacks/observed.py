"""Docker's description of a container as flat text values, for `stacks.drift` to compare. Pure.

A value is named by a key (``memory``, ``env.TZ``, ``mount./home/coder``) that a person understands.
What Docker fills in by itself is written the way `stacks.drift` writes what is wanted.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from spec.units import format_size

OWN_VOLUME = "a volume of its own"
"""What Docker makes where an image declares a volume."""
NONE = "none"
UNLIMITED = "unlimited"

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_OURS = "codehub."


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What is seen of a container.

    Attributes:
        values: What there is, by key.
        image: What its image alone would give it; None when the image cannot be read any more.
        complete: Whether it was inspected; a list shows labels of ours and networks only.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    image: Mapping[str, str] | None = None
    complete: bool = True


def listed(data: Mapping[str, Any]) -> Observed:
    """Read one entry of the container list."""
    labels = data.get("Labels") or {}
    ours = {key: value for key, value in labels.items() if key.startswith(_OURS)}
    return Observed(values=_labels(ours) | _network(data), complete=False)


def inspected(data: Mapping[str, Any], image: Mapping[str, Any] | None) -> Observed:
    """Read the answer of an inspect, beside the image's where that is there."""
    config, host = data["Config"], data["HostConfig"]
    values = {
        "image": config["Image"],
        **_limits(host),
        "user": config.get("User") or "",
        "restart": (host.get("RestartPolicy") or {}).get("Name") or "no",
        **_network(data),
        **_security(host),
        **_reach(host),
        "logs": _logs(host.get("LogConfig") or {}),
        **_from_image(config),
        **dict(map(_mount, data.get("Mounts") or ())),
    }
    given = None if image is None else _image(image.get("Config") or {})
    return Observed(values=values, image=given)


def logs(driver: str, options: Mapping[str, str]) -> str:
    """Write how its output is kept."""
    return " ".join([driver, *(f"{key}={options[key]}" for key in sorted(options))])


def cores(billionths: int) -> str:
    """Write a limit of CPU; the provider is off by a billionth where it reads back wrongly."""
    return f"{round(billionths / 1e9, 3):g}" if billionths else UNLIMITED


def size(number: int) -> str:
    """Write a limit in bytes."""
    return format_size(number) if number > 0 else UNLIMITED


def mount(kind: str, source: str, *, writable: bool = True) -> str:
    """Write what is mounted at a place."""
    return f"{kind} {source}{'' if writable else ', read-only'}"


def _limits(host: Mapping[str, Any]) -> dict[str, str]:
    pids = host.get("PidsLimit") or 0
    return {
        "memory": size(host.get("Memory") or 0),
        "memory and swap": size(host.get("MemorySwap") or 0),
        "cpu": cores(host.get("NanoCpus") or 0),
        "pids": str(pids) if pids > 0 else UNLIMITED,
        "cpu quota": str(host.get("CpuQuota") or NONE),
        "cpu shares": str(host.get("CpuShares") or NONE),
        "cpus": host.get("CpusetCpus") or NONE,
    }


def _security(host: Mapping[str, Any]) -> dict[str, str]:
    return {
        "privileged": "yes" if host.get("Privileged") else "no",
        "capabilities dropped": _capabilities(host.get("CapDrop")),
        "capabilities added": _capabilities(host.get("CapAdd")),
        "security options": _joined(host.get("SecurityOpt")),
    }


def _reach(host: Mapping[str, Any]) -> dict[str, str]:
    """What of the machine it shares beside limits: namespaces, devices, ports."""
    shared = (name for name in ("PidMode", "IpcMode", "UTSMode") if host.get(name) == "host")
    return {
        "shares with the host": _joined(name.removesuffix("Mode").lower() for name in shared),
        "devices": _joined(each.get("PathOnHost", "") for each in host.get("Devices") or ()),
        "ports": _joined(host.get("PortBindings") or ()),
        "removes itself": "yes" if host.get("AutoRemove") else "no",
    }


def _network(data: Mapping[str, Any]) -> dict[str, str]:
    networks = (data.get("NetworkSettings") or {}).get("Networks") or {}
    return {"network": _joined(networks)}


def _image(config: Mapping[str, Any]) -> dict[str, str]:
    places = map(posixpath.normpath, config.get("Volumes") or ())  # `VOLUME /data/` is kept so
    volumes = {f"mount.{place}": OWN_VOLUME for place in places}
    return _from_image(config) | volumes


def _from_image(config: Mapping[str, Any]) -> dict[str, str]:
    """What a container has of its image unless it is told otherwise."""
    return {
        "command": _joined(config.get("Cmd"), " "),
        "entrypoint": _joined(config.get("Entrypoint"), " "),
        "working folder": config.get("WorkingDir") or NONE,
        **{f"env.{name}": value for name, value in _variables(config.get("Env") or ())},
        **_labels(config.get("Labels") or {}),
    }


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    return {f"label.{name}": value for name, value in labels.items()}


def _variables(entries: Iterable[str]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        name, _, value = entry.partition("=")
        yield name, value


def _mount(data: Mapping[str, Any]) -> tuple[str, str]:
    kind, place = data.get("Type", ""), data.get("Destination", "")
    if kind == "volume" and _ANONYMOUS.fullmatch(data.get("Name", "")):
        return f"mount.{place}", OWN_VOLUME
    source = data.get("Name") if kind == "volume" else data.get("Source")
    return f"mount.{place}", mount(kind, source or "", writable=bool(data.get("RW", True)))


def _logs(config: Mapping[str, Any]) -> str:
    return logs(config.get("Type", ""), config.get("Config") or {})


def _capabilities(names: Iterable[str] | None) -> str:
    return _joined(sorted(name.upper().removeprefix("CAP_") for name in names or ()))


def _joined(values: Iterable[str] | None, by: str = ", ") -> str:
    found = list(values or ())
    return by.join(found if by == " " else sorted(found)) or NONE
