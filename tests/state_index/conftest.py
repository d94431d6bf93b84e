"""Fixtures of the state index: a real SQLite file, and a clock that a test turns."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from state_index.index import Index
from tests.state_index.clock import Clock


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/data/index.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def index(url: str, clock: Clock) -> Iterator[Index]:
    with Index.open(url, now=clock) as opened:
        yield opened
