"""From bytes to text that the YAML parser may see: size, encoding, characters.

Problems are found here with their place, so that the parser's own reader never complains.
Text after a byte order mark or with control characters goes on, repaired, so that the
report names everything else that is wrong too.
"""

import re
from bisect import bisect_right
from itertools import islice
from typing import NamedTuple

MAX_BYTES = 64 * 1024
"""A workspace file is ten lines; more than this is a mistake or an attack."""

MAX_NODES = 4096
"""Keys and values after aliases are expanded; the format needs a few hundred at most."""

MAX_CHARACTERS = 20
"""So many unprintable characters are told one by one; more of them mean a binary file."""

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


def decode(raw: bytes, *, most: int = MAX_BYTES) -> Text:
    """Check and decode a whole file of at most so many bytes. Never raises."""
    if len(raw) > most:
        size = f"the file has more than {most // 1024} KiB"
        hint = "put long texts in a file of the workspace's home"
        return Text(None, [Flaw(START, size, hint if most == MAX_BYTES else "make it shorter")])
    if raw.startswith(_UTF16):
        return Text(None, [Flaw(START, "the file is UTF-16", "save it as UTF-8")])
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return Text(None, [_undecodable(raw, error.start)])
    return _clean(text)


def _undecodable(raw: bytes, index: int) -> Flaw:
    before = raw[:index].decode("utf-8").removeprefix(_BOM)
    return Flaw(
        Lines(before).place(len(before)),
        f"byte 0x{raw[index]:02x} is not UTF-8",
        "save it as UTF-8",
    )


def _clean(text: str) -> Text:
    flaws = []
    if text.startswith(_BOM):
        text = text.removeprefix(_BOM)
        flaws.append(
            Flaw(START, "the file begins with a byte order mark", "save it as UTF-8 without BOM")
        )
    lines = Lines(text)
    for match in islice(_BAD.finditer(text), MAX_CHARACTERS):
        code = ord(match.group())
        hint = f'remove it, or write "\\u{code:04x}" in double quotes'
        place = lines.place(match.start())
        flaws.append(Flaw(place, f"U+{code:04X} is not a printable character", hint))
    return Text(_BAD.sub("\ufffd", text), flaws)


class Lines:
    """Where each character of a text is, counting lines as editors do."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in _BREAK.finditer(text))]

    def place(self, index: int) -> Place:
        """The place of the character at an index."""
        line = bisect_right(self._starts, index)
        return Place(line, index - self._starts[line - 1] + 1)
