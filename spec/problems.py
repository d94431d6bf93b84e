"""One thing that is wrong with one file, and how foreign text is shown in it."""

import re
from dataclasses import asdict, dataclass

SHOWN_LENGTH = 60
"""Text from a file is quoted up to so many characters: a message stays a line."""

_USER = re.compile(r".*@(?!sha256:)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do about it.

    Attributes:
        file: the file as its reader was told of it.
        line: 1-based.
        column: 1-based, in characters.
        key: dotted path of the key, "" when it concerns the whole file.
        message: what is wrong.
        hint: what to write or do instead.
    """

    file: str
    line: int
    column: int
    key: str
    message: str
    hint: str

    def __str__(self) -> str:
        """The line that compilers print, so that editors and terminals link it."""
        key = f"{self.key}: " if self.key else ""
        return f"{self.file}:{self.line}:{self.column}: {key}{self.message} (hint: {self.hint})"

    def as_dict(self) -> dict[str, str | int]:
        """The same as plain JSON values."""
        return asdict(self)


def shown(text: str) -> str:
    """Quote text from a file for a message: one printable line, cut when long."""
    return f"`{cut(text)}`"


def cut(text: str) -> str:
    """Text from a file without quotes around it: one printable line, cut when long."""
    return f"{printable(text[:SHOWN_LENGTH])}{'...' if len(text) > SHOWN_LENGTH else ''}"


def shown_image(text: str) -> str:
    """Quote what should be an image, without what may be a password or a token in it.

    >>> shown_image("https://me:secret@host.example/a?key=secret")
    '`...`'
    >>> shown_image("me:secret@host.example/a"), shown_image("A/b@sha256:0")
    ('`...@host.example/a`', '`A/b@sha256:0`')
    """
    user, query = _USER.match(text), "?" in text
    if user and query:
        # Which of them is part of the other can't be told.
        return "`...`"
    kept = f"...@{text[user.end() :]}" if user else text
    head, mark, _ = kept.partition("?")
    return shown(f"{head}?..." if mark else kept)


def printable(text: str) -> str:
    r"""Escape what terminals and pages must not get.

    >>> printable("a\tb")
    'a\\tb'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
