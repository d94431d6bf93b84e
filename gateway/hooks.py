"""Webhooks of the forge: whether one is believed, and what it leads to.

All that it leads to is that the runner looks at its repository soon. What the forge says happened is
never acted on; git says what is there.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from forges.errors import DeliveryError, DeliveryTooLargeError, WebhookError
from forges.forge import Kind
from forges.webhooks import Delivery, Event, verify_webhook
from gateway.errors import (
    BadRequestError,
    NotFoundError,
    RequestError,
    TooLargeError,
    UnavailableError,
    WebhookRefusedError,
    WebhookReplayedError,
)
from gateway.store import Store
from settings.errors import SettingsError
from settings.forge import ForgeFields, read_secret
from state_index.index import Index
from state_index.nudge import Nudge
from state_index.repository import LISTENER
from telemetry.logs import get_logger

_TAKEN = frozenset({Event.PUSH, Event.PULL_REQUEST})
"""Of a pull request, `branch` is the one that it is to be merged into."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Takes webhooks.

    Attributes:
        settings: Which forge and repository, and where the secret is.
        index: Where a look is asked for.
        store: Knows what was taken before.
        nudge: Wakes the runner.
        now: The clock, seconds since 1970.
    """

    settings: ForgeFields
    index: Index
    store: Store
    nudge: Nudge
    now: Callable[[], float]

    async def take(self, kind: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Take one delivery.

        Args:
            kind: The forge that the address names.
            headers: Of the request.
            body: The very bytes.

        Returns:
            Whether the repository is looked at for it: not for other branches and events.

        Raises:
            NotFoundError: No webhooks of this forge are expected.
            WebhookRefusedError: Its signature is not one of ours.
            WebhookReplayedError: It was taken before.
            BadRequestError: It is signed, and not what the forge sends.
            TooLargeError: It is longer than any forge sends.
            UnavailableError: The secret can't be read, or nothing could be asked for.
        """
        # A file is read, and megabytes of a stranger's are hashed: not where all others wait.
        delivery = await asyncio.to_thread(self._verified, kind, headers, body)
        if not await asyncio.to_thread(self.store.deliveries.admit, delivery.marks):
            raise WebhookReplayedError
        try:
            asked = await asyncio.to_thread(self._ask, delivery)
        except Exception:
            await asyncio.to_thread(self.store.deliveries.forget, delivery.marks)
            raise
        if asked:
            self.nudge.send(LISTENER)
        _log.info("webhook", about=delivery.event, delivery=delivery.id, asked=asked)
        return asked

    def _verified(self, kind: str, headers: Mapping[str, str], body: bytes) -> Delivery:
        path = self.settings.forge_webhook_secret_file
        if path is None or kind != self.settings.forge:
            raise NotFoundError
        try:
            secret = read_secret(path, setting_name="forge_webhook_secret_file")
        except SettingsError as error:
            _log.error("the webhooks' secret can't be read", problem=str(error))
            raise UnavailableError from None
        try:
            return verify_webhook(headers, body, secret, kind=Kind(kind), now=self.now)
        except WebhookError as error:
            _log.warning("webhook refused", kind=kind, problem=error.message)
            raise _refusal(error) from None

    def _ask(self, delivery: Delivery) -> bool:
        if not self._concerns_us(delivery):
            return False
        self.index.repository.ask()
        return True

    def _concerns_us(self, delivery: Delivery) -> bool:
        ours = self.settings.forge_repository.casefold()
        if delivery.event not in _TAKEN or delivery.sha is None:
            return False
        if ours and delivery.repository.casefold() != ours:
            return False
        # A runner that never followed anything yet is asked in any case.
        return self.index.repository.followed().branch in {"", delivery.branch}


def _refusal(error: WebhookError) -> RequestError:
    """Say no more to a stranger than that the signature is wrong."""
    if isinstance(error, DeliveryTooLargeError):
        return TooLargeError()
    if isinstance(error, DeliveryError):
        return BadRequestError(f"{error.message[:1].upper()}{error.message[1:]}.")
    return WebhookRefusedError()
