"""Reads the plainest of workspace files by lines, many times faster than as YAML. Pure.

Most files are a handful of `key: value`. What is read here is a subset on which YAML leaves no
doubt: printable ASCII, one key a line, plain or simply quoted values on that line, `resources` and
`env` as one flow mapping or an indented block. Everything else, and everything that is not entirely
right, gives None and is read as YAML by `spec.reader`, which alone tells problems. A test holds the
two against each other.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePath
from typing import Any

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
REMEMBERED = 1024
"""Values: in a thousand files there are few that differ."""
_MAPPINGS = frozenset({"resources", "env"})
_SLOW = frozenset({"formerly", "id"})
"""Of the one the place is told to other files; the other is no key, though the model has it."""


class _DoubtError(Exception):
    """The file is to be read as YAML."""


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
        workspace = check_id(PurePath(file).name.removesuffix(".yaml"))
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
    for line in text.split("\n"):
        if line.lstrip(" ")[:1] in ("", "#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise _DoubtError
        depth = len(match["indent"])
        if depth == 0:
            _refuse(block is not None and not block)
            block, indent = _top(found, match), 0
            continue
        indent = indent or depth
        _refuse(block is None or depth != indent or match["flow"] is not None)
        assert block is not None
        _put(block, match["key"], _value(match))
    _refuse(block is not None and not block)
    return found


def _top(found: dict[str, Any], match: re.Match[str]) -> dict[str, Any] | None:
    """Take a key of the file; give the mapping that the next lines fill, None when there is none."""
    key, flow = match["key"], match["flow"]
    mapping = key in _MAPPINGS and match["plain"] is None and match["quoted"] is None
    _refuse(key in _SLOW)
    if not mapping:
        _refuse(flow is not None)
        _put(found, key, _value(match))
        return None
    block: dict[str, Any] = {}
    _put(found, key, block)
    if flow is None:
        return block
    for item in flow.split(",") if flow.strip() else ():
        one = _ITEM.fullmatch(item)
        if one is None:
            raise _DoubtError
        _put(block, one["key"], _value(one))
    return None


def _value(match: re.Match[str]) -> Any:
    plain, quoted = match["plain"], match["quoted"]
    _refuse(plain is None and quoted is None)
    return quoted[1:-1] if plain is None else _plain(plain)


@lru_cache(REMEMBERED)
def _plain(text: str) -> object:
    return Scalar(START, text, plain=True).value


def _put(found: dict[str, Any], key: str, value: Any) -> None:
    _refuse(key in found)
    found[key] = value


def _refuse(doubt: bool) -> None:
    if doubt:
        raise _DoubtError
