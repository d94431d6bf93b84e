"""The stack-level suite: real Pulumi, real engine."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.postgres import Server, serving
from tests.stacks.house import House
from tests.stacks.integration import leaders
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
