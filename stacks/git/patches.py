"""What is told of git's diff of workspace files: no line that may hold a secret. Pure.

Of git's own words only those are told that say no line of a file: behind `@@` it repeats one. Names of
blobs are not told either: who knows the rest of a file could try out short secrets by them.
"""

import re
from collections.abc import Iterator, Mapping

from stacks import secrecy
from stacks.secret_lines import Fragments, Version
from telemetry.words import printable

UNREADABLE = (
    "(its lines are not shown: one of the two versions can't be read as a workspace file, "
    "so what may be a secret in it is not known)"
)
"""Stands for the lines of a file's diff."""

_INDEX = re.compile(r"index ([0-9a-f]{40,64})\.\.([0-9a-f]{40,64})(?: [0-7]{6})?")
_HUNK = re.compile(r"(@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@).*", re.DOTALL)
_FILE = "diff --git "
_HEAD = (
    *("old mode ", "new mode ", "new file mode ", "deleted file mode "),
    *("--- ", "+++ ", "Binary files "),
)
_NO_END = "\\ No newline at end of file"
_NOTHING = Version()


def told(patch: str, versions: Mapping[str, Version | None], fragments: Fragments) -> list[str]:
    """Give the lines of a diff that people are told.

    Args:
        patch: What git says, with whole names of blobs.
        versions: What is known of each blob; one that is not there, or None, can't be read.
        fragments: What is told nowhere.
    """
    return list(_Telling(versions, fragments).lines(patch))


class _Telling:
    def __init__(self, versions: Mapping[str, Version | None], fragments: Fragments) -> None:
        self._versions = versions
        self._fragments = fragments
        self._hidden: dict[str, frozenset[int]] | None = None
        """Of the file that is told now, by sign; None where nothing is."""
        self._at = {"-": 0, "+": 0}
        self._left = {"-": 0, "+": 0}

    def lines(self, patch: str) -> Iterator[str]:
        """Give the lines."""
        in_head = True
        for line in patch.split("\n"):
            if any(self._left.values()):
                yield from self._body(line)
            elif line.startswith(_FILE):
                in_head, self._hidden = True, None
                yield _printable(line)
            elif found := _HUNK.fullmatch(line):
                if in_head and self._hidden is None:
                    yield UNREADABLE
                in_head = False
                yield self._hunk(found)
            elif in_head and (index := _INDEX.fullmatch(line)):
                self._hidden = self._sides(index[1], index[2])
            elif line == _NO_END or (in_head and line.startswith(_HEAD)):
                yield _printable(line)

    def _sides(self, *blobs: str) -> dict[str, frozenset[int]] | None:
        """Give the lines that are not told, by sign."""
        found = {}
        for sign, blob in zip("-+", blobs, strict=True):
            version = self._versions.get(blob) if blob.strip("0") else _NOTHING
            if version is None:
                return None
            found[sign] = version.withheld(self._fragments)
        return found

    def _hunk(self, found: re.Match[str]) -> str:
        starts, counts = (found[2], found[4]), (found[3], found[5])
        for sign, start, count in zip("-+", starts, counts, strict=True):
            self._at[sign], self._left[sign] = int(start), int(count or 1)
        return found[1]

    def _body(self, line: str) -> Iterator[str]:
        if line == _NO_END:
            if self._hidden is not None:
                yield line
            return
        sign = line[:1]
        sides = sign if sign in self._left else "-+"
        numbers = [(side, self._at[side]) for side in sides]
        for side in sides:
            self._at[side] += 1
            self._left[side] = max(0, self._left[side] - 1)
        if self._hidden is None:
            return
        held = any(number in self._hidden[side] for side, number in numbers)
        if held or self._fragments.are_in(line[1:]):
            yield f"{sign}{secrecy.HIDDEN}"
        else:
            yield f"{sign}{_printable(line[1:])}"


def _printable(text: str) -> str:
    return printable(text, keep="\t")
