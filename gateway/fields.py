"""The fields of a form that a page sends. Pure.

The framework remembers the last thousand bodies that it took apart, whole: passwords among them, and
megabytes of files. So they are taken apart here, and nothing outlives its request.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl

from gateway.errors import InvalidInputError

MOST: Final = 1000
"""Fields that a form may have; the largest of ours has two for each of its variables."""

_TYPE: Final = "application/x-www-form-urlencoded"


class Fields:
    """Names and values, in the order of the form. They are not shown: some are secrets."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        self._pairs = pairs

    def get(self, name: str, default: str = "") -> str:
        """Return a field's value; of several the last."""
        found = self.every(name)
        return found[-1] if found else default

    def every(self, name: str) -> list[str]:
        """Return the values of all fields of a name."""
        return [value for key, value in self._pairs if key == name]

    def items(self) -> dict[str, str]:
        """Return the values by name; of several the last."""
        return dict(self._pairs)


def read_fields(body: bytes, content_type: str) -> Fields:
    """Take a body apart.

    Args:
        body: the body; an empty one has no fields, whatever it is called.
        content_type: as the header says it.

    Raises:
        InvalidInputError: it is no form, or one with too many fields.
    """
    if not body:
        return Fields()
    if content_type.partition(";")[0].strip().lower() != _TYPE:
        raise InvalidInputError(f"A form must be sent as {_TYPE}.")
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST
        )
    except ValueError:
        raise InvalidInputError(f"A form may have {MOST} fields.") from None
    return Fields(pairs)
