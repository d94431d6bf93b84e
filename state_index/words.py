"""Words of others as databases take them."""

import re
from typing import Final

_NO_CHARACTERS: Final = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL takes no NUL, and no encoding has halves of characters."""


def storable(text: str) -> str:
    """Give text with a question mark for each character that no database takes."""
    return _NO_CHARACTERS.sub("?", text)
