"""From plain values to YAML that any reader takes for just these. Pure."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from spec.nodes import Scalar
from spec.text import START

INDENT = 2
_INT_END = 2**63
_EXACT_END = 2**53
_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./@:+-]*[A-Za-z0-9_/]|[A-Za-z]")
_OTHERS_WORDS = re.compile(r"(?i)y|n|yes|no|on|off|true|false|null")
"""What YAML 1.1, which other tools speak, takes for something else than text."""
_SIZE = re.compile(r"[0-9]+[KMGT]i?")
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class UnwritableError(ValueError):
    """A value is none that a file can hold; the message says why."""


def block(values: Mapping[str, Any], *, indent: int = 0, newline: str = "\n") -> str:
    """Write keys and values, one a line; mappings below their key, indented."""
    lines = []
    for key, value in values.items():
        head = f"{' ' * indent}{scalar(key, flow=True)}:"
        if isinstance(value, Mapping) and value:
            inner = block(value, indent=indent + INDENT, newline=newline)
            lines.append(f"{head}{newline}{inner}")
        else:
            lines.append(f"{head} {inline(value)}{newline}")
    return "".join(lines)


def inline(value: Any, *, quote: str | None = None, flow: bool = False) -> str:
    """Write a value in one line.

    Args:
        value: text, number, truth, None, or a mapping or list of these.
        quote: the quote that text gets if it can; None when plain text may stay plain.
        flow: whether it stands in braces, where colons are better quoted.

    Raises:
        UnwritableError: something in it is none of these.
    """
    if isinstance(value, Mapping):
        pairs = (
            f"{scalar(key, flow=True)}: {inline(one, flow=True)}" for key, one in value.items()
        )
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(inline(one, flow=True) for one in value)}]"
    return scalar(value, quote=quote, flow=flow)


def scalar(value: Any, *, quote: str | None = None, flow: bool = False) -> str:
    """Write a single value; args and errors as `inline`."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() if abs(value) < _INT_END:
            return str(value)
        case float() if math.isfinite(value):
            return (
                str(int(value)) if value.is_integer() and abs(value) < _EXACT_END else repr(value)
            )
        case str():
            return _text(value, quote, flow=flow)
    raise UnwritableError("must be text, a number, true or false")


def _text(text: str, quote: str | None, *, flow: bool) -> str:
    if _SURROGATE.search(text):
        raise UnwritableError("half of a surrogate pair")
    printable = text.isprintable()
    if quote is None and _is_plain(text) and not (flow and ":" in text):
        return text
    if printable and (quote == "'" or (quote is None and ('"' in text or "\\" in text))):
        return "'" + text.replace("'", "''") + "'"
    escaped = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped)


def _is_plain(text: str) -> bool:
    if _PLAIN.fullmatch(text) is None or _OTHERS_WORDS.fullmatch(text):
        return False
    if _SIZE.fullmatch(text):
        return True
    # Digits first may be a date, a time or a number to others: 12:30, 0o7, 1_000, 2026-11-22.
    return not text[0].isdigit() and Scalar(START, text, plain=True).value == text
