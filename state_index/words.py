"""Words as every database takes them: what others wrote, a container's log among it, may hold anything."""

import re

_NO_CHARACTERS = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL takes no NUL, and no encoding has halves of characters."""


def storable(text: str) -> str:
    """Give words with a question mark for each that no database takes."""
    return _NO_CHARACTERS.sub("?", text)
