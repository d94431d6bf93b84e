"""Writes what is said of a pull request and of a held commit to the forge. Words only; nothing is decided."""

import hashlib
from collections.abc import Iterable

from forges.forge import Forge, State
from stacks.review import verdict
from stacks.review.markdown import markdown
from stacks.review.model import Review
from state_index.reviews import Held

MARKER = "preview"
PREVIEW = "codehub/preview"
"""Context of the status of a pull request."""
REVIEW = "codehub/review"
"""Context of the status of a commit that was merged."""
NOTHING_HELD = "nothing of it is held back"
UNREADABLE = "the runner can't read this commit: see its log"


def hash_of(*texts: str) -> str:
    """Tell texts from others."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


async def post(forge: Forge, number: int, review: Review, live: str) -> None:
    """Write both sections of the comment, and the status of the commit.

    Raises:
        ForgeError: The forge did not take it.
    """
    head = review.head
    await forge.comment(number, markdown(review), marker=MARKER, section="files", head=head)
    if live:
        await forge.comment(number, live, marker=MARKER, section="live", head=head)
    bad = review.invalid or review.refused
    state = State.FAILURE if bad else State.SUCCESS
    await forge.status(head, state, context=PREVIEW, description=verdict.line(review))


def words(review: Review, live: str) -> str:
    """Give the hash of what is posted."""
    return hash_of(markdown(review), live)


async def report(forge: Forge, commit: str, held: Iterable[Held]) -> None:
    """Say on a commit of the branch what is held back of it.

    Raises:
        ForgeError: The forge did not take it.
    """
    told = [f"{each.workspace_id}: {each.message}" for each in held if not each.passing]
    state = State.FAILURE if told else State.SUCCESS
    await forge.status(commit, state, context=REVIEW, description="; ".join(told) or NOTHING_HELD)
