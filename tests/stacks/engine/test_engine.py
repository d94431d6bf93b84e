"""Operations through the real engine room: what they do, tell and give."""

import pytest

from stacks.engine import EngineEvent
from tests.stacks.room import Room

pytestmark = pytest.mark.engine


async def test_up_makes_home_and_container_and_a_second_up_changes_nothing(room: Room) -> None:
    inputs = room.inputs()
    events: list[EngineEvent] = []

    outcome = (await room.up(inputs, events.append)).check()

    assert [(change.name, change.op) for change in outcome.changes] == [
        ("home", "create"),
        ("container", "create"),
    ]
    container = await room.inspect(inputs)
    assert outcome.outputs == {"container": container["Id"], "home": inputs.volume}
    assert container["State"]["Status"] == "created"
    steps = [(event.kind, event.op, event.resource) for event in events]
    assert steps[0] == ("prelude", "", "")
    assert ("begin", "create", "container") in steps
    assert steps[-1] == ("end", "", "")
    again = (await room.up(inputs)).check()
    assert again.changed == ()
    assert (await room.inspect(inputs))["Id"] == container["Id"]
