"""Times in words, for templates. The scripts say them the same way as time passes."""

import re
from datetime import UTC, datetime

from markupsafe import Markup, escape

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_JUST_NOW = 10
_TICKED = re.compile(r"`([^`]+)`")


def ticked(text: str) -> Markup:
    """Return text, escaped, with what stands in backticks as code."""
    return Markup(_TICKED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped first


def ago_words(seconds: float) -> str:
    """Return how long ago something was."""
    if seconds < _JUST_NOW:
        return "just now"
    for size, unit, limit in ((1, "s", _MINUTE), (_MINUTE, "min", _HOUR), (_HOUR, "h", _DAY)):
        if seconds < limit:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds // _DAY)} d ago"


def elapsed_words(seconds: float) -> str:
    """Return how long something has lasted."""
    whole = max(0, int(seconds))
    return f"{whole} s" if whole < _MINUTE else f"{whole // _MINUTE} min {whole % _MINUTE} s"


def ago(at: datetime) -> Markup:
    """Return a `time` element that says how long ago a time was, and exactly when on hovering."""
    words = ago_words(_since(at))
    return Markup('<time datetime="{}" title="{}" data-ago>{}</time>').format(
        at.isoformat(), _exact(at), words
    )


def elapsed(at: datetime) -> str:
    """Return how long something has lasted that began at a time."""
    return elapsed_words(_since(at))


def clock(at: datetime) -> Markup:
    """Return a `time` element for a time to come."""
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), _exact(at))


def _since(at: datetime) -> float:
    return max(0.0, (datetime.now(UTC) - at).total_seconds())


def _exact(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
