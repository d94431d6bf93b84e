"""This machine's side of the probe: what listens here for a moment, and the allowed way to the others.

Only connections are made and a token is told; nothing is asked of a service that is not ours.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import TypeVar

from stacks.isolation.bridge import Bridge

T = TypeVar("T")
Tell = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

AGAIN = 0.02
"""Seconds between two tries of what is about to work."""

PATIENCE = 4.0
"""Seconds until an allowed way must have worked: an IPv6 address is not usable for the first one or two."""

NOWHERE = {socket.AF_INET: "198.51.100.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses for documentation: the route there tells our own address, and nothing is sent."""

_IF_INET6 = Path("/proc/net/if_inet6")
_IF_INET6_FIELDS = 6


def at(host: str, port: int) -> str:
    """Write host and port."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def zoned(host: str, interface: str) -> str:
    """Add the interface to an address that means nothing without."""
    local = ":" in host and ip_address(host).is_link_local
    return f"{host}%{interface}" if local else host


def link_local(interface: str, table: Path = _IF_INET6) -> tuple[str, ...]:
    """Give an interface's own IPv6 addresses that are valid on its link only."""
    found = []
    with suppress(OSError):
        for line in table.read_text().splitlines():
            fields = line.split()
            if len(fields) == _IF_INET6_FIELDS and fields[5] == interface:
                address = IPv6Address(bytes.fromhex(fields[0]))
                if address.is_link_local:
                    found.append(str(address))
    return tuple(found)


def own_addresses(bridge: Bridge, *, ipv6: bool) -> tuple[str, ...]:
    """Give the addresses of this machine that workspaces could come to: the bridge's, and one beside."""
    found = [str(gateway) for gateway in bridge.gateways]
    found += [_towards(socket.AF_INET)]
    if ipv6:
        found += [*link_local(bridge.interface), _towards(socket.AF_INET6)]
    kept = (host for host in dict.fromkeys(found) if host)
    return tuple(host for host in kept if ipv6 or ":" not in host)


def _towards(family: socket.AddressFamily) -> str:
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:
        asked.connect((NOWHERE[family], 9))
        return str(asked.getsockname()[0])
    return ""


@asynccontextmanager
async def listening(
    hosts: Iterable[str], interface: str, token: str
) -> AsyncIterator[tuple[tuple[str, int], ...]]:
    """Listen on a free port of each address, and tell everybody who comes a token.

    Yields:
        Address and port of each that could be listened on.
    """

    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(token.encode())
            await writer.drain()
        writer.close()

    wanted = tuple(hosts)
    servers = await asyncio.gather(*(_bound(tell, zoned(host, interface)) for host in wanted))
    bound = [(host, server) for host, server in zip(wanted, servers, strict=True) if server]
    try:
        yield tuple((host, int(server.sockets[0].getsockname()[1])) for host, server in bound)
    finally:
        for _, server in bound:
            server.close()


async def _bound(tell: Tell, host: str) -> asyncio.Server | None:
    async def bind() -> asyncio.Server:
        return await asyncio.start_server(tell, host, 0)

    return await _patiently(bind, PATIENCE)


async def reaches(host: str, port: int, *, within: float = PATIENCE) -> bool:
    """Whether a connection to it can be made from here."""

    async def connect() -> bool:
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        return True

    return bool(await _patiently(connect, within))


async def _patiently(attempt: Callable[[], Awaitable[T]], within: float) -> T | None:
    """Try until it works; None when it did not in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            while True:
                with suppress(OSError):
                    return await attempt()
                await asyncio.sleep(AGAIN)
    return None
