"""Foreign errors become ours at one seam, and tell clients nothing that they should not know."""

import io

import pytest
from litestar.exceptions import (
    HTTPException,
    InternalServerException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)

from gateway.bodies import LoginBody
from gateway.controllers.translate import translated
from gateway.errors import ForbiddenError, RequestError, StoreUnavailableError
from gateway.reference import PAGE, page
from state_index import errors as index


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ForbiddenError(), 403, "FORBIDDEN"),
        (index.UnknownWorkspaceError("x"), 404, "NOT_FOUND"),
        (index.InvalidStateError("RUNNING", "no"), 409, "INVALID_STATE"),
        (index.PinnedInGitError("warm", "no"), 409, "PINNED_IN_GIT"),
        (index.EditsManyError("canary", 5), 429, "THROTTLED"),
        (index.IndexBusyError("canary"), 503, "UNAVAILABLE"),
        (StoreUnavailableError("canary"), 503, "UNAVAILABLE"),
        (NotFoundException("canary"), 404, "NOT_FOUND"),
        (MethodNotAllowedException("canary"), 405, "METHOD_NOT_ALLOWED"),
        (ValidationException("canary"), 400, "INVALID_INPUT"),
        (HTTPException("canary", status_code=413), 413, "TOO_LARGE"),
        (HTTPException("canary", status_code=415), 400, "BAD_REQUEST"),
        (InternalServerException("canary"), 500, "INTERNAL"),
        (RuntimeError("canary"), 500, "INTERNAL"),
    ],
)
def test_what_becomes_of_each_error(
    error: Exception, status: int, code: str, logs: io.StringIO
) -> None:
    made = translated(error)
    assert isinstance(made, RequestError)
    assert (made.status, made.code) == (status, code)
    assert "canary" not in str(made.envelope("r"))
    assert ("canary" in logs.getvalue()) is (status >= 500)


@pytest.mark.parametrize(
    "refused",
    [
        index.InvalidStateError("RUNNING", "four is RUNNING: start is not possible now"),
        index.PinnedInGitError("warm", "four has `state: warm` in its file."),
    ],
)
def test_an_id_at_the_beginning_stays_as_it_is(refused: index.RequestRefusedError) -> None:
    message = translated(refused).message
    assert message.startswith("four ")
    assert message.endswith((" now.", " file."))


def test_a_validation_s_problems_keep_key_and_message_only() -> None:
    extra = [{"key": "tail", "message": "too large", "value": "canary"}, "canary"]
    made = translated(ValidationException("no", extra=extra))
    assert made.details == {"problems": [{"key": "tail", "message": "too large"}]}


def test_a_login_does_not_show_its_password() -> None:
    assert "canary" not in repr(LoginBody(username="alice", password="canary"))


def test_the_reference_of_the_api_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m gateway.reference"
