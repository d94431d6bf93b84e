"""What each value of a sync window in `_policies.yaml` may be: raw value in, checked value out.

As `spec.rule_values`. Nothing is read but the time zone database, to know a zone's name.
"""

import re
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from spec.errors import RuleError
from spec.problems import shown
from spec.rule_values import one_of, text_of

KINDS: Final = ("allow", "deny")
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

CLOCK_PATTERN: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
END_PATTERN: Final = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
ZONE_PATTERN: Final = r"^(UTC|[A-Z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,32}){1,2})$"
"""Names of places: three letters (`EST`) mostly are an offset that knows no summer."""
WORKSPACES_PATTERN: Final = r"^[a-z0-9*-]{1,40}$"

_NO_ZONES = "install the package tzdata: this machine has no table of time zones"


def kind(value: object) -> str:
    """What a window does."""
    return one_of(value, KINDS, "a kind of window")


def day(value: object) -> str:
    """A day of the week."""
    text = text_of(value, "mon")
    if text.lower()[:3] in DAYS and text not in DAYS:
        raise RuleError(f"{shown(text)} is not a day", f"write {text.lower()[:3]}")
    return one_of(text, DAYS, "a day")


def days(value: list[str]) -> list[str]:
    """All days of a window."""
    if not value:
        raise RuleError("the list is empty", f"name days, or remove it: {', '.join(DAYS)}")
    return value


def begin(value: object) -> str:
    """A time of day at which a window begins."""
    text = text_of(value, '"22:00"')
    if re.fullmatch(CLOCK_PATTERN, text) is None or text.endswith("\n"):
        raise RuleError(f"{shown(text)} is not a time of day", _clock_hint(text))
    return text


def end(value: object) -> str:
    """A time of day at which a window ends."""
    return "24:00" if value == "24:00" else begin(value)


def zone(value: object) -> str:
    """A time zone, by the name that the time zone database has."""
    text = text_of(value, "Europe/Berlin")
    if re.fullmatch(ZONE_PATTERN, text) is None or text.endswith("\n"):
        hint = "write a place, such as Europe/Berlin, or UTC"
        raise RuleError(f"{shown(text)} is not a time zone", hint)
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RuleError(f"{shown(text)} is not a time zone", _zone_hint(text)) from None
    return text


def pattern(value: object) -> str:
    """A workspace's id, or a pattern of ids."""
    text = text_of(value, "class-*")
    if re.fullmatch(WORKSPACES_PATTERN, text) is None or text.endswith("\n"):
        hint = "write an id, with * for anything: class-*"
        raise RuleError(f"{shown(text)} is not a pattern of ids", hint)
    return text


def patterns(value: list[str]) -> list[str]:
    """All patterns of a window: an empty list would be for none."""
    if not value:
        raise RuleError("the list is empty", "name at least one workspace, or remove it for all")
    return value


def _clock_hint(text: str) -> str:
    found = re.fullmatch(r"([0-9]{1,2})(?::([0-9]{2}))?(?::[0-9]{2})?", text)
    if found and int(found[1]) < 24 and int(found[2] or 0) < 60:  # noqa: PLR2004 - of a clock
        return f'write "{int(found[1]):02}:{found[2] or "00"}"'
    return 'write hours and minutes of 24 hours: "22:00"'


def _zone_hint(text: str) -> str:
    known = available_timezones()
    if not known:
        return _NO_ZONES
    near = next(iter(get_close_matches(text, sorted(known), n=1)), None)
    return f"did you mean {near}?" if near else "write a place, such as Europe/Berlin, or UTC"
