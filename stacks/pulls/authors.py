"""Who wants a pull request: who opened it; of one that the runner opened for an edit, who asked for that.

An edit in the portal becomes a pull request in the name of the runner's own account, which owns nothing.
The runner has looked whether whoever asked may do that, and keeps which commit and which page came of it.
"""

import asyncio

from forges.forge import PullRequest
from stacks.board import Board, translated
from stacks.edits.decide import OPERATOR
from stacks.edits.words import edit_of
from state_index.edits import Edit

PATIENCE = 5.0
"""Seconds that an edit may take from its pull request's opening to its own end."""

LOOK_EVERY = 0.05


async def author(pull: PullRequest, *, kind: str, board: Board) -> str:
    """Give who wants it: an owner's own name where an edit tells it, else `forge:login`.

    "" stands for an operator, who typed `codehub rollback` and is asked for no right.

    Args:
        pull: The pull request.
        kind: Which forge.
        board: The index.

    Raises:
        PublishFailedError: The index can't be read.
    """
    edit_id = "" if pull.from_fork else edit_of(pull.head_ref)
    edit = await _ended(edit_id, board) if edit_id else None
    if edit is None or not became(edit, pull):
        return f"{kind}:{pull.author}"
    return "" if edit.actor.startswith(OPERATOR) else edit.actor


def became(edit: Edit, pull: PullRequest) -> bool:
    """Whether a pull request is what an edit became, and nobody pushed to it since. Pure."""
    return edit.status == "done" and (edit.url, edit.commit) == (pull.url, pull.head_sha)


async def _ended(edit_id: str, board: Board) -> Edit | None:
    """Read an edit; one that is just being ended is waited for."""
    for _ in range(round(PATIENCE / LOOK_EVERY)):
        with translated():
            edit = await asyncio.to_thread(board.edits.get, edit_id)
        if edit is None or edit.status in {"done", "failed"}:
            return edit
        await asyncio.sleep(LOOK_EVERY)
    return None
