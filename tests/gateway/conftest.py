"""Fixtures of the gateway's tests."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store import Store
from telemetry.logs import configure
from tests.gateway.harness import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """A store on disk with a day of idle time, by the test's clock."""
    with Store(f"sqlite:///{tmp_path / 'gateway.db'}", idle=3600, now=clock) as opened:
        yield opened


@pytest.fixture
def logs(logging_restored: None) -> io.StringIO:
    """Everything that is logged, down to debug lines."""
    stream = io.StringIO()
    configure("debug", "json", stream)
    return stream
