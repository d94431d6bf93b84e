"""What closes each gap, in words for an admin. Pure."""

from collections.abc import Iterable

from settings.types import Gap
from stacks.isolation.verdict import Finding

RULES = "as root on the engine's machine: codehub isolation rules | nft -f -"
NETWORK = (
    "remove the network, so that the next `up` makes it with inter-container traffic off, and see that "
    "net.bridge.bridge-nf-call-iptables is 1 and dockerd sets its own rules"
)

REMEDIES = {
    Gap.WORKSPACE_IPV4: NETWORK,
    Gap.WORKSPACE_IPV6: f"{RULES}; net.bridge.bridge-nf-call-ip6tables must be 1",
    Gap.HOST_IPV4: RULES,
    Gap.HOST_IPV6: RULES,
    Gap.METADATA: RULES,
    Gap.WORKSPACE_SOCKET: "mount into each workspace its own run folder only, and chmod o= the run folder",
    Gap.ENGINE_SOCKET: "mount no engine's socket into workspaces, and let it listen on no address they reach",
}


def remedy(findings: Iterable[Finding]) -> str:
    """Say what closes these gaps, and how to go on without."""
    gaps = [finding.gap for finding in findings]
    ways = dict.fromkeys(f"{REMEDIES[gap]}." for gap in gaps)
    names = ",".join(gaps)
    return " ".join(
        (
            *(f"{way[0].upper()}{way[1:]}" for way in ways),
            f"Or accept it: CODEHUB_ALLOW_UNENFORCED={names}",
        )
    )


def told(findings: Iterable[Finding]) -> str:
    """Say what is not enforced, in one sentence."""
    each = "; ".join(f"{found.gap} ({found.state}: {found.detail})" for found in findings)
    return f"isolation of workspaces is not enforced: {each}"
