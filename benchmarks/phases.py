"""Waiting for a workspace's phase without taking much from the cores that are measured."""

import sqlite3
from pathlib import Path

from state_index.index import Index
from state_index.phases import Phase
from tests.hub import wait_for

POLL_SECONDS = 0.005


class Phases:
    """The published phases of one index on SQLite."""

    def __init__(self, file: Path) -> None:
        self._index = Index.open(f"sqlite:///{file}")
        self._writes = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)

    def wait(self, workspace: str, phase: Phase) -> None:
        """Wait for a phase, asking every few milliseconds whether anything was written.

        Reading the row each time would take from the cores what the floor has.
        """
        seen = -1

        def is_there() -> bool:
            nonlocal seen
            before, seen = seen, self._written()
            if seen == before:
                return False
            row = self._index.workspace(workspace)
            return row is not None and row.phase is phase

        wait_for(is_there, f"{workspace} {phase}", every=POLL_SECONDS)

    def _written(self) -> int:
        """Give a number that is another one after each write to the index."""
        return int(self._writes.execute("PRAGMA data_version").fetchone()[0])
