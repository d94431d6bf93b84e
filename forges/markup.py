"""Markdown for comments: words of others made harmless, the hidden marker, a bound to the length. Pure.

What a forge makes of a comment is more than its Markdown: it calls people by `@name`, links `#12`,
commits and addresses, and GitLab obeys a line such as `/merge`. Values from workspace files and titles
go through `code`, `block` or `plain`; then a reader sees them, and nothing happens.
"""

import re
import unicodedata
from dataclasses import dataclass, replace

BREAK = "\u200b"
"""Zero-width space: between the parts of what a forge would take for a reference."""
MARKER = re.compile(r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]")
CUT_NOTE = "\n\n*This comment is cut here: it is longer than the forge takes.*\n"

_UNFOLD = "\n\n</details>"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# A name after @, a number after # and the like, the parts of an address, a commit.
_REFERENCES = re.compile(
    r"(?<=[@#!$%&~^\[])(?=\S)|(?<=://)|(?<=\bwww)(?=\.)|(?<=\bGH-)(?=\d)|(?<=[0-9a-f]{6})(?=[0-9a-f])",
    re.IGNORECASE,
)
_RUNS = re.compile(r"`+")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")


def visible(text: str) -> str:
    """The same text with control characters, and such as turn the direction of writing, spelled out.

    New lines and tabs stay.
    """
    return "".join(
        f"\\u{{{ord(one):x}}}"
        if one not in "\n\t" and unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        else one
        for one in text
    )


def _line(text: str) -> str:
    return " ".join(visible(text.replace("\r\n", "\n").replace("\r", "\n")).split())


def code(text: str, *, cell: bool = False) -> str:
    """A value as one code span: in it, nothing is a reference, a tag or a mark.

    Args:
        text: any text; new lines become spaces.
        cell: whether it stands in a table, where `|` ends a cell even in a code span.
    """
    line = _line(text)
    if not line:
        return "*(empty)*"
    if cell:
        line = line.replace("|", "\\|")
    fence = "`" * (max((len(run) for run in _RUNS.findall(line)), default=0) + 1)
    space = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{space}{line}{space}{fence}"


def block(text: str, *, language: str = "") -> str:
    """Several lines as one code block, which they can't end."""
    shown = visible(text.replace("\r\n", "\n").replace("\r", "\n")).rstrip("\n")
    fence = "`" * max(3, max((len(run) for run in _RUNS.findall(shown)), default=0) + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def plain(text: str) -> str:
    """Words as words, in one line: no mark, tag, mention, link or command, also at the start of a line."""
    broken = _REFERENCES.sub(BREAK, _line(text))
    return _PUNCTUATION.sub(r"\\\1", broken)


def hidden(marker: str) -> str:
    """The line by which we find a comment again; a reader of the page does not see it.

    Raises:
        ValueError: it is not a marker.
    """
    if not MARKER.fullmatch(marker) or "--" in marker:
        raise ValueError(f"not a marker: {marker[:80]!r}")
    return f"<!-- codehub:{marker} -->"


def is_marked(body: str, marker: str) -> bool:
    """Whether a comment begins with the marker; a quoted one stands further below."""
    return body.splitlines()[:1] == [hidden(marker)]


def cut(body: str, limit: int) -> str:
    """A Markdown text of at most so many characters, with a note where something is left out.

    It ends with a whole line; a code block and folded parts that are open there are closed, so that the
    note is read as one.
    """
    if len(body) <= limit:
        return body
    room = limit - len(CUT_NOTE)
    ends, size, kept, closed = _Ends("", 0), 0, 0, _Ends("", 0)
    # The last line may be half a one.
    for line in body[:limit].split("\n")[:-1]:
        ends = ends.after(line)
        size += len(line)
        if size + len(ends) <= room:
            kept, closed = size, ends
        size += 1
    return body[:kept] + closed.text() + CUT_NOTE if kept else CUT_NOTE.strip()[:limit]


@dataclass(frozen=True, slots=True)
class _Ends:
    """What is open after some lines: the fence of a code block, and so many folded parts."""

    fence: str
    folded: int

    def after(self, line: str) -> "_Ends":
        """What is open after one more line."""
        found = _FENCE.match(line)
        if self.fence:
            ends = found and found[1].startswith(self.fence) and not found[2].strip()
            return replace(self, fence="") if ends else self
        if found:
            return replace(self, fence=found[1])
        opened = line.count("<details") - line.count("</details>")
        return replace(self, folded=self.folded + opened) if opened else self

    def __len__(self) -> int:
        """Characters of what closes it; a cut tries each line, so nothing is built for that."""
        fence = len(self.fence) + 1 if self.fence else 0
        return fence + len(_UNFOLD) * max(0, self.folded)

    def text(self) -> str:
        """What closes it."""
        return (f"\n{self.fence}" if self.fence else "") + _UNFOLD * max(0, self.folded)


def one_line(text: str, limit: int) -> str:
    """A description or a title: one line of at most so many characters."""
    line = _line(text)
    return line if len(line) <= limit else line[: limit - 1] + "…"
