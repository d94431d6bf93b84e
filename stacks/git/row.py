"""What the index says of the followed repository, as its source reads and writes it. Decides nothing."""

import asyncio

from stacks.board import Board, translated
from stacks.git.place import Place, place_of
from state_index.repository import Followed, Wishes


class Row:
    """The rows of one place: of another repository, branch or folder, nothing that was said holds."""

    def __init__(self, board: Board, place: Place) -> None:
        """Prepare.

        Args:
            board: Has the index.
            place: Which files are followed.
        """
        self._board = board
        self._place = place

    async def known(self) -> tuple[Wishes, Followed]:
        """Give what is asked, and what was said.

        Raises:
            PublishFailedError: The index can't be read.
        """

        def both() -> tuple[Wishes, Followed]:
            with translated():
                return self._board.repository.wishes(), self._board.repository.followed()

        return await asyncio.to_thread(both)

    def is_of_place(self, followed: Followed) -> bool:
        """Whether what was said is of the files that are followed now."""
        return place_of(followed) == self._place

    async def head(self, commit: str) -> None:
        """Say that the repository answered, and what its branch is."""
        with translated():
            await asyncio.to_thread(self._board.repository.tell, head=commit)

    async def error(self, error: str) -> None:
        """Say what is the matter, "" for nothing."""
        with translated():
            await asyncio.to_thread(self._error, error)

    async def base(self, commit: str) -> None:
        """Say that a commit may remove workspaces, and those that come after it."""
        with translated():
            await asyncio.to_thread(self._base, commit)

    async def asked(self, commit: str, waiting: tuple[str, ...]) -> None:
        """Say that someone asked for a commit, which counts from now on, also for the next runner."""
        with translated():
            await asyncio.to_thread(self._asked, commit, waiting)

    def _error(self, error: str) -> None:
        repository, place = self._board.repository, self._place
        if place_of(repository.followed()) == place:
            repository.tell(error=error)
            return
        repository.tell(
            url=place.url,
            branch=place.branch,
            path=place.path,
            error=error,
            attempted="",
            applied="",
            base="",
            waiting=(),
            failures={},
        )

    def _base(self, commit: str) -> None:
        self._error("")
        self._board.repository.tell(base=commit)

    def _asked(self, commit: str, waiting: tuple[str, ...]) -> None:
        self._error("")
        if self._board.repository.followed().attempted != commit:
            self._board.repository.tell(attempted=commit, waiting=waiting, failures={})
