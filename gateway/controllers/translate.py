"""The one seam where errors of the framework, the store and the index become ours."""

from typing import Any, Final

from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)

from gateway.errors import (
    BadRequestError,
    EditUnderWayError,
    InternalError,
    InvalidInputError,
    InvalidStateError,
    MethodNotAllowedError,
    NotFoundError,
    PinnedInGitError,
    RequestError,
    StoreError,
    ThrottledError,
    TooLargeError,
    UnavailableError,
)
from gateway.places import RETRY_SECONDS
from state_index import errors as index
from telemetry.logs import get_logger

_log = get_logger(__name__)
_DECODER: Final = "litestar.serialization"
_TOO_LARGE: Final = 413
_CLIENT_ERRORS: Final = range(400, 500)


def translated(error: Exception) -> RequestError:
    """Return what the client is told; what it is not told goes to the log."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, index.RequestRefusedError):
        return _refused(error)
    if isinstance(error, StoreError | index.IndexUnavailableError):
        _log.error("database_unavailable", problem=str(error))
        return UnavailableError()
    if isinstance(error, HTTPException):
        return _from_framework(error)
    if isinstance(error, RecursionError | UnicodeDecodeError) and _is_decoders(error):
        return BadRequestError()
    _log.error("unexpected", exc_info=error)
    return InternalError()


def _is_decoders(error: Exception) -> bool:
    """Return whether a body caused it: the framework lets some errors of its decoder through."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and last.tb_frame.f_globals["__name__"].startswith(_DECODER)


def _refused(error: index.RequestRefusedError) -> RequestError:
    if isinstance(error, index.InvalidStateError):
        return InvalidStateError(_sentence(error), details={"phase": str(error.phase)})
    if isinstance(error, index.PinnedInGitError):
        return PinnedInGitError(_sentence(error), details={"state": error.state})
    if isinstance(error, index.EditWaitsError):
        return EditUnderWayError(details={"operation": error.edit_id} if error.edit_id else {})
    if isinstance(error, index.EditsManyError):
        return ThrottledError(
            "You have many changes of files under way. Wait until one is done.",
            details={"seconds": RETRY_SECONDS},
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
    return NotFoundError("There is no such workspace.")


def _from_framework(error: HTTPException) -> RequestError:
    if isinstance(error, NotFoundException):
        return NotFoundError()
    if isinstance(error, MethodNotAllowedException):
        return MethodNotAllowedError(headers=dict(error.headers or {}))
    if error.status_code == _TOO_LARGE:
        return TooLargeError()
    if isinstance(error, ValidationException):
        return InvalidInputError(details={"problems": _problems(error.extra)})
    if error.status_code in _CLIENT_ERRORS:
        return BadRequestError()
    _log.error("unexpected", exc_info=error)
    return InternalError()


def _problems(extra: Any) -> list[dict[str, str]]:
    """Keep key and message only: the framework's messages name types, never values."""
    found = extra if isinstance(extra, list) else []
    return [
        {"key": str(one.get("key", "")), "message": str(one.get("message", ""))}
        for one in found
        if isinstance(one, dict)
    ]


def _sentence(error: Exception) -> str:
    """Return the index's words with a full stop; an id that they begin with stays as it is."""
    return str(error).removesuffix(".") + "."
