"""Fixtures of the proxy's tests."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run on uvloop, as the gateway does: its transports differ from asyncio's in the corners."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
def run() -> Iterator[Path]:
    """Give a folder for workspaces' run folders, with a short name: servers bind by path."""
    with TemporaryDirectory(prefix="codehub-test-") as folder:
        yield Path(folder)
