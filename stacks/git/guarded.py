"""Says which workspaces there are that a commit lacks. Pure.

Asked where the commit's history does not say that somebody removed them.
"""

from collections.abc import Mapping

from stacks import renames
from stacks.errors import StacksError
from stacks.planned import GONE
from stacks.power import Inventory
from stacks.source import Snapshot
from state_index.models import Published


def lacking(
    snapshot: Snapshot, rows: Mapping[str, Published], inventory: Inventory
) -> frozenset[str]:
    """Name the workspaces that would go, with their containers or with their homes' grace begun.

    Args:
        snapshot: What the commit says.
        rows: What is published; after an index was lost, nothing.
        inventory: What the engine has.
    """
    living = {id_ for id_, row in rows.items() if row.phase not in GONE}
    # A home with a row is a removed workspace's, or counted above; one without may be anybody's.
    unknown = inventory.homes.keys() - rows.keys()
    heirs = renames.heirs(snapshot, rows, inventory.containers.values())
    return frozenset((living | inventory.containers.keys() | unknown) - snapshot.ids - heirs.keys())


def rewritten(commit: str, base: str, lacking: int) -> str:
    """Say that nothing is removed by a commit, as it lacks so many workspaces."""
    return (
        f"{_came(commit, base)}, and lacks {lacking} workspace{'s' if lacking > 1 else ''} that "
        "there are: nothing is removed by it; is it meant: `codehub up --prune`"
    )


def unseen(commit: str, base: str, error: StacksError) -> str:
    """Say that nothing is removed by a commit, as it is not known what there is."""
    told = "what there is can't be seen, and nothing is removed by it"
    return f"{_came(commit, base)}, {told}: {error.message}"


def _came(commit: str, base: str) -> str:
    came = f"does not come after {base[:12]}" if base else "is the first one seen"
    return f"{commit[:12]} {came}"
