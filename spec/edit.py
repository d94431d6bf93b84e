"""Change a workspace file key by key; every character that need not change stays. Pure.

Comments, order, quotes, indentation and line ends are kept: see `spec.splices` for how, and why not
by writing the file anew. What comes out is read again by the room's own reader, so nothing is ever
given back that is not a right file, or that says anything else than was asked for. What
`_defaults.yaml` may say is not known here, so an image that is missing is not told.
"""

from collections.abc import Mapping
from typing import Any

from spec.defaults import UNKNOWN
from spec.errors import InvalidSpecError
from spec.model import WorkspaceFile
from spec.problems import Problem
from spec.reader import read, read_text
from spec.report import Report, read_tree
from spec.splices import UnchangeableError, merged, same, spliced
from spec.writing import UnwritableError, block

MAX_DEPTH = 8
"""Mappings in mappings that a change may have; the format has two."""

_AS_TEXT = "change it in the text of the file"
_ORDER = tuple(WorkspaceFile.model_fields)


def edited(raw: bytes, changes: Mapping[str, Any], *, file: str) -> bytes:
    r"""Return a file with some keys set, added or removed.

    Args:
        raw: the file as it is; it may say something wrong, but must be YAML.
        changes: a value for each dotted key, such as `resources.cpu` or `env.TZ`; None removes it.
        file: its path or name, for the id and for messages.

    Raises:
        InvalidSpecError: it can't be read, or the outcome would not be a right file; with places.

    >>> edited(b"owner: al # me\nimage: a\n", {"env.TZ": "UTC", "owner": "bo"}, file="x-1.yaml")
    b'owner: bo # me\nimage: a\nenv:\n  TZ: UTC\n'
    """
    return patched(raw, nested(changes), file=file)


def patched(raw: bytes, patch: Mapping[str, Any], *, file: str) -> bytes:
    """Return a file changed by a JSON merge patch (RFC 7396); else as `edited`."""
    if _is_deeper(patch, MAX_DEPTH):
        raise _refused(file, "", "the change is nested too deep", "give keys of the reference")
    report = Report(file)
    root = read_tree(raw, report, example="write owner: alice and image: codehub/code-server")
    if root is None or report.problems:
        raise InvalidSpecError(report.sorted())
    try:
        found = spliced(raw.decode("utf-8"), patch).encode("utf-8")
    except UnchangeableError as error:
        problem = Problem(file, *error.place, error.key, error.message, _AS_TEXT)
        raise InvalidSpecError([problem]) from error
    read_text(found, file=file, defaults=UNKNOWN)
    again = read_tree(found, Report(file), example="")
    if again is None or not same(again.value, merged(root.value, patch)):
        raise _refused(file, "", "this can't be changed without changing more", _AS_TEXT)
    return found


def written(values: Mapping[str, Any], *, file: str) -> bytes:
    """Return a new file that says these values, keys in the reference's order.

    Raises:
        InvalidSpecError: it would not be a right file.
    """
    if _is_deeper(values, MAX_DEPTH):
        raise _refused(file, "", "it is nested too deep", "give keys of the reference")
    told = merged({}, values)
    order = sorted(told, key=lambda key: _ORDER.index(key) if key in _ORDER else len(_ORDER))
    try:
        found = block({key: told[key] for key in order}).encode("utf-8")
    except UnwritableError as error:
        raise _refused(file, "", str(error), "write text, numbers and mappings of these") from error
    read_text(found, file=file, defaults=UNKNOWN)
    return found


def nested(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes of dotted keys as a merge patch.

    >>> nested({"env.A": "1", "env.B": None, "state": "warm"})
    {'env': {'A': '1', 'B': None}, 'state': 'warm'}
    """
    patch: dict[str, Any] = {}
    for dotted, value in changes.items():
        *way, last = dotted.split(".")
        inner = patch
        for key in way:
            if not isinstance(inner.get(key), dict):
                inner[key] = {}
            inner = inner[key]
        inner[last] = value
    return patch


def values_of(raw: bytes, *, file: str) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Return what a file says, as plain values as written, and what is wrong with it."""
    root = read_tree(raw, Report(file), example="")
    return (root.value if root is not None else {}), read(raw, file=file, defaults=UNKNOWN).problems


def _is_deeper(values: Any, most: int) -> bool:
    level: list[Any] = [values]
    for _ in range(most):
        level = [
            one
            for value in level
            for one in (value.values() if isinstance(value, Mapping) else value)
            if isinstance(one, Mapping | list)
        ]
    return bool(level)


def _refused(file: str, key: str, message: str, hint: str) -> InvalidSpecError:
    return InvalidSpecError([Problem(file, 1, 1, key, message, hint)])
