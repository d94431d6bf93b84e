"""Which characters of a file's text to replace so that it says something else. Pure.

A round trip through a YAML library keeps comments, but it writes the whole file anew: spaces,
quotes, line ends and indentation of lines that nobody touched. So what changes is cut out of the
text and put in, and every other character stays.

A value with an anchor speaks for others too. Before it is changed, whoever refers to it gets a
copy of what it was, so that a change reaches no other key.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from spec.marks import Entry, Mark, after_colon, header_comment, inside, line_after, marks, plain
from spec.text import Lines, Place
from spec.writing import UnwritableError, block, inline

_ANCHOR = re.compile(r"&[^\s,\[\]{}]+")
_SPACES = re.compile(r"[ \t]*")
_SKIPPED = re.compile(r"(?:\s|#[^\r\n]*)*")
_BREAK = re.compile(r"\r\n|\n|\r")
_EXPLICIT = "it is not written as `key: value`, on a line of its own"

Path = tuple[str, ...]


class Splice(NamedTuple):
    """Characters from one index to another, and what comes in their place."""

    start: int
    end: int
    text: str


class UnchangeableError(Exception):
    """It can't be changed key by key.

    Attributes:
        place: where.
        key: which, dotted.
        message: why.
    """

    def __init__(self, place: Place, key: str, message: str) -> None:
        self.place = place
        self.key = key
        self.message = message
        super().__init__(message)


def merged(old: Any, patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a merge patch (RFC 7396) makes of a value; no mapping is added to hold nothing."""
    found = dict(old) if isinstance(old, dict) else {}
    for key, wanted in patch.items():
        if wanted is None:
            found.pop(key, None)
        elif not isinstance(wanted, Mapping):
            found[key] = wanted
        elif (value := merged(found.get(key), wanted)) or key in found:
            found[key] = value
    return found


def spliced(text: str, patch: Mapping[str, Any]) -> str:
    """Return a text whose root mapping is changed by a merge patch.

    Raises:
        UnchangeableError: Some of it can't be said by changing single keys.
    """
    plan = _Plan(text)
    plan.change(plan.root, patch, ())
    pieces: list[str] = []
    rest = len(text)
    # From the end; of two that go to one place, the one that was planned first comes first there.
    order = enumerate(plan.all())
    for _, (start, end, new) in sorted(order, key=lambda one: (*one[1][:2], one[0]), reverse=True):
        pieces += [text[end:rest], new]
        rest = start
    return "".join([text[:rest], *reversed(pieces)])


def same(one: Any, other: Any) -> bool:
    """Whether two plain values say the same; 1 is not true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


class _Plan:
    def __init__(self, text: str) -> None:
        self.root = marks(text)
        self._text = text
        first = _BREAK.search(text)
        self._newline = first[0] if first else "\n"
        self._splices: list[Splice] = []
        self._copies: dict[int, Splice] = {}
        self._ended = False
        every = list(inside(self.root))
        self._aliases = [mark for mark in every if mark.target is not None]
        self._braces = [(mark.start, mark.end) for mark in every if mark.flow]

    def all(self) -> list[Splice]:
        """Give what to do, in the order in which it was planned.

        A copy for an alias that goes, or is replaced itself, is not needed.
        """
        copies = [
            copy
            for copy in self._copies.values()
            if not any(one.start <= copy.start and copy.end <= one.end for one in self._splices)
        ]
        return [*self._splices, *copies]

    def change(
        self, mapping: Mark, patch: Mapping[str, Any], path: Path, *, head: int | None = None
    ) -> None:
        """Plan the changes of a mapping that is written out where it stands.

        Args:
            mapping: the mapping.
            patch: what is to change in it.
            path: the keys that lead to it.
            head: where the colon of its key ends.
        """
        own = {entry.name: entry for entry in mapping.entries if not entry.merges}
        values = plain(mapping)
        wanted = merged(values, patch)
        if same(values, wanted):
            return
        self._loosen([mapping], path)
        gone: list[Entry] = []
        added: dict[str, Any] = {}
        for key in patch:
            entry = own.get(key)
            if entry is not None and key in wanted:
                self._set(entry, patch[key], wanted[key], (*path, key))
            elif entry is not None:
                gone.append(entry)
            elif key in wanted and not (key in values and same(values[key], wanted[key])):
                added[key] = wanted[key]
            elif key in values and key not in wanted:
                raise self._refusal(mapping.start, (*path, key), "it comes from elsewhere, by `<<`")
        self._reshape(mapping, gone, added, path, head)

    def _set(self, entry: Entry, change: Any, wanted: Any, path: Path) -> None:
        value = entry.value
        if isinstance(change, Mapping) and value.kind == "mapping":
            self.change(value, change, path, head=after_colon(self._text, entry.key))
        elif not same(plain(value), wanted):
            self._replace(entry, wanted, path)

    def _replace(self, entry: Entry, wanted: Any, path: Path) -> None:
        value, text = entry.value, self._text
        quote = value.style if value.style in ("'", '"') else None
        new = self._written(wanted, value.start, path, quote=quote)
        comment = header_comment(text, value)
        if value.target is None:
            self._loosen(inside(value), path)
        before = ""
        # After a key in quotes a value may follow its colon at once, as in JSON.
        if not text[value.start - 1].isspace() and (value.start == value.end or new[0] != quote):
            before = ": " if after_colon(text, entry.key) is None else " "
        whole = f"{before}{new} {comment}" if comment else f"{before}{new}"
        self._splices.append(Splice(value.start, value.end, whole))

    def _reshape(
        self,
        mapping: Mark,
        gone: list[Entry],
        added: dict[str, Any],
        path: Path,
        head: int | None,
    ) -> None:
        for entry in gone:
            self._loosen([*inside(entry.key), *inside(entry.value)], (*path, entry.name))
        if mapping.flow:
            self._reshape_flow(mapping, gone, added, path)
            return
        for entry in gone:
            start = self._line_start(entry, path)
            self._splices.append(Splice(start, line_after(self._text, entry), ""))
        if added:
            self._append(mapping, added, path)
        elif len(gone) == len(mapping.entries) and path:
            anchor = _ANCHOR.match(self._text, mapping.start) if mapping.anchor else None
            at = anchor.end() if anchor else head
            if at is None:
                raise self._refusal(mapping.start, path, _EXPLICIT)
            self._splices.append(Splice(at, at, " {}"))

    def _append(self, mapping: Mark, added: dict[str, Any], path: Path) -> None:
        first, last = mapping.entries[0], mapping.entries[-1]
        indent = first.key.start - self._line_start(first, path)
        self._line_start(last, path)
        at = line_after(self._text, last)
        try:
            lines = block(added, indent=indent, newline=self._newline)
        except UnwritableError as error:
            raise self._refusal(at, path, str(error)) from error
        if not self._ended and not self._text[:at].endswith(("\n", "\r")):
            self._ended = True
            lines = self._newline + lines
        self._splices.append(Splice(at, at, lines))

    def _reshape_flow(
        self, mapping: Mark, gone: list[Entry], added: dict[str, Any], path: Path
    ) -> None:
        cut = {id(entry) for entry in gone}
        kept = [id(entry) not in cut for entry in mapping.entries]
        last = max((index for index, stays in enumerate(kept) if stays), default=-1)
        for index, entry in enumerate(mapping.entries):
            if not kept[index]:
                self._cut(entry, first=index == 0 and all(kept[1:2]))
        if 0 <= last < len(kept) - 1 and self._comma(mapping.entries[-1]) is None:
            comma = self._comma(mapping.entries[last])
            assert comma is not None  # between it and the next one
            self._splices.append(Splice(comma, comma + 1, ""))
        if not added:
            return
        new = self._written(added, mapping.start, path)[1:-1]
        if last >= 0:
            at = _end(mapping.entries[last])
            self._splices.append(Splice(at, at, f", {new}"))
        else:
            at = self._text.index("{", mapping.start) + 1
            self._splices.append(Splice(at, at, new))

    def _cut(self, entry: Entry, *, first: bool) -> None:
        """Cut an entry out of braces, and the comma after it."""
        start = entry.key.start
        if not first:
            start = len(self._text[:start].rstrip(" \t"))
        self._splices.append(Splice(start, _end(entry), ""))
        comma = self._comma(entry)
        if comma is not None:
            spaces = _SPACES.match(self._text, comma + 1)
            stop = spaces.end() if first and spaces else comma + 1
            self._splices.append(Splice(comma, stop, ""))

    def _comma(self, entry: Entry) -> int | None:
        found = _SKIPPED.match(self._text, _end(entry))
        assert found is not None  # it matches nothing as well
        return found.end() if self._text[found.end() : found.end() + 1] == "," else None

    def _loosen(self, changing: Iterable[Mark], path: Path) -> None:
        """Give whoever refers to one of these, which are at a path, a copy of what it is now."""
        told = {id(mark) for mark in changing if mark.anchor is not None}
        for alias in self._aliases:
            if told and id(alias.target) in told:
                copy = self._written(plain(alias), alias.start, path, flow=True)
                self._copies[alias.start] = Splice(alias.start, alias.end, copy)

    def _line_start(self, entry: Entry, path: Path) -> int:
        start = entry.key.start
        begin = max(self._text.rfind("\n", 0, start), self._text.rfind("\r", 0, start)) + 1
        if self._text[begin:start].strip(" "):
            raise self._refusal(start, path, _EXPLICIT)
        return begin

    def _written(
        self, value: Any, at: int, path: Path, *, quote: str | None = None, flow: bool = False
    ) -> str:
        flow = flow or any(start <= at < end for start, end in self._braces)
        try:
            return inline(value, quote=quote, flow=flow)
        except UnwritableError as error:
            raise self._refusal(at, path, str(error)) from error

    def _refusal(self, at: int, path: Path, message: str) -> UnchangeableError:
        return UnchangeableError(Lines(self._text).place(at), ".".join(path), message)


def _end(entry: Entry) -> int:
    return max(entry.value.end, entry.key.end)
