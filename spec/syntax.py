"""ruamel.yaml's errors in words for people who don't know YAML's grammar."""

import re

from ruamel.yaml.error import MarkedYAMLError

from spec.text import Flaw, Place

_SAYINGS: tuple[tuple[str, str, str], ...] = (
    (r"'\t' that cannot start", "a tab where spaces belong", "indent and separate with spaces"),
    ("'@' that cannot start", "a value can't begin with @", "put it in quotes"),
    ("'`' that cannot start", "a value can't begin with `", "put it in quotes"),
    ("'%' that cannot start", "a value can't begin with %", "put it in quotes"),
    ("that cannot start any token", "an unexpected character", "put the value in quotes"),
    (
        "mapping values are not allowed",
        "a second `:` in one value",
        "put the value in quotes, or begin a new line",
    ),
    ("unexpected end of stream", "the closing quote is missing", "close the quote"),
    ("unexpected document separator", "the closing quote is missing", "close the quote"),
    ("expected ',' or ']'", "the list is not closed", "add `,` or `]`"),
    ("expected ',' or '}'", "the mapping is not closed", "add `,` or `}`"),
    ("could not find expected ':'", "a `:` is missing", "write `key: value`"),
    ("unknown escape character", "an unknown escape", "use single quotes, or write \\\\"),
    ("expected escape sequence", "an escape is cut short", "use single quotes, or write \\\\"),
    ("<document start>", "wrong indentation", "indent keys of one mapping alike"),
    ("<block end>", "wrong indentation, or text after a value", "indent keys alike"),
    ("the node content", "a value is missing", "write `key: value`"),
    ("indentation indicators", "a bad block scalar header", "write `|` and begin a new line"),
    ("expected alphabetic or numeric", "an anchor or alias has no name", "write &name or *name"),
)
_AT_START = (
    "unexpected end of stream",
    "unexpected document separator",
    "expected ',' or",
    "could not find expected ':'",
)
"""Where what was opened stands, not where the file ended, is the place to look."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def translate(error: Exception, reached: Place) -> Flaw:
    """Say what the parser could not read, and where.

    Args:
        error: whatever the parser raised.
        reached: how far it read, for errors that don't tell a place.
    """
    if not isinstance(error, MarkedYAMLError):
        return Flaw(reached, "an escape or character that can't be read", "remove it")
    problem = str(error.problem or "")
    mark = error.problem_mark
    if error.context_mark is not None and any(text in problem for text in _AT_START):
        mark = error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark is not None else reached
    for text, message, hint in _SAYINGS:
        if text in problem:
            return Flaw(place, message, hint)
    # What the parser quotes may be half of a password that begins with `!`.
    problem = _QUOTED.sub("...", problem)
    return Flaw(place, f"not YAML: {problem or 'unreadable'}", "compare it with the reference")
