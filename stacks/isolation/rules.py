"""The rules of our own nft table, one table for a network. Pure.

Docker filters what is forwarded, for IPv4 (and later engines IPv6), and what it says about traffic
between containers is theirs: IPv4 between workspaces is closed by the network's own option. What
Docker leaves open is closed here: this machine's own addresses, IPv6 between workspaces, metadata
services. Docker's tables are not touched, and each rule is for packets from this one bridge only.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from settings.types import Gap

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

METADATA = IPv4Network("169.254.0.0/16")
"""All of IPv4's link-local range: clouds have further services beside 169.254.169.254 there."""

METADATA_IPV6 = (IPv6Address("fd00:ec2::254"), IPv6Address("fd20:ce::254"))
"""Where clouds serve metadata on IPv6."""

METADATA_ADDRESS = IPv4Address("169.254.169.254")

TABLE_PREFIX = "codehub_"
HASH_LENGTH = 16


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the rules are about.

    Attributes:
        network: The network's name, of which the table has its own.
        interface: The bridge's interface.
        nameservers: Whom this machine asks for names: containers ask them too, by Docker's resolver.
        blocked: Networks that are closed besides.
    """

    network: str
    interface: str
    nameservers: tuple[Address, ...] = ()
    blocked: tuple[Network, ...] = ()


def table(network: str) -> str:
    """Name the table of a network."""
    return f"{TABLE_PREFIX}{network}"


def marker(site: Site) -> str:
    """Give what stands in the table as a comment: two sites' rules differ where it does."""
    return f"rules {hashlib.sha256(_chains(site, '').encode()).hexdigest()[:HASH_LENGTH]}"


def render(site: Site) -> str:
    """Write the table for ``nft -f``, which takes all of it or nothing, in place of an older one."""
    name = table(site.network)
    # Adding what is there is no error; deleting what is not there would be.
    renewed = f"add table inet {name}\ndelete table inet {name}\n"
    return f"{renewed}table inet {name} {{\n{_chains(site, marker(site))}}}\n"


def _chains(site: Site, mark: str) -> str:
    return "".join(
        (
            _chain("outward", "prerouting priority mangle", _outward(site), site, mark),
            _chain("host", "input priority filter - 10", _host(site), site, mark),
            _chain("workspaces", "forward priority filter - 10", _workspaces(site), site, mark),
        )
    )


def _chain(name: str, hook: str, rules: Iterable[str], site: Site, mark: str) -> str:
    lines = [
        f"type filter hook {hook}; policy accept;",
        f'iifname != "{site.interface}" accept comment "{mark}"',
        *rules,
    ]
    return f"\tchain {name} {{\n" + "".join(f"\t\t{line}\n" for line in lines) + "\t}\n"


def _outward(site: Site) -> list[str]:
    """Before routing, so that it holds whether a service is on this machine or beyond it."""
    return [
        # Answers to what this machine asked: `blocked_networks` may hold the bridge's own network.
        "ct direction reply accept",
        *_names(site),
        # A code that nobody else answers with: so the probe knows this rule, where no service is.
        f"ip daddr {METADATA} reject with icmp type prot-unreachable {_for(Gap.METADATA)}",
        f"ip6 daddr {_set(METADATA_IPV6)} reject {_for(Gap.METADATA)}",
        *(
            f'{_family(net)} daddr {net} reject comment "blocked_networks"'
            for net in sorted(site.blocked, key=str)
        ),
    ]


def _host(site: Site) -> list[str]:
    """All of this machine's addresses, not only the bridge's: what listens on one, does so on all."""
    return [
        "ct state established,related accept",
        # Without these, nobody finds his own gateway.
        "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
        *_names(site),
        f"meta nfproto ipv4 reject with icmp type admin-prohibited {_for(Gap.HOST_IPV4)}",
        f"meta nfproto ipv6 reject with icmpv6 type admin-prohibited {_for(Gap.HOST_IPV6)}",
    ]


def _workspaces(site: Site) -> list[str]:
    """Only IPv6: with IPv4 here too, nobody would notice that the network's option is missing."""
    return [f'oifname "{site.interface}" meta nfproto ipv6 drop {_for(Gap.WORKSPACE_IPV6)}']


def _names(site: Site) -> list[str]:
    return [
        f"{_family(server)} daddr {server} meta l4proto {{ tcp, udp }} th dport 53 accept"
        for server in sorted(site.nameservers, key=str)
    ]


def _family(what: Address | Network) -> str:
    return "ip" if what.version == 4 else "ip6"  # noqa: PLR2004


def _set(addresses: Iterable[Address]) -> str:
    return "{ " + ", ".join(map(str, addresses)) + " }"


def _for(gap: Gap) -> str:
    return f'comment "{gap}"'
