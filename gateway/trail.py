"""Writes the audit log from the event loop, and keeps one client from filling it.

The same refusal of the same visitor is written once a minute. A log that can't be written is said
in the telemetry and stops nobody: logins must not depend on a full disk.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from gateway.errors import StoreError
from gateway.store import Audit, AuditEvent
from telemetry.logs import get_logger

OF_EDITS: Final = {
    "create": AuditEvent.CREATE,
    "change": AuditEvent.CHANGE,
    "delete": AuditEvent.DELETE,
}
"""What is written of changes of files that are asked for."""

_AGAIN_SECONDS: Final = 60.0
_REMEMBERED_MAX: Final = 1000

_log = get_logger(__name__)


class Trail:
    """The audit log as request handlers use it."""

    def __init__(self, audit: Audit, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._audit = audit
        self._monotonic = monotonic
        self._refused: dict[tuple[str, ...], float] = {}

    async def add(
        self,
        event: AuditEvent,
        *,
        user: str,
        address: str,
        request_id: str,
        workspace: str = "",
        detail: str = "",
    ) -> None:
        """Write one row; it never raises for a store that does not answer."""
        row = {"user": user, "workspace": workspace, "address": address}
        await asyncio.to_thread(self._write, event, row, detail, request_id)

    async def refused(
        self, *, user: str, workspace: str, code: str, address: str, request_id: str
    ) -> None:
        """Write that somebody was refused something, unless that was just written."""
        if self._is_news(user, workspace, code, address):
            await self.add(
                AuditEvent.REFUSED,
                user=user,
                workspace=workspace,
                address=address,
                detail=code,
                request_id=request_id,
            )

    def refused_soon(self, *, user: str, workspace: str, code: str, request_id: str) -> None:
        """Write the same without waiting, for where nothing may wait; the address is left out."""
        if self._is_news(user, workspace, code, ""):
            row = {"user": user, "workspace": workspace}
            loop = asyncio.get_running_loop()
            loop.run_in_executor(None, self._write, AuditEvent.REFUSED, row, code, request_id)

    def _is_news(self, *what: str) -> bool:
        now = self._monotonic()
        if self._refused.get(what, 0.0) > now:
            return False
        if len(self._refused) >= _REMEMBERED_MAX:
            self._refused.clear()
        self._refused[what] = now + _AGAIN_SECONDS
        return True

    def _write(self, event: AuditEvent, row: dict[str, str], detail: str, request_id: str) -> None:
        try:
            self._audit.add(event, **row, detail=detail, request_id=request_id)
        except StoreError as error:
            _log.error("audit_not_written", event_kind=str(event), problem=str(error))
