"""Tells the forge what is held back of commits of the branch, and what is not any more."""

import asyncio
from collections.abc import Iterable

from forges.errors import ForgeError, ForgeNotFoundError, InputRefusedError
from forges.forge import Forge
from stacks.board import Board, translated
from stacks.errors import NotLeadingError, StacksError
from stacks.pulls import posting
from state_index.reviews import Held, Told
from telemetry.logs import get_logger

_log = get_logger(__name__)


class Reports:
    """The statuses that were set; the index knows them, so that none is forgotten by a restart."""

    def __init__(self, board: Board) -> None:
        """Prepare.

        Args:
            board: The index.
        """
        self._board = board

    async def held(self) -> list[Held]:
        """Give what is held back.

        Raises:
            PublishFailedError: The index can't be read.
        """
        with translated():
            return await asyncio.to_thread(self._board.reviews.holds)

    async def guarded(self, forge: Forge) -> None:
        """Tell; what the forge does not take holds up nothing else, and is told later."""
        try:
            await self.tell(forge)
        except NotLeadingError:
            raise
        except (ForgeError, StacksError) as error:
            _log.warning("what is held not told to the forge", message=error.message)

    async def tell(self, forge: Forge) -> None:
        """Set the status of each commit that is held, or was.

        Raises:
            ForgeError: The forge did not take it.
            PublishFailedError: The index can't be read.
        """
        held = await self.held()
        with translated():
            told = await asyncio.to_thread(self._board.reviews.told)
        for commit in sorted({each.commit for each in held} | told.keys()):
            mine = [each for each in held if each.commit == commit and not each.passing]
            if (news := _news(told.get(commit), commit, mine, held)) is not None:
                await self._one(forge, news, mine)

    async def _one(self, forge: Forge, news: Told, mine: list[Held]) -> None:
        try:
            await posting.report(forge, news.commit, mine)
        except (InputRefusedError, ForgeNotFoundError) as error:  # of one that is gone there
            _log.warning("status not set", commit=news.commit, message=error.message)
            return
        with translated():
            await asyncio.to_thread(self._board.reviews.tell, news)


def _news(
    before: Told | None, commit: str, mine: Iterable[Held], held: Iterable[Held]
) -> Told | None:
    """Give what the forge is to be told of a commit; None where that is nothing new. Pure."""
    words = posting.hash_of(*(f"{each.workspace_id} {each.message}" for each in mine))
    workspaces = frozenset(each.workspace_id for each in mine)
    news = Told(commit=commit, words=words, workspaces=workspaces)
    if workspaces:
        return None if before is not None and before.words == words else news
    # A later commit may do the same, and be held for it.
    later = before.workspaces & {each.workspace_id for each in held} if before else None
    return news if later is not None and not later else None
