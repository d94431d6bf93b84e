"""Reads the plainest of workspace files by lines, many times faster than as YAML. Pure.

Most files are a handful of `key: value`. What is read here is a subset on which YAML leaves no
doubt: printable ASCII, one key a line, plain or simply quoted values on that line, `resources` and
`env` as one flow mapping or an indented block. Everything else, and everything that is not entirely
right, gives None and is read as YAML by `spec.reader`, which alone tells problems. A test holds the
two against each other.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import ValidationError

from spec.defaults import filled_values
from spec.errors import InvalidIdError
from spec.ids import check_id
from spec.model import WRITTEN, WorkspaceSpec
from spec.nodes import Scalar
from spec.text import MAX_BYTES, START

_TEXT = re.compile(r"[\n\x20-\x7e]*")
_KEY = r"(?P<key>[A-Za-z_][A-Za-z0-9_]{0,127})"
_ATOM = r"[A-Za-z0-9_./@+-]"
# No colon at its end, nor one alone at its beginning: there YAML sees a key or nothing.
_PLAIN = rf"[A-Za-z0-9_./](?:{_ATOM}|:(?={_ATOM}))*"
_FLOW_PLAIN = rf"[A-Za-z0-9_./]{_ATOM}*"
_QUOTED = r"\"[^\"\\]*\"|'[^']*'"
_REST = r" *(?: #.*)?"
_LINE = re.compile(
    rf"(?P<indent> *){_KEY}:"
    rf"(?: +(?:(?P<plain>{_PLAIN})|(?P<quoted>{_QUOTED})|\{{(?P<flow>[^{{}}#]*)\}}))?{_REST}"
)
_ITEM = re.compile(rf" *{_KEY}: +(?:(?P<plain>{_FLOW_PLAIN})|(?P<quoted>{_QUOTED})) *")
SHORT = 64
"""Characters of a line whose meaning is remembered; others would take memory for long."""
_MAPPINGS = frozenset({"resources", "env"})
_SLOW = frozenset({"formerly", "id"})
"""Of the one the place is told to other files; the other is no key, though the model has it."""


class _DoubtError(Exception):
    """The file is to be read as YAML."""


class _Line(NamedTuple):
    """What one line says: a key, and a value, or a flow mapping, or neither."""

    depth: int
    key: str
    is_valued: bool
    value: object
    flow: tuple[tuple[str, object], ...] | None


_NOTHING: Mapping[str, Any] = {}


def read(raw: bytes, *, file: str, defaults: Mapping[str, Any] = _NOTHING) -> WorkspaceSpec | None:
    """Read a plain file that is entirely right; None for any other.

    Args:
        raw: its bytes.
        file: its path or name.
        defaults: what counts where it says nothing, as plain values (`spec.defaults`).
    """
    if len(raw) > MAX_BYTES or b"\\" in raw:
        return None
    try:
        workspace = check_id(file.rpartition("/")[2].removesuffix(".yaml"))
        found = filled_values(_keys(raw.decode("ascii")), defaults)
        return WorkspaceSpec.model_validate({**found, "id": workspace}, context=WRITTEN)
    except (UnicodeDecodeError, InvalidIdError, ValidationError, _DoubtError):
        return None


def _keys(text: str) -> dict[str, Any]:
    if not _TEXT.fullmatch(text):
        raise _DoubtError
    found: dict[str, Any] = {}
    block: dict[str, Any] | None = None
    indent = 0
    for raw in text.split("\n"):
        if raw.lstrip(" ")[:1] in ("", "#"):
            continue
        line = _known(raw) if len(raw) <= SHORT else _parsed(raw)
        if line.depth == 0:
            _refuse(block is not None and not block)
            block, indent = _top(found, line), 0
            continue
        indent = indent or line.depth
        _refuse(block is None or line.depth != indent or not line.is_valued)
        assert block is not None
        _put(block, line.key, line.value)
    _refuse(block is not None and not block)
    return found


def _top(found: dict[str, Any], line: _Line) -> dict[str, Any] | None:
    """Take a key of the file; give the mapping that the next lines fill, None when there is none."""
    _refuse(line.key in _SLOW)
    if line.is_valued:
        _put(found, line.key, line.value)
        return None
    _refuse(line.key not in _MAPPINGS)
    block: dict[str, Any] = {}
    _put(found, line.key, block)
    if line.flow is None:
        return block
    for key, value in line.flow:
        _put(block, key, value)
    return None


def _parsed(raw: str) -> _Line:
    match = _LINE.fullmatch(raw)
    if match is None:
        raise _DoubtError
    is_valued = match["plain"] is not None or match["quoted"] is not None
    value = _value(match) if is_valued else None
    flow = None if match["flow"] is None else tuple(_items(match["flow"]))
    return _Line(len(match["indent"]), match["key"], is_valued, value, flow)


@lru_cache(1024)  # of the lines of a thousand files, few differ
def _known(raw: str) -> _Line:
    return _parsed(raw)


def _items(flow: str) -> Iterable[tuple[str, object]]:
    for item in flow.split(",") if flow.strip() else ():
        match = _ITEM.fullmatch(item)
        if match is None:
            raise _DoubtError
        yield match["key"], _value(match)


def _value(match: re.Match[str]) -> object:
    plain = match["plain"]
    return match["quoted"][1:-1] if plain is None else Scalar(START, plain, plain=True).value


def _put(found: dict[str, Any], key: str, value: Any) -> None:
    _refuse(key in found)
    found[key] = value


def _refuse(doubt: bool) -> None:
    if doubt:
        raise _DoubtError
