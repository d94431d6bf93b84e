"""Our one cookie: its name, how it is read and written. Pure.

On HTTPS it is `__Host-codehub`, which browsers take only with Secure, Path=/ and without Domain, so
no other host can plant one. On plain HTTP (one machine, no TLS edge) it is `codehub`.
"""

from collections.abc import Sequence

SECURE_NAME = "__Host-codehub"
PLAIN_NAME = "codehub"
NAMES = frozenset({SECURE_NAME, PLAIN_NAME})
"""Never to be passed on to a workspace, never to be taken from one."""


def cookie_name(*, https: bool) -> str:
    """Return the cookie's name."""
    return SECURE_NAME if https else PLAIN_NAME


def read_cookie(values: Sequence[bytes], *, https: bool) -> str | None:
    """Return the session id that a request carries.

    Args:
        values: Every `Cookie` header of the request.
        https: Whether the public address is HTTPS.

    Returns:
        None without one, and with two: one of them was planted, and which can't be told.
    """
    wanted = cookie_name(https=https).encode("ascii")
    pairs = [pair.strip().partition(b"=") for value in values for pair in value.split(b";")]
    found = [value.strip() for name, _, value in pairs if name.strip() == wanted]
    return found[0].decode("latin-1") if len(found) == 1 else None


def set_cookie(token: str, *, https: bool) -> str:
    """Return the `Set-Cookie` value for a new session; it lasts as long as the browser runs."""
    return f"{cookie_name(https=https)}={token}; {_attributes(https=https)}"


def clear_cookie(*, https: bool) -> str:
    """Return the `Set-Cookie` value that takes the cookie away."""
    return f"{cookie_name(https=https)}=; {_attributes(https=https)}; Max-Age=0"


def _attributes(*, https: bool) -> str:
    return "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if https else "")
