"""Webhooks that were taken, so that none is taken twice: by any gateway, before or after a restart."""

from collections.abc import Callable, Iterable
from typing import Final

from sqlalchemy import delete, select

from gateway.store.database import Database
from gateway.store.tables import DeliveryRow

KEPT: Final = 30 * 24 * 3600.0
"""Seconds for which a delivery is known; a later replay would only have the repository looked at."""


class Deliveries:
    """The newest deliveries, by their marks."""

    def __init__(self, database: Database, *, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def admit(self, marks: Iterable[str]) -> bool:
        """Take a delivery; False when one with any of its marks was taken before."""
        wanted = sorted(set(marks))
        with self._database.write() as session:
            known = select(DeliveryRow.mark).where(DeliveryRow.mark.in_(wanted))
            if session.scalars(known).first() is not None:
                return False
            session.add_all(DeliveryRow(mark=mark, at=self._now()) for mark in wanted)
            return True

    def forget(self, marks: Iterable[str]) -> None:
        """Let a delivery come again, because what it asked for could not be done."""
        with self._database.write() as session:
            session.execute(delete(DeliveryRow).where(DeliveryRow.mark.in_(sorted(set(marks)))))

    def prune(self, *, limit: int) -> int:
        """Remove the oldest of those that are too old, so many at most; how many went."""
        old = select(DeliveryRow.mark).where(DeliveryRow.at < self._now() - KEPT)
        return self._database.remove(DeliveryRow.mark, old.order_by(DeliveryRow.at).limit(limit))
