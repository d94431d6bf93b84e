"""The sections of our one comment: each writer has one, and leaves the others' alone. Pure.

A job of the forge tells what files say, the runner what is there; both write into the same comment.
A section names the commit that it is about: what was said of another one is dropped, for it would be
read as said of this one. What it holds can't end it: such a line in it is broken first.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

from forges.fields import SHA
from forges.markup import BREAK, CUT_NOTE, cut, hidden

Name = Literal["files", "live"]
"""`files`: what two commits say; `live`: what is there. In this order, and the first one gets the room."""

ORDER: tuple[Name, ...] = get_args(Name)

_FORGED = re.compile(r"(?<=<!--)(?=\s*codehub:(?:section|end)\b)", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
_BEGIN = re.compile(rf"<!-- codehub:section ({'|'.join(ORDER)}) ({SHA.pattern}) -->")


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the comment.

    Attributes:
        name: whose it is.
        head: the commit that it is about, its whole name.
        body: Markdown.
    """

    name: Name
    head: str
    body: str

    def __post_init__(self) -> None:
        """Refuse what could not be read again.

        Raises:
            ValueError: no such name, or not a commit.
        """
        if self.name not in ORDER or not SHA.fullmatch(self.head):
            raise ValueError(f"not a section of a commit: {self.name!r}, {self.head[:80]!r}")


def read(text: str) -> list[Section]:
    """The sections of a comment; what is in none of them, or in one without an end, is left out."""
    return list(_read(text.replace("\r\n", "\n").split("\n")))


def _read(lines: Iterable[str]) -> Iterator[Section]:
    begun: Section | None = None
    body: list[str] = []
    for line in lines:
        if found := _BEGIN.fullmatch(line.rstrip()):
            name = next(one for one in ORDER if one == found[1])
            begun, body = Section(name, found[2], ""), []
        elif begun is not None and line.rstrip() == _end(begun.name):
            yield replace(begun, body="\n".join(body))
            begun = None
        else:
            body.append(line)


def joined(texts: Iterable[str], new: Section) -> list[Section]:
    """A new section beside those of other writers that are about the same commit.

    Args:
        texts: our comments as they are, the later one last; of a name twice, the later one counts.
        new: what is to be said.
    """
    found = {one.name: one for text in texts for one in read(text) if one.head == new.head}
    found[new.name] = new
    return [found[name] for name in ORDER if name in found]


def written(sections: Iterable[Section], *, marker: str, limit: int) -> str:
    """The comment of these sections, of at most so many characters.

    What does not fit is cut from the last section first, each at the end of a line and with a note, so
    that the room is for what the first one says first.

    Raises:
        ValueError: it is not a marker.
    """
    parts = [replace(one, body=_harmless(one.body, marker)) for one in sections]
    room = limit - len(hidden(marker)) - sum(len(_framed(replace(one, body=""))) for one in parts)
    told = [hidden(marker)]
    for after, one in zip(reversed(range(len(parts))), parts, strict=True):
        body = cut(one.body, room - after * len(CUT_NOTE)).strip("\n")
        room -= len(body)
        told.append(_framed(replace(one, body=body)))
    return "".join(told)


def _framed(one: Section) -> str:
    return f"\n<!-- codehub:section {one.name} {one.head} -->\n{one.body}\n{_end(one.name)}"


def _end(name: str) -> str:
    return f"<!-- codehub:end {name} -->"


def _harmless(body: str, marker: str) -> str:
    """A body in which no line begins or ends a section, and whose own marker is not repeated."""
    text = _UNSEEN.sub("", body.replace("\r\n", "\n").replace("\r", "\n"))
    first = re.compile(rf"\A(?:\n*{re.escape(hidden(marker))}(?=\n|\Z))*\n*")
    return _FORGED.sub(BREAK, first.sub("", text, count=1)).strip("\n")
