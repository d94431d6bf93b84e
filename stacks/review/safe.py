"""Foreign text in comments and terminals: nobody's file writes our Markdown. Pure.

Everything that a file, a name or a rule says goes into a code span or a fenced block, where forges
make no links, mentions, references or HTML of it; what is not printable (control characters, line
ends, bidirectional overrides, zero-width ones) is escaped first, and what is long is cut.
"""

import re

from spec.problems import printable

VALUE = 200
"""Characters of one value that are shown."""
SENTENCE = 400
"""Characters of a message."""

_RUNS = re.compile("`+")


def line(text: str, most: int = SENTENCE) -> str:
    """Give a text as one printable line, cut when long."""
    kept = printable(text[:most])
    # A combining mark or a private character counts as printable, and would reach into its surroundings.
    return kept if len(text) <= most else f"{kept}... ({len(text)} characters)"


def code(text: str, most: int = SENTENCE) -> str:
    """Give a text as a Markdown code span, whatever is in it.

    A pipe is escaped, which code spans outside of tables would show: there is no foreign text in
    tables.
    """
    shown = line(text, most) or " "
    ticks = "`" * (1 + max((len(run) for run in _RUNS.findall(shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def fence(lines: list[str], language: str = "") -> list[str]:
    """Give lines, each printable already, as a fenced block that none of them can close."""
    runs = [len(run) for each in lines for run in _RUNS.findall(each)]
    ticks = "`" * max(3, 1 + max(runs, default=0))
    return [f"{ticks}{language}", *lines, ticks]
