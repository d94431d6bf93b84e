"""Tries from inside, with a control for each way: what `verdict` judges.

Two containers like workspaces, for one or two seconds: one tries the other and this machine. The
controls go by allowed ways at the same time: from this machine to both, here to our own listeners,
and over the run folders' sockets.
"""

import asyncio
import secrets
import stat
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiodocker

from settings.types import Gap
from stacks.isolation import hosts
from stacks.isolation.bridge import Bridge
from stacks.isolation.containers import Cell, Inmate, inmate
from stacks.isolation.rules import METADATA_ADDRESS
from stacks.isolation.verdict import Attempt, Seen

PATIENCE = 1.0
"""Seconds that the probe waits for a connection: the kernel of the same machine makes one in microseconds."""

METADATA_PORT = 80
ENGINE_PORT = 2375
PING = b"GET /_ping HTTP/1.0\r\nHost: localhost\r\n\r\n"
MAX_ANSWER = 1024


@dataclass(frozen=True, kw_only=True)
class Way:
    """One address to try from inside, and how it is reached by an allowed way.

    Attributes:
        gap: What it is about.
        address: As it is tried.
        host: Address for the control, with its interface where it needs one.
        port: Its port.
        patience: Seconds for the control.
    """

    gap: Gap
    address: str
    host: str
    port: int
    patience: float = hosts.PATIENCE


async def observe(docker: aiodocker.Docker, *, bridge: Bridge, cell: Cell, engine: str) -> Seen:
    """Try all ways once.

    Args:
        docker: The engine.
        bridge: The network.
        cell: What a workspace has.
        engine: The engine's address, as a URL.

    Raises:
        StacksError: The probe could not be started or did not answer.
    """
    async with AsyncExitStack() as exits:
        one, other = await _both(exits, docker, cell)
        state, peer = await asyncio.gather(one.ready(), other.ready())
        ipv6 = any(":" in address for address in state["addresses"])
        own = hosts.own_addresses(bridge, ipv6=ipv6)
        token = secrets.token_hex(8)
        doors = await exits.enter_async_context(hosts.listening(own, bridge.interface, token))
        ways = (
            *_to_workspace(peer, bridge),
            *_to_host(doors, own, bridge),
            *_to_engine(engine),
            _to_metadata(),
        )
        linked = asyncio.gather(*(_reach(way) for way in _to_workspace(state, bridge)))
        tried, reached, links, answer = await asyncio.gather(
            one.ask("POST", "/try", _tasks(ways, other)),
            asyncio.gather(*(_reach(way) for way in ways)),
            linked,
            _ping(engine),
        )
        return Seen(
            dialled=tuple(map(_attempt, tried["dialled"])),
            sockets=tuple(map(_attempt, tried["sockets"])),
            reached={way.address: held for way, held in zip(ways, reached, strict=True)},
            linked=bool(links) and all(links),
            ipv6=ipv6,
            own=one.token,
            other=other.token,
            engine=answer,
            run_open=bool(cell.run.stat().st_mode & stat.S_IRWXO),
            named=all(each["connected"] for each in tried["resolved"]),
        )


async def _both(
    exits: AsyncExitStack, docker: aiodocker.Docker, cell: Cell
) -> tuple[Inmate, Inmate]:
    """Start two at once; when one fails, the other is removed all the same."""
    entering = (exits.enter_async_context(inmate(docker, cell, kind)) for kind in ("one", "other"))
    one, other = await asyncio.gather(*entering, return_exceptions=True)
    if isinstance(one, BaseException):
        raise one
    if isinstance(other, BaseException):
        raise other
    return one, other


def _to_workspace(peer: Any, bridge: Bridge) -> list[Way]:
    return [
        Way(
            gap=Gap.WORKSPACE_IPV6 if ":" in host else Gap.WORKSPACE_IPV4,
            address=hosts.at(host, peer["port"]),
            host=hosts.zoned(host, bridge.interface),
            port=peer["port"],
        )
        for host in peer["addresses"]
    ]


def _to_host(doors: tuple[tuple[str, int], ...], own: tuple[str, ...], bridge: Bridge) -> list[Way]:
    """Give a way for each of our addresses; where we could not listen, one whose control fails."""
    ports = dict(doors)
    return [
        Way(
            gap=Gap.HOST_IPV6 if ":" in host else Gap.HOST_IPV4,
            address=hosts.at(host, ports.get(host, 1)),
            host=hosts.zoned(host, bridge.interface),
            port=ports.get(host, 1),
            patience=hosts.PATIENCE if host in ports else PATIENCE,
        )
        for host in own
    ]


def _to_engine(engine: str) -> list[Way]:
    """An engine that listens on an address could be reached by it, besides by its socket."""
    parts = urlsplit(engine)
    if parts.scheme == "unix" or not parts.hostname:
        return []
    port = parts.port or ENGINE_PORT
    return [
        Way(
            gap=Gap.ENGINE_SOCKET,
            address=hosts.at(parts.hostname, port),
            host=parts.hostname,
            port=port,
        )
    ]


def _to_metadata() -> Way:
    host = str(METADATA_ADDRESS)
    return Way(
        gap=Gap.METADATA,
        address=hosts.at(host, METADATA_PORT),
        host=host,
        port=METADATA_PORT,
        patience=PATIENCE,
    )


async def _reach(way: Way) -> bool:
    return await hosts.reaches(way.host, way.port, within=way.patience)


def _tasks(ways: tuple[Way, ...], other: Inmate) -> dict[str, Any]:
    return {
        "milliseconds": round(PATIENCE * 1000),
        "dial": [{"name": way.gap, "address": way.address} for way in ways],
        "resolve": [other.name],
    }


def _attempt(data: Any) -> Attempt:
    gap = None if data["name"] == "socket" else Gap(data["name"])
    return Attempt(
        gap=gap,
        address=data["address"],
        connected=data["connected"],
        said=data["said"],
        failure=data["failure"],
    )


async def _ping(engine: str) -> str:
    """Ask the engine what the probe asks every socket: so its answer would be known."""
    parts = urlsplit(engine)
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            if parts.scheme == "unix":
                reader, writer = await asyncio.open_unix_connection(parts.path)
            else:
                reader, writer = await asyncio.open_connection(
                    parts.hostname, parts.port or ENGINE_PORT
                )
            writer.write(PING)
            said = await reader.read(MAX_ANSWER)
            writer.close()
            return said.decode(errors="replace")
    return ""
