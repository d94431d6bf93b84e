"""The security headers of our own answers. Pure. Workspaces' answers get theirs in the proxy."""

from typing import Final

CSP: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'self'"
)
"""No inline script or style, nothing from elsewhere. `'self'` frames: VS Code shows some."""

_COMMON: Final = (
    ("content-security-policy", CSP),
    ("x-content-type-options", "nosniff"),
    # Not `no-referrer`: with that, browsers send `Origin: null` with our own forms.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin-allow-popups"),
)
_HSTS: Final = ("strict-transport-security", "max-age=31536000")


def security_headers(*, https: bool) -> dict[str, str]:
    """Return the headers that each page and each API answer carries."""
    return dict((*_COMMON, _HSTS) if https else _COMMON)
