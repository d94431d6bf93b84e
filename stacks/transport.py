"""Loads the HTTP client that speaks with the engine and the daemon, and no more of it than these need."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

TRUST = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}
"""OpenSSL's names for where the certificates are that this machine trusts; here: nowhere."""


def load(address: str) -> None:
    """Load aiohttp; call it before anything that imports it.

    It reads the machine's trusted certificates as it is loaded, twice, be there ever a TLS connection
    or not: a twentieth of `codehub up`. Over a socket of this machine there is none. An engine
    elsewhere may be asked by TLS, so then they are read; without them none would be trusted.

    Args:
        address: The engine's.
    """
    if address.startswith("unix:"):
        with _trusting_nobody():
            import aiohttp  # noqa: F401, PLC0415
    # Else whoever imports it reads them.


@contextmanager
def _trusting_nobody() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in TRUST}
    os.environ.update(TRUST)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
