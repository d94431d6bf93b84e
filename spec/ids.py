"""Which names a workspace may have. The id is the file's name without `.yaml`."""

import re

from spec.errors import InvalidIdError
from spec.problems import shown

ID_PATTERN = r"[a-z]([a-z0-9]|-(?!-)){0,38}[a-z0-9]"
"""2 to 40 of a-z, 0-9 and single `-`, from a letter to a letter or digit."""

RESERVED = frozenset(
    # Names that we give to things of our own beside workspaces: stacks, objects, pages.
    [
        "admin",
        "all",
        "api",
        "assets",
        "codehub",
        "default",
        "gateway",
        "health",
        "healthz",
        "home",
        "index",
        "internal",
        "login",
        "logout",
        "me",
        "metrics",
        "network",
        "new",
        "none",
        "null",
        "oauth",
        "portal",
        "readyz",
        "runner",
        "self",
        "session",
        "shared",
        "static",
        "status",
        "system",
        "target",
        "users",
        "validate",
        "workspace",
        "workspaces",
    ]
)
"""Well-formed names that no workspace may have."""

_ID = re.compile(ID_PATTERN)
_LENGTH = 40


def check_id(text: str) -> str:
    """Give back a valid id.

    Raises:
        InvalidIdError: the name breaks `ID_PATTERN` or is one of `RESERVED`.
    """
    if _ID.fullmatch(text) is None:
        raise InvalidIdError(f"{shown(text)} can't be a workspace's id", _hint(text))
    if text in RESERVED:
        raise InvalidIdError(f"{shown(text)} is a reserved name", f"choose another: {text}-1")
    return text


def _hint(text: str) -> str:
    near = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-0123456789")[:_LENGTH].rstrip("-")
    if _ID.fullmatch(near) and near not in RESERVED:
        return f"rename it, for example to {near}"
    return "2 to 40 of a-z, 0-9 and single -, beginning with a letter, not ending in -"
