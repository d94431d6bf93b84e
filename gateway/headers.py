"""The security headers of our own answers. Pure. Workspaces' answers get theirs in the proxy."""

from typing import Final

CSP: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
"""No inline script or style, nothing from elsewhere, and not in a frame: workspaces are on this
origin, and could read and click in a frame of ours. Their own answers don't get this."""

_COMMON: Final = (
    ("content-security-policy", CSP),
    ("x-content-type-options", "nosniff"),
    # Not `no-referrer`: with that, browsers send `Origin: null` with our own forms.
    ("referrer-policy", "same-origin"),
    # Whoever opened us, or was opened by us, has no hold on our window: workspaces, which send no
    # such header, are on this origin too. Browsers heed it on HTTPS and on loopback.
    ("cross-origin-opener-policy", "same-origin"),
)
_HSTS: Final = ("strict-transport-security", "max-age=31536000")


def security_headers(*, https: bool) -> dict[str, str]:
    """Return the headers that each page and each API answer carries."""
    return dict((*_COMMON, _HSTS) if https else _COMMON)
