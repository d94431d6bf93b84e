"""Words of others, a container's log among them, as every database and screen takes them."""

import re
from typing import Final

_STEERING: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # colours, the cursor
    r"|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # titles, links, the clipboard
    r"|[ -/]*[0-~])?"
)
"""What steers a terminal: ECMA-48, sections 5.3 to 5.6, and BEL, which xterm takes as an end."""

_LINE_ENDS: Final = re.compile(r"\r+\n?")

_NO_CHARACTERS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""PostgreSQL takes no NUL, no encoding has halves of characters, and controls steer terminals."""


def plain(text: str) -> str:
    """Give what somebody reads who has no terminal: no colours, and a line for each that was drawn."""
    return _LINE_ENDS.sub("\n", _STEERING.sub("", text))


def storable(text: str) -> str:
    """Give plain words with a question mark for each character that is not for databases or screens."""
    return _NO_CHARACTERS.sub("?", plain(text))
