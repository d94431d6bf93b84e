"""Loads, lists and removes our table by the ``nft`` command. Nothing here decides on a rule.

Where it may not (no root, no nft, the bridge on another machine) it says so and changes nothing:
the probe then tells what is open.
"""

import asyncio
import hashlib
from pathlib import Path

from stacks.isolation.rules import Site, marker, render, table
from telemetry.logs import get_logger

TIMEOUT = 10.0
INTERFACES = Path("/sys/class/net")

_log = get_logger(__name__)


def is_here(interface: str) -> bool:
    """Whether an interface is in our own network namespace: else our nft would be the wrong one."""
    return (INTERFACES / interface).exists()


async def ensure(site: Site, *, known: str, seen: str | None = None) -> str:
    """See to it that our table is as it should be.

    Args:
        site: What the rules are about.
        known: What this gave when the table was last seen right; "" when it was not.
        seen: What `listed` gave just now; None to ask it.

    Returns:
        What tells this table from a changed one; "" when it could not be loaded.
    """
    if not is_here(site.interface):
        return ""
    if seen is None:
        seen = await listed(site)
    if seen and seen == known:
        return seen
    _, problem = await _nft("-f", "-", given=render(site))
    if problem:
        _log.debug("rules not loaded", problem=problem)
        # Perhaps an admin loaded them for us, and we may not even look.
        return seen
    return await listed(site)


async def listed(site: Site) -> str:
    """Give what tells the loaded table from a changed one; "" when it is not there, or older."""
    text, _ = await _nft("list", "table", "inet", table(site.network))
    return hashlib.sha256(text.encode()).hexdigest() if marker(site) in text else ""


async def remove(network: str) -> str:
    """Remove a network's table; give what kept us from it, "" when it is gone or was not there."""
    name = table(network)
    _, problem = await _nft("-f", "-", given=f"add table inet {name}\ndelete table inet {name}\n")
    return problem


async def run(*arguments: str, given: str = "") -> tuple[str, str]:
    """Run nft for somebody else; give what it printed, and what was wrong."""
    return await _nft(*arguments, given=given)


async def _nft(*arguments: str, given: str = "") -> tuple[str, str]:
    """Run nft; give what it printed, and what was wrong."""
    try:
        process = await asyncio.create_subprocess_exec(
            "nft",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        return "", f"nft: {error.strerror}"
    try:
        async with asyncio.timeout(TIMEOUT):
            out, told = await process.communicate(given.encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        return "", f"nft did not end within {TIMEOUT:g} s"
    if process.returncode == 0:
        return out.decode(), ""
    return "", " ".join(told.decode(errors="replace").split()) or "nft failed"
