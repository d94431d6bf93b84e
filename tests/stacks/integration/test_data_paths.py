"""A data folder may be called anything: its own state is used, its policies run, it is found."""

from dataclasses import replace

import pytest

from state_index.phases import Phase
from tests.stacks.house import House

pytestmark = pytest.mark.engine

NAMES = ["50% of it", "%2F", "what?", "a#b", "one,two"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_data_folder_of_any_name(house: House, name: str) -> None:
    data = house.root / name
    told = replace(house, extra={"CODEHUB_DATA": str(data)})
    told.write("alice")
    before = set(house.root.iterdir())
    assert [(one.message, one.phase) for one in await told.up()] == [("", Phase.RUNNING)]
    assert (data / "state" / ".pulumi" / "stacks" / "codehub" / "alice.json").is_file()
    assert set(house.root.iterdir()) - before == {data}
    container, _ = await told.started("alice")
    told.write("alice", env="{A: b}")
    assert [one.action for one in await told.up()] == ["replace"]
    assert (await told.started("alice"))[0] != container
    assert [one.action for one in await told.up()] == ["nothing"]
