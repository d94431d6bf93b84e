"""The tree of errors is what its docstring says, and the codes are stable."""

import re

import pytest

from gateway import errors
from gateway.errors import GatewayError, RequestError

CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, GatewayError)
]
REQUESTS = [one for one in CLASSES if issubclass(one, RequestError) and one is not RequestError]


def test_the_docstring_draws_every_class_with_its_status_and_code() -> None:
    assert errors.__doc__ is not None
    drawn = re.findall(r"(\w+Error)\b(?: +(\d{3}) ([A-Z_]+))?", errors.__doc__)
    tree = {name: (status, code) for name, status, code in drawn}
    assert set(tree) == {one.__name__ for one in CLASSES}
    for one in REQUESTS:
        assert tree[one.__name__] == (str(one.status), one.code)


def test_codes_are_unique() -> None:
    own = [one for one in REQUESTS if RequestError in one.__bases__]
    assert {one.__name__ for one in set(REQUESTS) - set(own)} == {"HiddenError"}, "on purpose"
    codes = [one.code for one in own]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("error", REQUESTS)
def test_the_envelope_is_the_same_for_all(error: type[RequestError]) -> None:
    made = error(details={"a": 1})
    assert made.envelope("r1") == {
        "error": {
            "code": error.code,
            "message": error.default,
            "details": {"a": 1},
            "request_id": "r1",
        }
    }
    assert str(error("Something else.")) == "Something else."
