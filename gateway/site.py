"""Which hosts and origins are ours. Pure.

A request counts only when its `Host` is one of these, so that a foreign name pointed at our
address (DNS rebinding) reaches nothing; and the origin that a page of ours has follows from it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from gateway.origin import origin_of

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class Site:
    """Our own addresses.

    Attributes:
        origins: From each `Host` value that is ours, in lower case, to the origin of our pages
            there, as browsers write it.
        hide_existence: Whether someone else's workspace looks like one that does not exist.
    """

    origins: Mapping[bytes, str]
    hide_existence: bool = False

    @classmethod
    def of(cls, urls: Iterable[str], *, hide_existence: bool = False) -> Self:
        """Make the site that is reached under these base URLs (scheme, host and port count)."""
        origins: dict[bytes, str] = {}
        for url in urls:
            origin = origin_of(url)
            scheme, _, authority = origin.partition("://")
            origins[authority.encode("ascii")] = origin
            if urlsplit(origin).port is None:
                origins[f"{authority}:{_DEFAULT_PORTS[scheme]}".encode("ascii")] = origin
        return cls(origins, hide_existence)

    @classmethod
    def listening(
        cls, *, base_url: str | None, host: str, port: int, hide_existence: bool = False
    ) -> Self:
        """Make the site from how the gateway is set up.

        Args:
            base_url: The public address; None means that the listener itself is what people open.
            host: The address that the gateway listens on.
            port: Its port. On a loopback or wildcard address, all loopback names are ours.
            hide_existence: As the attribute.
        """
        if base_url is not None:
            return cls.of([base_url], hide_existence=hide_existence)
        bracketed = f"[{host}]" if ":" in host else host
        local = bracketed in {*_LOOPBACK, "0.0.0.0", "[::]"}  # noqa: S104 - compared, not bound
        names = _LOOPBACK if local else (bracketed,)
        urls = [f"http://{name}:{port}" for name in names]
        return cls.of(urls, hide_existence=hide_existence)

    def origin(self, host: bytes) -> str | None:
        """Return the origin of our pages under this `Host` value, or None when it is not ours."""
        return self.origins.get(host) or self.origins.get(host.lower())
