"""Which headers pass between a browser and a workspace, and how they are changed. Pure.

To the workspace: nothing that identifies the visitor to us (our cookies, Authorization), nothing
that the client claims about proxies; our own claims come last, so that no `Connection` token can
take them away. From the workspace: nothing that acts on the whole origin, which is also ours.
Content-Security-Policy is never touched: the IDE's own fits the IDE.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

Pairs = Sequence[tuple[bytes, bytes]]

COOKIES: Final = frozenset({b"codehub", b"__host-codehub"})
"""Names of the gateway's cookies, in lower case."""

_HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-authentication-info",
        b"proxy-connection",
        b"proxy-status",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# What proxies say about clients. Servers behind differ in which one they believe: none gets through.
_CLAIMS: Final = frozenset(
    {
        b"authorization",
        b"forwarded",
        b"x-real-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-original-forwarded-for",
        b"x-remote-addr",
        b"x-remote-ip",
        b"x-originating-ip",
        b"x-envoy-external-address",
        b"x-azure-clientip",
        b"client-ip",
        b"x-host",
        b"x-scheme",
        b"x-url-scheme",
        b"front-end-https",
        b"true-client-ip",
        b"cf-connecting-ip",
        b"fastly-client-ip",
        b"x-original-host",
        b"x-original-url",
        b"x-rewrite-url",
        b"x-request-id",
        b"via",
        b"expect",
        b"http2-settings",
    }
)
# What acts on a whole origin, on an edge before us, or is the server's own to say.
_ORIGIN_WIDE: Final = frozenset(
    {
        b"alt-svc",
        b"clear-site-data",
        b"date",
        b"expect-ct",
        b"nel",
        b"public-key-pins",
        b"report-to",
        b"server",
        b"strict-transport-security",
        b"x-lighttpd-send-file",
        b"x-reproxy-url",
        b"x-request-id",
        b"x-sendfile",
    }
)
_NEVER_UP: Final = _HOP_BY_HOP | _CLAIMS
_NEVER_DOWN: Final = _HOP_BY_HOP | _ORIGIN_WIDE
_HANDLED_UP: Final = frozenset({b"host", b"cookie"})
_SPECIAL_DOWN: Final = frozenset({b"set-cookie", b"location", b"service-worker-allowed"})

_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_VALUE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_PLAIN_PATH: Final = re.compile(rb"/[!-$&-\[\]-~]*")  # visible ASCII but `%` and backslash
_BODILESS: Final = frozenset({204, 304})


def to_workspace(
    headers: Pairs, *, host: bytes, scheme: str, client: str, request_id: str
) -> list[tuple[bytes, bytes]]:
    """Return the headers that a workspace gets.

    Args:
        headers: The client's, names in lower case. The head must have passed `head.malformed`.
        host: The client's `Host`, which is passed on unchanged.
        scheme: The scheme of our own origin.
        client: The client's address as far as it can be believed; empty when there is none.
        request_id: Our name for this request.
    """
    dropped = _named_by_connection(headers)
    kept = [(b"host", host)]
    for name, value in headers:
        if name in _NEVER_UP or name in _HANDLED_UP or name.startswith(b"x-forwarded"):
            continue
        if name not in dropped:
            kept.append((name, value))
    if b"cookie" not in dropped:
        kept += _cookies(headers)
    kept += [
        (b"x-forwarded-host", host),
        (b"x-forwarded-proto", scheme.encode("ascii")),
        (b"x-request-id", request_id.encode("ascii")),
    ]
    if client:
        kept.append((b"x-forwarded-for", client.encode("ascii")))
    return kept


def to_browser(
    headers: Pairs, *, workspace: str, status: int, origin: str
) -> list[tuple[bytes, bytes]]:
    """Return the headers that a browser gets.

    Args:
        headers: The workspace's, as they came.
        workspace: The workspace's id: everything is confined below `/w/<id>/`.
        status: The answer's status.
        origin: Our own origin, under which the workspace was asked.
    """
    lowered = [(name.lower(), value) for name, value in headers]
    dropped = _named_by_connection(lowered)
    chunked = any(name == b"transfer-encoding" for name, _ in lowered)
    if chunked or status in _BODILESS:
        dropped |= {b"content-length"}
    root = b"/w/" + workspace.encode("ascii") + b"/"
    kept: list[tuple[bytes, bytes]] = []
    seen = set()
    for name, value in lowered:
        if name in _NEVER_DOWN or name in dropped or name.startswith(b"x-accel-"):
            continue
        seen.add(name)
        if name in _SPECIAL_DOWN:
            confined = _confined(name, value, root, origin.encode("ascii"))
            if confined is not None:
                kept.append((name, confined))
        else:
            kept.append((name, value))
    if b"x-content-type-options" not in seen:
        kept.append((b"x-content-type-options", b"nosniff"))
    if b"referrer-policy" not in seen:
        kept.append((b"referrer-policy", b"same-origin"))
    return kept


def acceptable(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether a workspace's headers can be passed on at all: names and values are sound."""
    lengths = set()
    for name, value in headers:
        if not _TOKEN.fullmatch(name) or _BAD_VALUE.search(value):
            return False
        if name.lower() == b"content-length":
            lengths.add(value)
    return len(lengths) <= 1 and all(length.isdigit() for length in lengths)


def without_our_cookies(value: bytes) -> bytes:
    """Return a `Cookie` value without the gateway's cookies; empty when nothing is left."""
    pairs = [pair.strip(b" \t") for pair in value.split(b";")]
    return b"; ".join(
        pair
        for pair in pairs
        if pair and pair.partition(b"=")[0].strip(b" \t").lower() not in COOKIES
    )


def confined_cookie(value: bytes, root: bytes) -> bytes | None:
    """Return a workspace's `Set-Cookie` value confined to its root, or None when it is refused.

    Refused: our names, any Domain, and cookies without a name, whose value browsers send where a
    name belongs (`=codehub=...` comes back as `codehub=...`).
    """
    pair, *attributes = value.split(b";")
    name, equals, _ = pair.partition(b"=")
    name = name.strip(b" \t")
    if not equals or not name or name.lower() in COOKIES:
        return None
    kept = [pair.strip(b" \t")]
    path = b""
    for attribute in attributes:
        key, _, setting = attribute.partition(b"=")
        key = key.strip(b" \t").lower()
        if key == b"domain":
            return None
        if key == b"path":
            path = setting.strip(b" \t")  # the last one counts
        else:
            kept.append(attribute.strip(b" \t"))
    kept.append(b"Path=" + _below(path if path.startswith(b"/") else b"/", root))
    return b"; ".join(kept)


def _named_by_connection(headers: Pairs) -> set[bytes]:
    return {
        token.strip(b" \t").lower()
        for name, value in headers
        if name == b"connection"
        for token in value.split(b",")
    }


def _cookies(headers: Pairs) -> list[tuple[bytes, bytes]]:
    values = [without_our_cookies(value) for name, value in headers if name == b"cookie"]
    joined = b"; ".join(value for value in values if value)
    return [(b"cookie", joined)] if joined else []


def _confined(name: bytes, value: bytes, root: bytes, origin: bytes) -> bytes | None:
    if name == b"set-cookie":
        return confined_cookie(value, root)
    if name == b"location":
        return _location(value, root, origin)
    return _worker_scope(value, root)


def _worker_scope(value: bytes, root: bytes) -> bytes | None:
    """Confine the scope that a service worker may have. The workspace takes `/` for its root.

    Browsers read a URL here: they drop tabs before they resolve dots, and a scope is a prefix of
    text, so `/w/demo` without its slash would hold `/w/demo-2/` too.
    """
    if not _PLAIN_PATH.fullmatch(value) or b"/." in value:
        return None
    return value if value.startswith(root) else root + value[1:]


def _location(value: bytes, root: bytes, origin: bytes) -> bytes:
    """Put the prefix, which the workspace does not know, before paths on our own origin."""
    if value.lower().startswith(origin + b"/"):
        value = value[len(origin) :]
    if value.startswith(b"/") and not value.startswith((b"//", b"/\\")):
        return _below(value, root)
    return value


def _below(path: bytes, root: bytes) -> bytes:
    return path if path.startswith(root) or path == root[:-1] else root + path[1:]
