"""Looks at the ledger of graces from outside, for `codehub doctor`; reads, and knows no runner."""

from dataclasses import dataclass
from pathlib import Path

from stacks.ledger_entries import parse, torn_homes


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was found.

    Attributes:
        readable: Whether anything ends by it.
        detail: The same for a person.
        torn: Homes whose removal began and did not end.
    """

    readable: bool
    detail: str
    torn: tuple[str, ...] = ()


def look(path: Path) -> Look:
    """Read a ledger; one that is not there yet is fine."""
    try:
        entries, _ = parse(path.read_bytes())
    except FileNotFoundError:
        return Look(readable=True, detail="nothing was removed yet")
    except (OSError, ValueError) as error:
        return Look(readable=False, detail=f"{path} can't be read, so no home expires: {error}")
    counted = sum(bool(entry.removal) for entry in entries.values())
    detail = f"{counted} removed workspaces whose homes are kept for their grace"
    return Look(readable=True, detail=detail, torn=tuple(sorted(torn_homes(entries))))
