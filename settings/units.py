"""Durations and sizes as people write them: `30m`, `1h30m`, `512Mi`. Pure."""

import re

from settings.errors import UnitError

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BYTES |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(|[kMGT]|[KMGT]i)", re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds of a duration such as `90s`, `30m`, `1h30m`, `7d`, `250ms`.

    Raises:
        UnitError: it is none; a number without a unit is refused.
    """
    if not _DURATION.fullmatch(text):
        message = (
            "not a duration: a number with a unit ms, s, m, h or d is wanted, such as 30m or 1h30m"
        )
        raise UnitError(message)
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def parse_size(text: str) -> int:
    """Bytes of a size such as `4Gi`, `512Mi`, `10M`, `65536`.

    Raises:
        UnitError: it is none, or no whole number of bytes.
    """
    match = _SIZE.fullmatch(text)
    if not match:
        message = (
            "not a size: a number with a unit Ki, Mi, Gi, Ti, k, M, G or T is wanted, such as 4Gi"
        )
        raise UnitError(message)
    size = float(match[1]) * _BYTES[match[2]]
    if not size.is_integer():
        message = "not a whole number of bytes"
        raise UnitError(message)
    return int(size)


def format_duration(seconds: float) -> str:
    """The shortest duration text for seconds, such as `1h30m` or `300ms`."""
    left = round(seconds * 1000)
    text = ""
    for unit, length in (
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ):
        count, left = divmod(left, length)
        text += f"{count}{unit}" if count else ""
    return text or "0s"
