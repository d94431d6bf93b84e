"""Fixtures of every test."""

import os

import pytest

# Some machines set it, and then output that nobody flushes arrives all the same: test without.
os.environ.pop("PYTHONUNBUFFERED", None)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, as the product does."""
    return "asyncio"
