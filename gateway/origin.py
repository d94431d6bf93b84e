"""Does a request come from our own pages? Pure decisions on header values.

Browsers say where a request comes from in `Sec-Fetch-Site` and `Origin`; pages can't forge either.
Cookies are SameSite=Lax besides, but another port or subdomain counts as the same site there.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_NEXT_MAX = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL as browsers serialise an origin.

    Args:
        url: An absolute http or https URL.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    port = parts.port
    if port is None or port == _DEFAULT_PORTS.get(parts.scheme):
        return f"{parts.scheme}://{host}"
    return f"{parts.scheme}://{host}:{port}"


def unsafe_request_problem(
    *,
    method: str,
    own: str,
    origins: Sequence[str],
    fetch_sites: Sequence[str],
    has_cookie: bool,
) -> str | None:
    """Return why an HTTP request may not change anything, or None when it may.

    Args:
        method: The request's method, upper case.
        own: Our own origin, exactly as a browser writes it.
        origins: Every `Origin` value of the request.
        fetch_sites: Every `Sec-Fetch-Site` value of the request.
        has_cookie: Whether the request carries our session cookie.
    """
    if method in SAFE_METHODS:
        return None
    if origins:
        return _foreign(own, origins) or _cross_site(fetch_sites)
    if fetch_sites:
        return _cross_site(fetch_sites)
    return "it carries a session cookie and no Origin" if has_cookie else None


def handshake_problem(*, own: str, origins: Sequence[str]) -> str | None:
    """Return why a WebSocket handshake is refused, or None: one Origin, exactly our own."""
    return _foreign(own, origins) if origins else "it has no Origin"


def _foreign(own: str, origins: Sequence[str]) -> str | None:
    return None if list(origins) == [own] else "its Origin is not CodeHub's"


def _cross_site(fetch_sites: Sequence[str]) -> str | None:
    fine = not fetch_sites or list(fetch_sites) == ["same-origin"]
    return None if fine else "its Sec-Fetch-Site is not same-origin"


def local_path(target: str, *, default: str = "/") -> str:
    """Return `target` when it is a path on this origin, else `default`: no open redirects.

    Browsers drop tabs and line ends from URLs and read a backslash as a slash, so anything
    outside plain visible ASCII is refused, as are `//host` and its relatives.
    """
    if not target.startswith("/") or len(target) > _NEXT_MAX:
        return default
    if target.startswith("//") or "\\" in target:
        return default
    if any(not "!" <= char <= "~" for char in target):
        return default
    return target
