"""The stack-level suite: real Pulumi, real engine."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.forges import gitea
from tests.forges.gitea import Gitea
from tests.postgres import Server, serving
from tests.stacks.house import House
from tests.stacks.integration import leaders
from tests.stacks.integration.team import Team, join
from tests.stacks.room import room

__all__ = ["room"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, house: House) -> House:
    """Surroundings whose index is on either database."""
    extra = {"CODEHUB_LEASE_TIMEOUT": leaders.SHORT}
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        extra["CODEHUB_INDEX_URL"] = server.new_url()
    return replace(house, extra=extra)


@pytest.fixture
def quick(house: House) -> House:
    return replace(house, extra={"CODEHUB_LEASE_TIMEOUT": leaders.SHORT})


@pytest.fixture(scope="module")
def server() -> Iterator[Gitea]:
    """A real forge."""
    with gitea.serving() as running:
        yield running


@pytest.fixture
def team(house: House, server: Gitea, tmp_path: Path) -> Team:
    """A repository on it, and a CodeHub that follows it."""
    return join(house, server, tmp_path)
