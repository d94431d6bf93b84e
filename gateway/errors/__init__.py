"""Errors of the gateway room, all in one tree.

    GatewayError
    ├── ListenError                   the address can't be listened on
    ├── StoreError                    accounts and their database; the CLI shows `str(error)`
    │   ├── StoreUnavailableError     the database can't be opened, read or written
    │   ├── InvalidUserNameError
    │   ├── WeakPasswordError         breaks the password policy
    │   ├── UserExistsError
    │   └── UnknownUserError
    └── RequestError                  an answer other than success: status, stable code, details
        ├── BadRequestError           400 BAD_REQUEST
        ├── InvalidInputError         400 INVALID_INPUT
        ├── UnauthenticatedError      401 UNAUTHENTICATED
        ├── LoginFailedError          401 LOGIN_FAILED
        ├── WebhookRefusedError       401 WEBHOOK_REFUSED
        ├── ForbiddenError            403 FORBIDDEN
        ├── OriginRefusedError        403 ORIGIN_REFUSED
        ├── NotFoundError             404 NOT_FOUND
        │   └── HiddenError           404 NOT_FOUND: looks the same on purpose
        ├── MethodNotAllowedError     405 METHOD_NOT_ALLOWED
        ├── InvalidStateError         409 INVALID_STATE
        ├── PinnedInGitError          409 PINNED_IN_GIT
        ├── EditConflictError         409 EDIT_CONFLICT
        ├── EditUnderWayError         409 EDIT_WAITS
        ├── NotEditableError          409 NOT_EDITABLE
        ├── WebhookReplayedError      409 WEBHOOK_REPLAYED
        ├── TooLargeError             413 TOO_LARGE
        ├── MisdirectedError          421 MISDIRECTED
        ├── InvalidFileError          422 INVALID_FILE
        ├── NotRunningError           424 NOT_RUNNING
        ├── UpgradeRequiredError      426 UPGRADE_REQUIRED
        ├── RevisionMissingError      428 REVISION_REQUIRED
        ├── ThrottledError            429 THROTTLED
        ├── HeadTooLargeError         431 HEAD_TOO_LARGE
        ├── InternalError             500 INTERNAL
        ├── RunnerUnavailableError    502 RUNNER_UNAVAILABLE
        ├── UpstreamUnavailableError  502 UPSTREAM_UNAVAILABLE
        ├── UnavailableError          503 UNAVAILABLE
        └── UpstreamTimeoutError      504 UPSTREAM_TIMEOUT

Messages and details go to the client: they never hold secrets, paths of this machine or stack traces.
"""

from gateway.errors.base import (
    GatewayError,
    InvalidUserNameError,
    ListenError,
    RequestError,
    StoreError,
    StoreUnavailableError,
    UnknownUserError,
    UserExistsError,
    WeakPasswordError,
)
from gateway.errors.edits import (
    EditConflictError,
    EditUnderWayError,
    InvalidFileError,
    NotEditableError,
    RevisionMissingError,
)
from gateway.errors.requests import (
    BadRequestError,
    ForbiddenError,
    HeadTooLargeError,
    HiddenError,
    InternalError,
    InvalidInputError,
    InvalidStateError,
    LoginFailedError,
    MethodNotAllowedError,
    MisdirectedError,
    NotFoundError,
    NotRunningError,
    OriginRefusedError,
    PinnedInGitError,
    RunnerUnavailableError,
    ThrottledError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    UpgradeRequiredError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    WebhookRefusedError,
    WebhookReplayedError,
)

__all__ = [
    "BadRequestError",
    "EditConflictError",
    "EditUnderWayError",
    "ForbiddenError",
    "GatewayError",
    "HeadTooLargeError",
    "HiddenError",
    "InternalError",
    "InvalidFileError",
    "InvalidInputError",
    "InvalidStateError",
    "InvalidUserNameError",
    "ListenError",
    "LoginFailedError",
    "MethodNotAllowedError",
    "MisdirectedError",
    "NotEditableError",
    "NotFoundError",
    "NotRunningError",
    "OriginRefusedError",
    "PinnedInGitError",
    "RequestError",
    "RevisionMissingError",
    "RunnerUnavailableError",
    "StoreError",
    "StoreUnavailableError",
    "ThrottledError",
    "TooLargeError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnknownUserError",
    "UpgradeRequiredError",
    "UpstreamTimeoutError",
    "UpstreamUnavailableError",
    "UserExistsError",
    "WeakPasswordError",
    "WebhookRefusedError",
    "WebhookReplayedError",
]
