"""Which lines of a workspace file may be told to people, by what its YAML says. Pure.

A value has many layouts: quoted, in braces, over several lines, behind an anchor. So not lines are judged,
but what a parser finds in them: a line is not told if it holds a key with a telling name, any part of its
value, or a text that looks like a key itself. What such a value says is not told elsewhere either, under
another name or in a comment. Of a text that can't be parsed nobody can say that, and nothing of it is told.

Comments are no YAML: those with a telling word in them are not told, nor those right above and below.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from spec.marks import Mark, marks
from spec.text import decode
from spec.tree import parse
from stacks import secrecy

FRAGMENT = 4
"""So many characters of a secret in a row are not told."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Version:
    """What one version of a file says, and where.

    Attributes:
        hidden: Its lines that are not told, from 1, as git counts them.
        secrets: What is not told wherever else it stands.
        texts: What its other values say, quotes and escapes undone, and on which lines.
    """

    hidden: frozenset[int] = frozenset()
    secrets: frozenset[str] = frozenset()
    texts: tuple[tuple[range, str], ...] = ()

    def withheld(self, fragments: "Fragments") -> frozenset[int]:
        """Give the lines that are not told where these are not."""
        found = (lines for lines, text in self.texts if fragments.are_in(text))
        return self.hidden.union(*found)


class Fragments:
    """Pieces of secrets, to look for in a text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        told = list(secrets)
        # A line's end is part of a value, and of each line: by itself it tells nothing.
        bare = {text.strip() for text in told}
        self._short = {text for text in bare if 0 < len(text) < FRAGMENT}
        self._long = {piece for text in told for piece in _pieces(text) if not piece.isspace()}

    def are_in(self, text: str) -> bool:
        """Whether a text has a piece of one; of a secret that is shorter, it as a whole word."""
        if not self._short.isdisjoint(_WORD.findall(text)):
            return True
        return any(piece in self._long for piece in _pieces(text))


def read(raw: bytes) -> Version | None:
    """Read a version of a file; None where it is no YAML that a workspace file may be."""
    text, flaws = decode(raw)
    if text is None or flaws:
        return None
    root, flaws = parse(text)
    if flaws:
        return None
    found = _Finding(text)
    if root is not None:
        found.walk(marks(text))
    found.comments()
    return Version(frozenset(found.hidden), frozenset(found.secrets), tuple(found.texts))


def _pieces(text: str) -> Iterable[str]:
    return (text[at : at + FRAGMENT] for at in range(len(text) - FRAGMENT + 1))


@dataclass
class _Finding:
    text: str
    hidden: set[int] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    texts: list[tuple[range, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._starts = [0, *(at.end() for at in re.finditer("\n", self.text))]
        self._rest = list(self.text)
        """What is no value: punctuation and comments."""

    def walk(self, mark: Mark, *, path: tuple[str, ...] = ()) -> None:
        """Look at a value and all in it; an alias says no more than what it refers to."""
        for entry in mark.entries:
            self.walk(entry.key)
            here = (*path, entry.name)
            if secrecy.is_telling(entry.name):
                self._hide(entry.key.start, max(entry.key.end, entry.value.end))
                self._take(entry.value)
            else:
                self.walk(entry.value, path=here)
        for item in mark.items:
            self.walk(item, path=(*path, ""))
        if mark.kind == "scalar":
            self._judge(mark, is_image=path == ("image",))

    def comments(self) -> None:
        """Look at what is between the values, line by line; comments on end stand together."""
        lines = "".join(self._rest).split("\n")
        telling = {at for at, line in enumerate(lines, 1) if _is_telling(line)}
        self.hidden |= telling
        for at in telling:
            self.secrets.update(secrecy.assigned(lines[at - 1]) or ())
        run: list[int] = []
        for at, line in enumerate([*lines, ""], 1):
            if line.lstrip().startswith("#"):
                run.append(at)
                continue
            if run and not telling.isdisjoint([run[0] - 1, *run]):
                self.hidden.update(run)
            run = []

    def _take(self, mark: Mark) -> None:
        """Take all that a value says for secret, wherever it is written."""
        meant = mark.meant
        self._hide(meant.start, meant.end)
        for entry in meant.entries:
            self._take(entry.key)
            self._take(entry.value)
        for item in meant.items:
            self._take(item)
        if meant.kind == "scalar":
            self._cover(meant)
            self._keep(meant)

    def _judge(self, mark: Mark, *, is_image: bool) -> None:
        self._cover(mark)
        self.texts.append((self._lines(mark.start, mark.end), mark.text))
        written = self.text[mark.start : mark.end]
        if is_image:
            looks = secrecy.is_more_than_image(mark.text)
        else:
            looks = secrecy.looks_like_key(mark.text) or secrecy.looks_like_key(written)
        words = None if is_image else _telling_words(mark.text, written)
        if looks:
            self._keep(mark)
        if looks or words is not None:
            self._hide(mark.start, mark.end)
            self.secrets.update(words or ())

    def _keep(self, mark: Mark) -> None:
        """Let nobody tell a value, nor the way in which it is written."""
        self.secrets.add(mark.text)
        words = self.text[mark.start : mark.end].split()
        self.secrets.update(word for word in words if len(word) >= FRAGMENT)

    def _cover(self, mark: Mark) -> None:
        for at in range(mark.start, mark.end):
            if self.text[at] != "\n":
                self._rest[at] = " "

    def _hide(self, start: int, end: int) -> None:
        self.hidden.update(self._lines(start, end))

    def _lines(self, start: int, end: int) -> range:
        last = bisect_right(self._starts, max(start, end - 1))
        return range(bisect_right(self._starts, start), last + 1)


def _is_telling(rest: str) -> bool:
    return secrecy.has_telling_word(rest) or secrecy.looks_like_key(rest)


def _telling_words(text: str, written: str) -> list[str] | None:
    """Give what a value says after a telling name; None where it has no such name.

    A single word may be the name of anything; in a sentence it is about a secret.
    """
    words = secrecy.assigned(f"{text}\n{written}")
    if words is not None:
        return words
    is_sentence = " " in text.strip() or "\n" in written
    return [] if is_sentence and secrecy.has_telling_word(f"{text}\n{written}") else None
