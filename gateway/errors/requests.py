"""Answers other than success, to requests of every kind."""

from gateway.errors.base import RequestError


class BadRequestError(RequestError):
    """The request is not well-formed, or is ambiguous."""

    status = 400
    code = "BAD_REQUEST"
    default = "The request is not well-formed."


class InvalidInputError(RequestError):
    """The request's parameters or body don't fit the API."""

    status = 400
    code = "INVALID_INPUT"
    default = "The request does not fit the API."


class UnauthenticatedError(RequestError):
    """Nobody is logged in."""

    status = 401
    code = "UNAUTHENTICATED"
    default = "Log in first."


class LoginFailedError(RequestError):
    """Name and password don't belong to an enabled account (which of these is not said)."""

    status = 401
    code = "LOGIN_FAILED"
    default = "Name or password is wrong."


class WebhookRefusedError(RequestError):
    """The webhook is not the forge's, by its signature."""

    status = 401
    code = "WEBHOOK_REFUSED"
    default = "The webhook's signature is not one of the secret that is set here."


class ForbiddenError(RequestError):
    """The visitor is known and may not do this."""

    status = 403
    code = "FORBIDDEN"
    default = "This is not yours."


class OriginRefusedError(RequestError):
    """An unsafe request or a WebSocket handshake comes from elsewhere."""

    status = 403
    code = "ORIGIN_REFUSED"
    default = "The request does not come from CodeHub's own pages."


class NotFoundError(RequestError):
    """There is no such thing."""

    status = 404
    code = "NOT_FOUND"
    default = "There is nothing here."


class HiddenError(NotFoundError):
    """It is somebody else's; the answer is that of `NotFoundError`, the audit log knows."""


class MethodNotAllowedError(RequestError):
    """The path exists, the method does not."""

    status = 405
    code = "METHOD_NOT_ALLOWED"
    default = "This method is not allowed here."


class InvalidStateError(RequestError):
    """The workspace's phase does not allow this."""

    status = 409
    code = "INVALID_STATE"
    default = "The workspace's state does not allow this."


class PinnedInGitError(RequestError):
    """The workspace's file pins its state."""

    status = 409
    code = "PINNED_IN_GIT"
    default = "The workspace's file pins its state."


class WebhookReplayedError(RequestError):
    """The webhook was taken before."""

    status = 409
    code = "WEBHOOK_REPLAYED"
    default = "This delivery was taken before."


class TooLargeError(RequestError):
    """The body is larger than the API takes."""

    status = 413
    code = "TOO_LARGE"
    default = "The request is too large."


class MisdirectedError(RequestError):
    """The request is for a host that is not ours."""

    status = 421
    code = "MISDIRECTED"
    default = "CodeHub is not served under this host name."


class NotRunningError(RequestError):
    """The workspace is not running, and this request does not wake it."""

    status = 424
    code = "NOT_RUNNING"
    default = "The workspace is not running."


class UpgradeRequiredError(RequestError):
    """This is a WebSocket, and the request is none."""

    status = 426
    code = "UPGRADE_REQUIRED"
    default = "This is a WebSocket: ask for an upgrade."


class ThrottledError(RequestError):
    """Too many attempts; `Retry-After` says when the next one counts."""

    status = 429
    code = "THROTTLED"
    default = "Too many attempts. Wait a little, then try again."


class HeadTooLargeError(RequestError):
    """The request's head is longer, or has more headers, than we take."""

    status = 431
    code = "HEAD_TOO_LARGE"
    default = "The request's headers are too large."


class InternalError(RequestError):
    """A bug of ours; the log has more under the request id."""


class RunnerUnavailableError(RequestError):
    """The runner does not answer on its socket."""

    status = 502
    code = "RUNNER_UNAVAILABLE"
    default = "The runner does not answer. It may be stopped or starting."


class UpstreamUnavailableError(RequestError):
    """The workspace's IDE does not answer."""

    status = 502
    code = "UPSTREAM_UNAVAILABLE"
    default = "The workspace does not answer."


class UnavailableError(RequestError):
    """The gateway can't answer this at the moment."""

    status = 503
    code = "UNAVAILABLE"
    default = "CodeHub can't answer at the moment. Try again soon."


class UpstreamTimeoutError(RequestError):
    """The workspace's IDE took too long to answer."""

    status = 504
    code = "UPSTREAM_TIMEOUT"
    default = "The workspace took too long to answer."
