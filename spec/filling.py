"""Words in braces are filled in: `{name}` in a tree becomes the value of `name`. Pure.

`{{` and `}}` stand for braces. A value that is one word alone keeps its kind, so a number stays one.
What is made is bounded before it is made: a few lines may ask for gigabytes.
"""

import re
from collections.abc import Mapping as Words
from difflib import get_close_matches
from typing import NamedTuple

from spec.nodes import Entry, Mapping, Node, Scalar, Sequence
from spec.problems import cut, shown

MAX_VALUES = 100_000
"""Values of all workspaces of one generator together."""
MAX_TEXT = 2 << 20
"""Characters of them."""
MAX_HINTS = 20
"""Words that have no value for which the nearest one is looked up; the search takes its time."""
MAX_KNOWN = 50
"""Words among which it is looked up."""
MAX_WORD = 31
"""Characters of a word that may be one."""

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class WrongWordError(Exception):
    """A text can't be filled in."""

    def __init__(self, message: str, hint: str) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


class TooMuchError(Exception):
    """More would be made than may be."""


class Weight(NamedTuple):
    """How many values, and characters of them."""

    values: int = 0
    text: int = 0


def weight(node: Node) -> Weight:
    """Weigh a tree as what is made is weighed."""
    match node:
        case Scalar():
            return Weight(1, len(node.text))
        case Sequence():
            inner = [weight(item) for item in node.items]
        case Mapping():
            inner = [weight(entry.node) for entry in node.entries.values()]
        case _:
            inner = []
    return Weight(1 + sum(one.values for one in inner), sum(one.text for one in inner))


class Room:
    """What may still be made of one file."""

    def __init__(self) -> None:
        """All of it."""
        self._all = Weight(MAX_VALUES, MAX_TEXT)
        self._values, self._text = self._all
        self._hints = MAX_HINTS

    @property
    def taken(self) -> Weight:
        """What was made, or would have been."""
        return Weight(self._all.values - self._values, self._all.text - self._text)

    def take(self, text: int, *, values: int = 1) -> None:
        """Take room for a value of so many characters, or for more of one.

        Raises:
            TooMuchError: There is not so much left.
        """
        self._values -= values
        self._text -= text
        if self._values < 0 or self._text < 0:
            raise TooMuchError

    def near(self, name: str, words: Words[str, Scalar]) -> str:
        """Give the word that may have been meant; "" where none is near, or looking takes too long."""
        if len(words) > MAX_KNOWN or len(name) > MAX_WORD or not self._hints:
            return ""
        self._hints -= 1
        return next(iter(get_close_matches(name, list(words), n=1)), "")


def filled(node: Node, words: Words[str, Scalar], room: Room) -> Node:
    """Give a tree with its words filled in.

    Raises:
        WrongWordError: A word has no value, or a brace stands alone.
        TooMuchError: There is no room for it.
    """
    match node:
        case Scalar():
            return _text(node, words, room)
        case Sequence():
            room.take(0)
            items = tuple(filled(item, words, room) for item in node.items)
            return Sequence(node.place, items, node.size)
        case Mapping():
            room.take(0)
            entries = {
                key: Entry(entry.place, filled(entry.node, words, room))
                for key, entry in node.entries.items()
            }
            return Mapping(node.place, entries, node.size)
    return node


def _text(node: Scalar, words: Words[str, Scalar], room: Room) -> Scalar:
    room.take(len(node.text))  # before it is looked at: what can't be filled in takes its time too
    alone = _PIECE.fullmatch(node.text)
    if alone and alone.group(1) is not None:
        found = _word(alone.group(1), words, room)
        room.take(len(found.text), values=0)
        return found
    pieces = list(_PIECE.finditer(node.text))
    values = [_piece(piece, words, room) for piece in pieces]
    room.take(sum(map(len, values)), values=0)
    if not pieces:
        return node
    left = iter(values)
    # Filled in, it is text: `1{n}` is no number.
    return Scalar(node.place, _PIECE.sub(lambda _: next(left), node.text), plain=False)


def _piece(piece: re.Match[str], words: Words[str, Scalar], room: Room) -> str:
    found = piece.group()
    if found in {"{{", "}}"}:
        return found[0]
    if piece.group(1) is None:
        raise WrongWordError("a brace stands alone", "write `{{` or `}}` for a brace")
    return _word(piece.group(1), words, room).text


def _word(name: str, words: Words[str, Scalar], room: Room) -> Scalar:
    if name in words:
        return words[name]
    near = room.near(name, words)
    hint = f"did you mean {{{near}}}?" if near else f"add {cut(name)}: ... to this entry"
    raise WrongWordError(f"{shown(f'{{{name}}}')} has no value here", hint)
