"""Where each value of a file's text begins and ends, for `spec.edit`. Pure.

`spec.tree` says what a file means; this says which characters say it, with aliases and merge keys
as they were written. It is asked only about texts in which `spec.tree` found nothing wrong.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from ruamel.yaml import YAML, events

from spec.nodes import Scalar
from spec.text import START

MERGE = "<<"
_COLON = re.compile(r"[ \t]*:")
_HEADER_COMMENT = re.compile(r"[|>][-+0-9]*[ \t]+(#[^\r\n]*)")
_REST = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)?")


@dataclass(slots=True, eq=False)
class Mark:
    """One value as it is written.

    Attributes:
        kind: what it is.
        start: index of its first character, or of its anchor's.
        end: index after its last one, without blank lines that follow.
        text: of a scalar, quotes undone.
        style: of a scalar: its quote, `|` or `>`; None when plain.
        flow: of a mapping: whether it is in braces.
        anchor: the name by which aliases may refer to it.
        target: of an alias: what it refers to.
        entries: of a mapping, in order; a merge key is one of them.
        items: of a list.
    """

    kind: Literal["scalar", "mapping", "sequence", "alias"]
    start: int
    end: int
    text: str = ""
    style: str | None = None
    flow: bool = False
    anchor: str | None = None
    target: "Mark | None" = None
    entries: "list[Entry]" = field(default_factory=list)
    items: "list[Mark]" = field(default_factory=list)

    @property
    def meant(self) -> "Mark":
        """Itself; of an alias, what it refers to."""
        return self.target.meant if self.target is not None else self


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping, and its value."""

    key: Mark
    value: Mark

    @property
    def name(self) -> str:
        """The key's text."""
        return self.key.meant.text

    @property
    def merges(self) -> bool:
        """Whether it takes in other mappings' keys."""
        return self.key.kind == "scalar" and self.key.style is None and self.key.text == MERGE


def marks(text: str) -> Mark:
    """Return the document's root; the text must be one that `spec.tree` reads without a flaw."""
    return _Composer(text).document()


def plain(mark: Mark) -> Any:
    """Return the value that a mark has, aliases and merge keys resolved."""
    meant = mark.meant
    if meant.kind == "scalar":
        return Scalar(START, meant.text, plain=meant.style is None).value
    if meant.kind == "sequence":
        return [plain(item) for item in meant.items]
    found = {entry.name: plain(entry.value) for entry in meant.entries if not entry.merges}
    for entry in meant.entries:
        if entry.merges:
            source = entry.value.meant
            for one in source.items if source.kind == "sequence" else [source]:
                found = plain(one) | found
    return found


def inside(mark: Mark) -> Iterator[Mark]:
    """Give a mark and every one in it."""
    yield mark
    for entry in mark.entries:
        yield from inside(entry.key)
        yield from inside(entry.value)
    for item in mark.items:
        yield from inside(item)


def after_colon(text: str, key: Mark) -> int | None:
    """Return the index after a key's colon; None when the colon does not follow the key."""
    found = _COLON.match(text, key.end)
    return found.end() if found else None


def header_comment(text: str, value: Mark) -> str:
    """Return the comment in the first line of a block scalar, "" when there is none."""
    found = _HEADER_COMMENT.search(text, value.start) if value.style in ("|", ">") else None
    return found[1] if found and found.end() <= value.end else ""


def line_after(text: str, entry: Entry) -> int:
    """Return the index of the line after an entry of a block mapping."""
    value = entry.value
    if value.entries and not value.flow:
        return line_after(text, value.entries[-1])
    if value.style in ("|", ">") and "+" in text[value.start : value.end].splitlines()[0]:
        return _kept_end(text, value)
    end = max(value.end, after_colon(text, entry.key) or 0)
    rest = _REST.match(text, end)
    return rest.end() if rest else end


def _kept_end(text: str, value: Mark) -> int:
    """Return where a block scalar ends that keeps the blank lines after it."""
    blank = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)?(?:[ \t]*(?:\r\n|\n|\r))*").match(text, value.end)
    return blank.end() if blank else value.end


class _Composer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._anchors: dict[str, Mark] = {}
        _, self._parser = YAML(typ="safe", pure=True).get_constructor_parser(text)

    def document(self) -> Mark:
        while not isinstance(self._parser.peek_event(), events.DocumentStartEvent):
            self._parser.get_event()
        self._parser.get_event()
        return self._node(self._parser.get_event())

    def _node(self, event: Any) -> Mark:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, events.AliasEvent):
            return Mark("alias", start, end, target=self._anchors[event.anchor])
        if isinstance(event, events.ScalarEvent):
            mark = self._scalar(event, start, end)
        elif isinstance(event, events.SequenceStartEvent):
            mark = self._sequence(start)
        else:
            mark = self._mapping(event, start)
        if event.anchor is not None:
            mark.anchor = event.anchor
            self._anchors[event.anchor] = mark
        return mark

    def _scalar(self, event: Any, start: int, end: int) -> Mark:
        written = self._text[start:end]
        if event.style in ("|", ">"):
            end = start + len(written.rstrip(" \t\r\n"))
        return Mark("scalar", start, end, text=event.value, style=event.style)

    def _sequence(self, start: int) -> Mark:
        mark = Mark("sequence", start, start)
        while not isinstance(event := self._parser.get_event(), events.SequenceEndEvent):
            mark.items.append(self._node(event))
        mark.end = event.end_mark.index
        return mark

    def _mapping(self, opening: Any, start: int) -> Mark:
        mark = Mark("mapping", start, start, flow=bool(opening.flow_style))
        while not isinstance(event := self._parser.get_event(), events.MappingEndEvent):
            key = self._node(event)
            mark.entries.append(Entry(key, self._value(key)))
        # The end of one without braces is told where the next value begins, comments skipped.
        mark.end = event.end_mark.index if mark.flow else mark.entries[-1].value.end
        return mark

    def _value(self, key: Mark) -> Mark:
        value = self._node(self._parser.get_event())
        if value.kind == "scalar" and value.start == value.end:  # told somewhere behind its colon
            value.start = value.end = after_colon(self._text, key) or key.end
        return value
