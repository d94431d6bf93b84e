"""Where a request comes from, behind proxies that the settings trust. Pure.

The peer of the connection counts. Only when it is a trusted proxy is `X-Forwarded-For` read, from
its right end, up to the first address that is not trusted too; anything before was written by
whoever sent the request.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the address of the client as far as it can be believed.

    Args:
        peer: The address at the other end of the connection; empty on a unix socket.
        forwarded_for: Every `X-Forwarded-For` value, in order.
        trusted: The networks of the proxies that stand before us.
    """
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    address = peer
    while hops and _trusted(address, trusted):
        hop = hops.pop()
        if "%" in hop or not _valid(hop):  # what follows the % of fe80::1%eth0 may be any text
            break
        address = hop
    return address


def _trusted(address: str, trusted: Sequence[Network]) -> bool:
    return _valid(address) and any(ip_address(address) in network for network in trusted)


def _valid(address: str) -> bool:
    try:
        ip_address(address)
    except ValueError:
        return False
    return True
