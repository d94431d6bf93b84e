"""Line ends of a file that went through a browser, which sends CR LF for each. Pure."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

_BREAK: Final = re.compile(r"(\r\n|\n|\r)")
_MOST_COMPARED: Final = 400
"""Lines between the first and the last change that are compared one by one: the time is their square."""


def with_line_ends_of(text: str, model: str) -> str:
    """Return a text with the line ends of another, each line with its own where these differ.

    Lines that are new end as the other's first one does.
    """
    plain = _BREAK.sub("\n", text)
    pieces = _BREAK.split(model)
    contents, ends = pieces[::2], pieces[1::2]
    usual = ends[0] if ends else "\n"
    if len(set(ends)) <= 1:
        return plain.replace("\n", usual)
    lines = plain.split("\n")
    found, ends = [usual] * len(lines), [*ends, usual]
    for old, new, size in _alike(contents, lines):
        found[new : new + size] = ends[old : old + size]
    for at, line in enumerate(lines[1:], 1):
        if not line and (found[at - 1], found[at]) == ("\r", "\n"):
            found[at] = "\r"  # else both would be one end
    found[-1] = ""
    return "".join(line + end for line, end in zip(lines, found, strict=True))


def _alike(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Give runs of lines that both have: where in each, and how many."""
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i] != new[i]), most)
    most -= head
    tail = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
    yield 0, 0, head
    yield len(old) - tail, len(new) - tail, tail
    between = old[head : len(old) - tail], new[head : len(new) - tail]
    if max(map(len, between)) <= _MOST_COMPARED:
        for run in SequenceMatcher(None, *between).get_matching_blocks():
            yield head + run.a, head + run.b, run.size
