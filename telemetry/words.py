"""Words of others, a container's log among them, as screens and terminals take them."""

import re
from typing import Final

STEERING: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # colours, the cursor
    r"|[\]PX^_][^\x07\x18\x1a\x1b\x9c\r\n]*(?:[\x07\x18\x1a\x9c]|\x1b\\)?"  # titles, the clipboard
    r"|[ -/]*[0-~])?"
)
"""What steers a terminal: ECMA-48, sections 5.3 to 5.6, and what xterm takes for the end of a string."""

_LINE_ENDS: Final = re.compile(r"\r+\n?")

_CONTROLS: Final = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Controls of terminals, embeddings, overrides and isolates of direction, ends of lines that are none
here, halves of characters."""


def plain(text: str) -> str:
    """Give what somebody reads who has no terminal: no colours, and a line for each that was drawn."""
    return _LINE_ENDS.sub("\n", STEERING.sub("", text))


def harmless(text: str) -> str:
    """Give words for a terminal: plain, with a question mark for each control but tab and line end."""
    return _CONTROLS.sub("?", plain(text))


def escaped(text: str) -> str:
    """Give JSON whose strings harm no terminal; it means the same."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def printable(text: str, *, mark: str = "?", keep: str = "") -> str:
    """Give words for one line of ours: nothing in them ends it, hides or turns the direction.

    Args:
        text: What somebody wrote.
        mark: Stands for each character that does not print.
        keep: Characters that stay all the same.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else mark for char in text)
