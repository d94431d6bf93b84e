"""What a forge answers is read strictly: a value of another kind or form is an error, not a guess."""

from collections.abc import Callable
from typing import Any

import pytest

from forges import fields
from forges.errors import UnexpectedAnswerError
from forges.github import comment_of, pull_of
from forges.sticky import Comment
from tests.forges.openapi import example

SHA = "a" * 40


@pytest.mark.parametrize(
    ("read", "right", "wrong"),
    [
        (fields.text, "x", ["", None, 5, ["x"], "x" * 4097]),
        (fields.number, 1, [0, -1, True, "1", None, 1.0]),
        (fields.flag, False, [0, "false", None]),
        (fields.sha, SHA, ["a" * 39, "a" * 41, SHA.upper(), f"{SHA}\n", None, 5]),
        (fields.sha, "0" * 64, ["0" * 63]),
    ],
)
def test_values(read: Callable[..., Any], right: Any, wrong: list[Any]) -> None:
    assert read({"a": {"b": right}}, "a", "b") == right
    for one in wrong:
        with pytest.raises(UnexpectedAnswerError, match=r"no such a\.b"):
            read({"a": {"b": one}}, "a", "b")
    nothing: list[Any] = [{}, {"a": "b"}, [], None]
    for data in nothing:
        with pytest.raises(UnexpectedAnswerError):
            read(data, "a", "b")


@pytest.mark.parametrize("key", ["merged", "number", "title", "base", "head", "html_url"])
def test_a_pull_request_that_lacks_something(key: str) -> None:
    told = example("pulls/get")
    del told[key]
    with pytest.raises(UnexpectedAnswerError):
        pull_of(told)


def test_a_pull_request_whose_author_is_gone() -> None:
    assert pull_of({**example("pulls/get"), "user": None}).author == ""


def test_a_comment_whose_author_is_gone() -> None:
    assert comment_of({"id": 1, "user": None, "body": None}) == Comment(1, "", "")
