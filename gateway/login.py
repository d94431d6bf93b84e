"""Logging in and out: throttle, password, session, audit, in this order.

Unknown names, disabled accounts and wrong passwords get the same answer after the same work.
"""

import asyncio
from dataclasses import dataclass

from gateway.errors import LoginFailedError, ThrottledError
from gateway.passwords import Verifier, too_long
from gateway.sessions import Sessions
from gateway.store import AuditEvent, Credentials, Store
from gateway.throttle import LoginThrottle
from gateway.trail import Trail
from telemetry.logs import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """From where somebody logs in or out.

    Attributes:
        address: The client's address, as far as it can be believed.
        user_agent: What the browser calls itself.
        token: The session id that the browser holds, if any.
        request_id: The request.
    """

    address: str
    user_agent: str
    token: str | None
    request_id: str


class Logins:
    """Turns names and passwords into sessions."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        throttle: LoginThrottle,
        verifier: Verifier,
        trail: Trail,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._throttle = throttle
        self._verifier = verifier
        self._trail = trail

    async def log_in(self, name: str, password: str, caller: Caller) -> tuple[str, Credentials]:
        """Begin a session.

        Returns:
            The new session's id, for the cookie, and whose it is.

        Raises:
            LoginFailedError: Name and password don't belong to an enabled account.
            ThrottledError: There were too many attempts.
            UnavailableError: Too many logins are being checked.
            StoreUnavailableError: The store does not answer.
        """
        account = name.strip().lower()
        wait = self._throttle.attempt(account, caller.address)
        if wait:
            _log.warning("login_throttled", address=caller.address, wait=wait)
            raise ThrottledError(headers={"Retry-After": str(wait)}, details={"seconds": wait})
        found = await asyncio.to_thread(self._store.users.credentials, account)
        begun = await self._begin(found, password, caller)
        if found is None or begun is None:
            await self._note(AuditEvent.LOGIN_REFUSED, found, caller)
            raise LoginFailedError
        self._throttle.succeeded(account, caller.address)
        await self._note(AuditEvent.LOGIN, found, caller)
        return begun, found

    async def log_out(self, user: str, caller: Caller) -> None:
        """End the caller's session and close its connections.

        Raises:
            StoreUnavailableError: The store does not answer; the session goes on.
        """
        if caller.token is None or not await self._sessions.end(caller.token):
            return
        await self._trail.add(
            AuditEvent.LOGOUT, user=user, address=caller.address, request_id=caller.request_id
        )

    async def _begin(self, found: Credentials | None, password: str, caller: Caller) -> str | None:
        checked = "" if too_long(password) else password
        stored = found.password_hash if found else None
        matches = await self._verifier.verify(stored, checked)
        if found is None or not matches or found.user.disabled:
            return None
        return await self._sessions.begin(
            found, user_agent=caller.user_agent, replaces=caller.token
        )

    async def _note(self, event: AuditEvent, found: Credentials | None, caller: Caller) -> None:
        # A name without an account is not written: people type passwords into name fields.
        user = found.user.name if found else ""
        _log.info(str(event), user=user, address=caller.address)
        await self._trail.add(
            event, user=user, address=caller.address, request_id=caller.request_id
        )
