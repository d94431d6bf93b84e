"""Sizes with units: `4Gi` to bytes and back. Nothing here knows a key or a limit."""

import re
from fractions import Fraction
from functools import lru_cache

from spec.errors import RuleError
from spec.problems import shown

UNITS: dict[str, int] = {
    "Ki": 1024,
    "Mi": 1024**2,
    "Gi": 1024**3,
    "Ti": 1024**4,
    "K": 1000,
    "M": 1000**2,
    "G": 1000**3,
    "T": 1000**4,
}
"""Bytes per unit."""

SIZE_PATTERN = r"^[0-9]{1,15}(\.[0-9]{1,9})?(Ki|Mi|Gi|Ti|K|M|G|T)$"
_LOOSE = re.compile(r"([0-9]{1,15}(?:[.,][0-9]{1,9})?)\s*([A-Za-z]*)")


def parse_size(text: str) -> int:
    """Bytes of a size such as `512Mi`, `1.5Gi` or `2G`.

    Raises:
        RuleError: not a number with one of `UNITS`, or not a whole number of bytes.
    """
    return _bytes(text)


@lru_cache(1024)  # of a thousand files, most ask for the same
def _bytes(text: str) -> int:
    if re.match(SIZE_PATTERN, text) is None or text.endswith("\n"):
        raise RuleError(f"{shown(text)} is not a size", _repair(text))
    number = text.rstrip("KMGTi")
    size = Fraction(number) * UNITS[text[len(number) :]]
    if size.denominator != 1:
        raise RuleError(f"{shown(text)} is not a whole number of bytes", "use a smaller unit")
    return int(size)


def format_size(size: int) -> str:
    """The shortest exact way to write a number of bytes; `parse_size` gives it back.

    >>> format_size(4 * 1024**3)
    '4Gi'
    """
    exact = [(size // factor, unit) for unit, factor in UNITS.items() if size % factor == 0]
    if exact:
        number, unit = min(exact)
        return f"{number}{unit}"
    return f"{size // 1000}.{size % 1000:03d}K"


def _repair(text: str) -> str:
    """Guess what was meant: `4GB`, `4 gi` and `4GiB` are what people write for `4Gi`."""
    match = _LOOSE.fullmatch(text.strip())
    if match is None:
        return "write a number and a unit, such as 512Mi or 4Gi"
    number, unit = match.group(1).replace(",", "."), match.group(2)
    if not unit:
        return f"add a unit: {number}Gi or {number}Mi"
    letter = unit[0].upper()
    if letter not in "KMGT" or not re.fullmatch(r"(?i)[kmgt]i?(b|bytes?)?", unit):
        return f"the units are {', '.join(UNITS)}: write {number}Gi or {number}Mi"
    return f"write {number}{letter}i"
