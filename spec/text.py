"""From bytes to text that the YAML parser may see: size, encoding, characters.

Problems are found here with their place, so that the parser's own reader never complains.
Text after a byte order mark or with control characters goes on, repaired, so that the
report names everything else that is wrong too.
"""

import re
from typing import NamedTuple

MAX_BYTES = 64 * 1024
"""A workspace file is ten lines; more than this is a mistake or an attack."""

_BOM = "\ufeff"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_BREAK = re.compile(r"\r\n|\n|\r")


class Place(NamedTuple):
    """1-based line and column."""

    line: int
    column: int


START = Place(1, 1)


class Flaw(NamedTuple):
    """What is wrong at a place, before it is known in which file and under which key."""

    place: Place
    message: str
    hint: str


class Text(NamedTuple):
    """A file's text, None when there is nothing to parse, and what is wrong with it."""

    text: str | None
    flaws: list[Flaw]


def decode(raw: bytes) -> Text:
    """Check and decode a whole file. Never raises."""
    if len(raw) > MAX_BYTES:
        size = f"the file has more than {MAX_BYTES // 1024} KiB"
        return Text(None, [Flaw(START, size, "put long texts in a file of the workspace's home")])
    if raw.startswith(_UTF16):
        return Text(None, [Flaw(START, "the file is UTF-16", "save it as UTF-8")])
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return Text(None, [_undecodable(raw, error.start)])
    return _clean(text)


def _undecodable(raw: bytes, index: int) -> Flaw:
    before = raw[:index].decode("utf-8").removeprefix(_BOM)
    return Flaw(place_of(before), f"byte 0x{raw[index]:02x} is not UTF-8", "save it as UTF-8")


def _clean(text: str) -> Text:
    flaws = []
    if text.startswith(_BOM):
        text = text.removeprefix(_BOM)
        flaws.append(
            Flaw(START, "the file begins with a byte order mark", "save it as UTF-8 without BOM")
        )
    for match in _BAD.finditer(text):
        code = ord(match.group())
        hint = f'remove it, or write "\\u{code:04x}" in double quotes'
        place = place_of(text[: match.start()])
        flaws.append(Flaw(place, f"U+{code:04X} is not a printable character", hint))
    return Text(_BAD.sub("\ufffd", text), flaws)


def place_of(before: str) -> Place:
    """Where the character after this text is, counting lines as editors do."""
    breaks = list(_BREAK.finditer(before))
    last = breaks[-1].end() if breaks else 0
    return Place(len(breaks) + 1, len(before) - last + 1)
