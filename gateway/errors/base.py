"""The bases of this room's errors, and those that are no answers to requests."""

from collections.abc import Mapping
from typing import Any, ClassVar


class GatewayError(Exception):
    """Base of every error that this room raises on purpose."""


class ListenError(GatewayError):
    """The address can't be listened on; the message says why and what to do."""


class StoreError(GatewayError):
    """Base of what can go wrong with accounts and their database."""


class StoreUnavailableError(StoreError):
    """The store's database can't be opened, read or written."""


class InvalidUserNameError(StoreError):
    """The name is not one that an account may have."""


class WeakPasswordError(StoreError):
    """The password breaks the policy; the message says which rule."""


class UserExistsError(StoreError):
    """An account with this name is there already."""


class UnknownUserError(StoreError):
    """There is no account with this name."""


class RequestError(GatewayError):
    """An answer other than success, as the client will see it.

    Attributes:
        status: The HTTP status.
        code: The stable code of the envelope.
        message: One sentence for a person.
        details: More for a program; JSON values only.
        headers: Response headers that belong to the answer, such as `Retry-After`.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL"
    default: ClassVar[str] = "Something went wrong."

    def __init__(
        self,
        message: str = "",
        *,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or self.default
        self.details = dict(details or {})
        self.headers = dict(headers or {})
        super().__init__(self.message)

    def envelope(self, request_id: str) -> dict[str, Any]:
        """Return the body of the answer, the same for the whole API."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "details": self.details,
                "request_id": request_id,
            }
        }
