"""How the parts of the index reach its database: who may write what."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import sqlalchemy as sa

Transaction = Callable[[], AbstractContextManager[sa.Connection]]


class Shared:
    """Rows that runner and gateways both write, each its own; the base of such parts."""

    def __init__(
        self,
        *,
        read: Transaction,
        write: Transaction,
        ask: Transaction,
        now: Callable[[], datetime],
    ) -> None:
        """Prepare.

        Args:
            read: begins to read.
            write: begins to write what the runner says or does: fenced.
            ask: begins to write what is asked: by anyone.
            now: the clock.
        """
        self._read = read
        self._write = write
        self._ask = ask
        self._now = now
