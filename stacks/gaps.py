"""Gaps in the queue's work: keeps it off one workspace while something else is done about it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stacks.demand import Entry


class Gaps:
    """The gaps of one queue."""

    def __init__(self, entries: dict[str, Entry], begin: Callable[[str, Entry], None]) -> None:
        """Prepare.

        Args:
            entries: The queue's.
            begin: Has the queue work on an entry that wants something.
        """
        self._entries = entries
        self._begin = begin

    @property
    def busy(self) -> frozenset[str]:
        """The workspaces that are being worked on."""
        return frozenset(id_ for id_, entry in self._entries.items() if entry.task is not None)

    def is_wanted(self, workspace_id: str) -> bool:
        """Whether somebody asks something of a workspace, and it is no mere look."""
        entry = self._entries.get(workspace_id)
        return entry is not None and entry.demand is not None and not entry.demand.is_look

    @contextmanager
    def alone(self, workspace_id: str) -> Iterator[bool]:
        """Keep the queue off one workspace for a block; False where it is at work on it.

        What is wanted of the workspace meanwhile is done afterwards.
        """
        if workspace_id in self.busy:
            yield False
            return
        entry = self._entries.setdefault(workspace_id, Entry())
        entry.task = asyncio.current_task()
        try:
            yield True
        finally:
            entry.task = None
            if entry.demand is not None:
                self._begin(workspace_id, entry)
            elif entry == Entry():
                del self._entries[workspace_id]
