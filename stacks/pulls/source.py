"""A followed branch whose commits are held to their reviews."""

from collections.abc import AsyncIterator

from stacks.asking import Revision
from stacks.pulls.binding import Binding
from stacks.source import Snapshot, Source

ENOUGH = 10.0
"""Seconds that a command waits for the forge: what is harmless, and what was held before, goes on without it."""


class BoundSource:
    """A source that says of each reading what is held back of it; see `stacks.source.Source`."""

    def __init__(self, inner: Source, binding: Binding) -> None:
        """Prepare.

        Args:
            inner: What reads the branch.
            binding: What holds it to the reviews.
        """
        self._inner = inner
        self.binding = binding

    async def read(self) -> Snapshot:
        """Read what is so now; the forge is asked too, where it has to be."""
        return await self.binding.bound(await self._inner.read(), within=ENOUGH)

    async def glance(self) -> Snapshot:
        """Read what is known here; nobody is asked for it."""
        return await self.binding.bound(await self._inner.glance())

    async def settle(self) -> bool:
        """Ask the forge how those commits came of which that must be known; whether it said it."""
        return await self.binding.settle(await self._inner.glance())

    def changes(self) -> AsyncIterator[None]:
        """Yield when it may have changed."""
        return self._inner.changes()

    async def keep(self) -> None:
        """Keep looking for changes."""
        await self._inner.keep()

    async def ask(self, revision: Revision) -> str:
        """Have a commit of the branch count, where jobs say which does."""
        return await self._inner.ask(revision)

    async def allow(self) -> None:
        """Let what is there now remove workspaces: that somebody reviewed it is not meant by that."""
        await self._inner.allow()
