"""Tells of a removal that was cut off within the engine whether the home went. Reading only.

The ledger says which homes an engine was told to remove. That such a one is not seen proves nothing:
under another name prefix, or on another engine, none is. It is gone where that very engine has no
volume of its name.
"""

from stacks.ledger_entries import Entry, gone
from stacks.power import Power


async def settled(entry: Entry | None, power: Power) -> Entry | None:
    """Give the entry with those homes as removed that surely are.

    Raises:
        EngineUnavailableError: The engine does not answer.
    """
    if entry is None or not entry.removing or not entry.engine:
        return entry
    if entry.engine != await power.identity():
        return entry
    names = [name for name in entry.removing if await power.named("volume", name) is None]
    return gone(entry, names)
