"""The tables of rules that runners loaded, and those of bridges that are gone.

A table counts by the mark that `stacks.isolation.rules` puts into it, not by its name alone. It is
removed by its handle: one that was loaded anew meanwhile has another.
"""

import json
import re
from typing import Any

from stacks.errors import RulesRefusedError
from stacks.fence import Fence
from stacks.gc.model import Table
from stacks.isolation import nft
from stacks.isolation.rules import TABLE_PREFIX

FAMILY = "inet"
_MARKED = re.compile(r'iifname != "(?P<interface>[^"]+)" accept comment "rules [0-9a-f]{16}"')


async def look() -> tuple[Table, ...]:
    """List the tables that bear our mark; none where we may not look."""
    told, _ = await nft.run("-j", "list", "tables")
    found = []
    for name, handle in named(told):
        text, _ = await nft.run("list", "table", FAMILY, name)
        if interface := marked(text):
            here = nft.is_here(interface)
            found.append(Table(name=name, handle=handle, interface=interface, is_here=here))
    return tuple(found)


async def remove(handle: str, *, fence: Fence) -> None:
    """Remove a table; gone already is fine.

    Raises:
        NotLeadingError: We may not.
        RulesRefusedError: The kernel did not let us.
    """
    fence.check("gc")
    _, problem = await nft.run("delete", "table", FAMILY, "handle", handle)
    told, _ = await nft.run("-j", "list", "tables")
    if problem and int(handle) in {each for _, each in named(told)}:
        raise RulesRefusedError(f"the table was not removed: {problem}", step="gc")


def named(told: str) -> tuple[tuple[str, int], ...]:
    """Read nft's list of tables: name and handle of those whose name may be ours. Pure."""
    try:
        listed: list[dict[str, Any]] = json.loads(told)["nftables"]
    except (ValueError, KeyError):
        return ()
    tables = [each["table"] for each in listed if "table" in each]
    return tuple(
        (table["name"], int(table["handle"]))
        for table in tables
        if table["family"] == FAMILY and table["name"].startswith(TABLE_PREFIX)
    )


def marked(text: str) -> str:
    """Give the interface that a table of ours is for; "" when all of its chains do not say the same."""
    chains = text.count("\tchain ")
    found = [each["interface"] for each in _MARKED.finditer(text)]
    return found[0] if found and len(set(found)) == 1 and len(found) == chains else ""
