"""Puts the tables together and opens them by the settings."""

import time
from collections.abc import Callable
from typing import Final, Self

from sqlalchemy import text

from gateway.store.audit import Audit
from gateway.store.database import Database, is_made
from gateway.store.deliveries import Deliveries
from gateway.store.sessions import SessionTable
from gateway.store.users import Users
from settings.model import GatewaySettings

PRUNED_AT_ONCE: Final = 500
"""Rows of each table that one transaction removes at most: some milliseconds."""


class Store:
    """The gateway's database.

    Attributes:
        users: Accounts.
        sessions: Who is logged in.
        audit: Who did what.
        deliveries: Webhooks that were taken.
    """

    def __init__(self, url: str, *, idle: float, now: Callable[[], float] = time.time) -> None:
        """Open the database, and make or migrate its tables.

        Args:
            url: An SQLAlchemy URL.
            idle: Seconds without a request after which a session is over.
            now: The clock, seconds since 1970.

        Raises:
            StoreUnavailableError: It can't be opened or migrated.
        """
        self._database = Database(url)
        self._now = now
        self.users = Users(self._database, now=now)
        self.sessions = SessionTable(self._database, idle=idle)
        self.audit = Audit(self._database, now=now)
        self.deliveries = Deliveries(self._database, now=now)

    def check(self) -> None:
        """Read a little, to see that the database answers.

        Raises:
            StoreUnavailableError: It does not.
        """
        with self._database.read() as session:
            session.execute(text("SELECT count(*) FROM alembic_version"))

    def prune(self, *, keep: float, limit: int = PRUNED_AT_ONCE) -> bool:
        """Remove some of the sessions that are over, and of audit rows and deliveries that are too old.

        Args:
            keep: Seconds for which audit rows are kept.
            limit: Rows of each table that go at most.

        Returns:
            Whether there may be more to remove.

        Raises:
            StoreUnavailableError: The store can't be written.
        """
        sessions = self.sessions.prune(now=self._now(), limit=limit)
        rows = self.audit.prune(keep=keep, limit=limit)
        deliveries = self.deliveries.prune(limit=limit)
        return max(sessions, rows, deliveries) == limit

    def close(self) -> None:
        """Close every connection to the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(settings: GatewaySettings, *, now: Callable[[], float] = time.time) -> Store:
    """Open the store that the settings name; close it, or use it as a context manager.

    Raises:
        StoreUnavailableError: It can't be opened or migrated.
    """
    return Store(settings.store_url, idle=settings.session_idle, now=now)


def logins(settings: GatewaySettings) -> frozenset[str]:
    """Name the accounts that may log in; nothing is made or migrated where there are none yet.

    Raises:
        StoreUnavailableError: The store can't be read.
    """
    if not is_made(settings.store_url):
        return frozenset()
    with open_store(settings) as store:
        return frozenset(user.name for user in store.users.list() if not user.disabled)
