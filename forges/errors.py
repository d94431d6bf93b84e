"""The errors of this room. Nothing else leaves it.

    ForgeError                     code, message, hint
    ├── ForgeAddressError          the forge's address or the repository's name can't be used
    ├── ForgeUnreachableError      no connection, no answer in time, or the forge itself is failing
    ├── CredentialsRefusedError    the token is wrong, expired, or lacks a right
    ├── ForgeNotFoundError         no such repository, pull request or commit, or not for this token
    ├── RateLimitedError           too many requests; `retry_after` says in how many seconds again
    ├── InputRefusedError          the forge understood the request and refuses what it holds
    ├── UnexpectedAnswerError      an answer that is too large, moved elsewhere, or not what was asked for
    └── WebhookError               a delivery that is not believed
        ├── SignatureError         no signature, or not one of our secret's
        ├── DeliveryError          signed, and yet not something that this forge sends
        ├── DeliveryTooLargeError  longer than any forge sends
        └── ReplayError            it was signed at another time

Errors of the HTTP client are translated at one seam, `forges.http`. None of them holds a token or a
secret: what a forge says is cut, and the token is struck out of it.
"""

from typing import ClassVar


class ForgeError(Exception):
    """A forge did not do what was asked.

    Attributes:
        code: Stable name of the kind of failure.
        message: What happened, one sentence.
        hint: What the reader can do about it.
    """

    code: ClassVar[str] = "FORGE_FAILED"
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class ForgeAddressError(ForgeError):
    """The forge's address or the repository's name can't be used."""

    code = "FORGE_ADDRESS"


class ForgeUnreachableError(ForgeError):
    """No connection, no answer in time, or the forge itself is failing.

    Attributes:
        maybe_done: Whether the request may have reached the forge, and been done.
    """

    code = "FORGE_UNREACHABLE"
    default_hint = "trying again later may help"

    def __init__(self, message: str, *, maybe_done: bool, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.maybe_done = maybe_done


class CredentialsRefusedError(ForgeError):
    """The token is wrong, expired, or lacks a right."""

    code = "FORGE_CREDENTIALS_REFUSED"
    default_hint = "see docs/how-to/connect-a-forge.md for the rights that its token needs"


class ForgeNotFoundError(ForgeError):
    """No such repository, pull request or commit, or none that this token may see."""

    code = "FORGE_NOT_FOUND"
    default_hint = "a forge says the same of what the token may not see"


class RateLimitedError(ForgeError):
    """Too many requests.

    Attributes:
        retry_after: Seconds after which to try again; None where the forge does not say.
    """

    code = "FORGE_RATE_LIMITED"

    def __init__(self, message: str, *, retry_after: float | None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class InputRefusedError(ForgeError):
    """The forge understood the request and refuses what it holds."""

    code = "FORGE_INPUT_REFUSED"


class UnexpectedAnswerError(ForgeError):
    """An answer that is too large, moved elsewhere, or not what was asked for."""

    code = "FORGE_UNEXPECTED_ANSWER"
    default_hint = "is this the address of such a forge?"


class WebhookError(ForgeError):
    """A delivery that is not believed."""

    code = "WEBHOOK_REFUSED"


class SignatureError(WebhookError):
    """No signature, or not one of our secret's."""

    code = "WEBHOOK_SIGNATURE"


class DeliveryError(WebhookError):
    """Signed, and yet not something that this forge sends."""

    code = "WEBHOOK_UNREADABLE"


class DeliveryTooLargeError(WebhookError):
    """Longer than any forge sends."""

    code = "WEBHOOK_TOO_LARGE"


class ReplayError(WebhookError):
    """It was signed at another time than now."""

    code = "WEBHOOK_REPLAYED"
