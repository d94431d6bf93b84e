"""Reading a forge's JSON strictly: every value has the kind and the form that it must have. Pure."""

import re
from typing import Any

from forges.errors import UnexpectedAnswerError

SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
MAX_TEXT = 4096
"""Characters of what is a name, a title or an address."""


def mapping(data: Any) -> dict[str, Any]:
    """An object.

    Raises:
        UnexpectedAnswerError: it is something else.
    """
    if not isinstance(data, dict):
        raise UnexpectedAnswerError("the forge's answer is not an object")
    return data


def items(data: Any) -> list[dict[str, Any]]:
    """A list of objects.

    Raises:
        UnexpectedAnswerError: it is something else.
    """
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise UnexpectedAnswerError("the forge's answer is not a list of objects")
    return data


def at(data: Any, *path: str) -> Any:
    """What lies at a path of keys; None where it ends before."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def text(data: Any, *path: str, longest: int = MAX_TEXT) -> str:
    """Text that is not empty.

    Raises:
        UnexpectedAnswerError: it is missing, empty, too long or no text.
    """
    found = at(data, *path)
    if not isinstance(found, str) or not found or len(found) > longest:
        raise _wrong(path)
    return found


def optional(data: Any, *path: str) -> str:
    """Text of any length; "" where there is none."""
    found = at(data, *path)
    return found if isinstance(found, str) else ""


def number(data: Any, *path: str) -> int:
    """A positive number.

    Raises:
        UnexpectedAnswerError: it is missing or something else.
    """
    found = at(data, *path)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise _wrong(path)
    return found


def flag(data: Any, *path: str) -> bool:
    """True or false.

    Raises:
        UnexpectedAnswerError: it is missing or something else.
    """
    found = at(data, *path)
    if not isinstance(found, bool):
        raise _wrong(path)
    return found


def sha(data: Any, *path: str) -> str:
    """The whole name of a commit.

    Raises:
        UnexpectedAnswerError: it is missing or something else.
    """
    found = at(data, *path)
    if not isinstance(found, str) or not SHA.fullmatch(found):
        raise _wrong(path)
    return found


def _wrong(path: tuple[str, ...]) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(f"the forge's answer has no such {'.'.join(path)} as it should")
