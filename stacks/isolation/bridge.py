"""What the engine says about the network of workspaces, as plain values. Pure, but for `nameservers`."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from typing import Any

from stacks.isolation.rules import Address

OPTION_NAME = "com.docker.network.bridge.name"
SHORT_ID = 12
DEFAULT_NETWORK = "bridge"

RESOLV_CONF = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
"""Where this machine's nameservers are; Docker reads the second where the first names a stub."""


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """The network of workspaces.

    Attributes:
        id: The engine's id: another one after the network was made anew.
        name: Its name.
        interface: The bridge's interface on the engine's machine.
        gateways: This machine's addresses on it.
        boot: Another one after the engine was started anew.
    """

    id: str
    name: str
    interface: str
    gateways: tuple[Address, ...]
    boot: str


def find(listed: Iterable[Mapping[str, Any]], name: str) -> Bridge | None:
    """Find the network in the engine's list; None when it is not there."""
    by_name = {data["Name"]: data for data in listed}
    found = by_name.get(name)
    if found is None:
        return None
    # The engine makes its default network anew at each start.
    default = by_name.get(DEFAULT_NETWORK, {})
    return Bridge(
        id=found["Id"],
        name=name,
        interface=interface_of(found),
        gateways=tuple(_gateways((found.get("IPAM") or {}).get("Config") or ())),
        boot=default.get("Id", ""),
    )


def interface_of(data: Mapping[str, Any]) -> str:
    """Give the interface of a network in the engine's list."""
    named: str = (data.get("Options") or {}).get(OPTION_NAME) or ""
    return named or f"br-{data['Id'][:SHORT_ID]}"


def _gateways(configs: Iterable[Mapping[str, str]]) -> Iterable[Address]:
    for config in configs:
        if gateway := config.get("Gateway"):
            yield ip_interface(gateway).ip
        elif subnet := config.get("Subnet"):
            # Not told for IPv6 by older engines, which take the first address.
            yield ip_network(subnet)[1]


def nameservers(files: Iterable[Path] = RESOLV_CONF) -> tuple[Address, ...]:
    """Read whom this machine asks for names, but for itself at loopback addresses."""
    found: set[Address] = set()
    for file in files:
        with suppress(OSError):
            found.update(_named(file.read_text(errors="replace")))
    return tuple(sorted(found, key=str))


def _named(text: str) -> Iterable[Address]:
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            with suppress(ValueError):
                address = ip_address(words[1])
                if not (address.is_loopback or getattr(address, "scope_id", None)):
                    yield address
