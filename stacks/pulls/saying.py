"""Writes reviews to the forge, and keeps what was said: that is what a merge is held to."""

import asyncio
from dataclasses import replace

from forges.forge import Forge
from stacks.board import Board, translated
from stacks.pulls import judge, posting, trailers
from stacks.pulls.reviewing import Made
from stacks.review import changeset, verdict
from stacks.review.changeset import ChangeSet
from stacks.review.model import Review
from state_index.reviews import Reviewed
from telemetry.logs import get_logger

_log = get_logger(__name__)


async def say(
    board: Board, forge: Forge, number: int, made: Made, told: str, *, trailer: bool
) -> bool:
    """Write it, unless the forge has it already; what counts as reviewed is what was written.

    Args:
        board: The index.
        forge: The forge.
        number: The pull request.
        made: Its review.
        told: Words of what is there; "" for none.
        trailer: Whether it ever held words that would be a trailer of its merge.

    Returns:
        Whether it counts as reviewed.

    Raises:
        ForgeError: The forge did not take it.
        PublishFailedError: The index can't be read or written.
    """
    review, posted = made.review, posting.words(made.review, told)
    with translated():
        said = await asyncio.to_thread(board.reviews.said, number)
    trailer = trailer or (said is not None and said.trailer)
    mine = (review.head, posted, trailer)
    if said is not None and (said.head, said.posted, said.trailer) == mine:
        return True
    await posting.post(forge, number, review, told)
    now = await forge.pull(number)
    trailer = trailer or trailers.is_in(now.text)
    if now.merged or now.head_sha != review.head:
        # Whoever merged it did not see this; and of an earlier commit, the forge has the words no more.
        if said is not None:
            await _keep(board, replace(said, posted="", trailer=trailer))
        elif trailer:
            await saw_trailer(board, number)
        return False
    news = Reviewed(
        number=number,
        head=review.head,
        base=review.base,
        change_set=_kept(said, review).to_json(),
        posted=posted,
        trailer=trailer,
    )
    await _keep(board, news)
    _log.info("reviewed", pull=number, head=review.head, told=verdict.line(review))
    return True


async def saw_trailer(board: Board, number: int) -> None:
    """Keep that a pull request holds words that would be a trailer of its merge, whatever is said of it.

    Args:
        board: The index.
        number: The pull request.

    Raises:
        PublishFailedError: The index can't be written.
    """
    with translated():
        await asyncio.to_thread(board.reviews.mark_trailer, number)


async def _keep(board: Board, news: Reviewed) -> None:
    with translated():
        await asyncio.to_thread(board.reviews.say, news)


def _kept(said: Reviewed | None, review: Review) -> ChangeSet:
    """Give what is said of a commit, with what was said of the same one before. Pure."""
    now = changeset.of(review)
    if said is None or said.head != review.head:
        return now
    try:
        before = ChangeSet.from_json(said.change_set)
    except ValueError:  # of another release
        return now
    return both(before, now)


def both(before: ChangeSet, now: ChangeSet) -> ChangeSet:
    """Give what two reviews of one commit said: of each workspace the worse. Pure.

    The branch may have the commit's change by now, squashed or rebased, before the forge tells of the
    merge: then a further review finds less, or nothing, and what was said must go on counting.

    Args:
        before: What was said.
        now: What is said against a later commit of the branch.
    """
    if not now.workspaces:
        return before
    return replace(judge.worst([before.workspaces, now.workspaces]), hash=now.hash)
