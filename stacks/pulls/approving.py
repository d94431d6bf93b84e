"""Who may approve what is held back: whom the files of owners name, as they were before its commit."""

from policies.edits import may_approve
from stacks.pulls.fleets import Fleets
from stacks.review.ruled import person
from stacks.rulebook import owners_of
from state_index.reviews import Held


def refusal(fleets: Fleets, who: str, held: Held) -> str:
    """Say why somebody may not approve what is held; "" where that is allowed.

    Args:
        fleets: Reads commits.
        who: `forge:login`, or `cli:` and the system's user, who goes by the name of an owner.
        held: What is held.

    Raises:
        GitError: The copy can't be read.
    """
    files = fleets.rules(held.base)
    if files.broken:
        return (
            f"who may approve can't be told: a file of owners or rules of {held.base[:12]} is wrong"
        )
    verdict = may_approve(owners_of(files.owners), person(files, who), workspace=held.workspace_id)
    return verdict.message
