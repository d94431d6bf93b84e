"""Counts what bounds removals: the time that runners watched, and what they pruned lately.

Clocks jump, so a home's grace is not counted by them: it is time during which a runner looked, added
up over all runs. What was pruned is kept with its time, so that a restart does not forget it. Why:
docs/explanation/runner.md. It decides nothing: `stacks.tombstones` and `stacks.pruning` do.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from state_index.schema import grace_clock, prunes
from state_index.transactions import Transaction

_WATCHED = sa.select(grace_clock.c.watched)


class Removals:
    """The counts of one index; make it with `Index.removals`."""

    def __init__(
        self, *, read: Transaction, write: Transaction, now: Callable[[], datetime]
    ) -> None:
        self._read = read
        self._write = write
        self._now = now

    def watched(self) -> int:
        """Milliseconds that runners watched so far, over all runs."""
        with self._read() as connection:
            return connection.scalar(_WATCHED) or 0

    def watch(self, milliseconds: int) -> int:
        """Add to them; the new sum."""
        with self._write() as connection:
            more = grace_clock.c.watched + milliseconds
            connection.execute(sa.update(grace_clock).values(watched=more))
            return connection.scalar(_WATCHED) or 0

    def pruned(self, *, within: timedelta) -> frozenset[str]:
        """The workspaces that were pruned of late.

        What has a time to come counts too: the clock was put back since.
        """
        with self._read() as connection:
            return _since(connection, self._now() - within)

    def claim(self, workspace_id: str, *, most: int, within: timedelta) -> bool:
        """Count a workspace as pruned now, unless as many as allowed were; asking again is free.

        Args:
            workspace_id: the workspace.
            most: how many may be pruned within that time, this one included.
            within: the time.
        """
        with self._write() as connection:
            # Locked, so that of two who claim at once the second one counts the first.
            connection.execute(sa.select(grace_clock.c.id).with_for_update())
            since = self._now() - within
            found = _since(connection, since)
            if workspace_id in found:
                return True
            if len(found) >= most:
                return False
            connection.execute(sa.delete(prunes).where(prunes.c.at <= since))
            claimed = {"workspace_id": workspace_id, "at": self._now()}
            connection.execute(sa.insert(prunes).values(claimed))
            return True

    def give_back(self, workspace_id: str) -> None:
        """Count a workspace as not pruned after all: nothing of it was removed."""
        with self._write() as connection:
            connection.execute(sa.delete(prunes).where(prunes.c.workspace_id == workspace_id))


def _since(connection: sa.Connection, since: datetime) -> frozenset[str]:
    query = sa.select(prunes.c.workspace_id).where(prunes.c.at > since)
    return frozenset(connection.scalars(query))
