"""Fixtures of the state index: a real database of each kind, and a clock that a test turns."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from state_index.index import Index
from tests.postgres import Server, serving
from tests.state_index.clock import Clock

Engine = Literal["sqlite", "postgresql"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    kind: Engine = request.param
    return kind


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/data/index.db"


@pytest.fixture
def postgres_url(postgres: Server) -> str:
    return postgres.new_url()


@pytest.fixture
def url(engine: Engine, request: pytest.FixtureRequest) -> str:
    """An empty database; each test runs on both kinds."""
    name = "sqlite_url" if engine == "sqlite" else "postgres_url"
    found: str = request.getfixturevalue(name)
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def index(url: str, clock: Clock) -> Iterator[Index]:
    with Index.open(url, now=clock) as opened:
        yield opened
