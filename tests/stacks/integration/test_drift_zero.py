"""After our own `up` nothing drifts, whatever the engine fills in: real Pulumi, real engine."""

from typing import Any

import pytest

from stacks import drift
from stacks.errors import IsolationUnenforcedError
from stacks.power_docker import DockerPower
from stacks.programs.inputs import WorkspaceInputs
from tests.stacks.conftest import Derive
from tests.stacks.room import Room

pytestmark = pytest.mark.engine


async def drifted(room: Room, inputs: WorkspaceInputs) -> str:
    found = await room.power.container(inputs.id)
    assert found is not None
    assert found.observed is not None
    assert (found.observed.complete, found.observed.image is None) == (True, False)
    listed = (await room.power.inventory()).containers[inputs.id].observed
    assert listed is not None
    assert drift.compare(inputs, listed) == ()
    return drift.words(drift.compare(inputs, found.observed))


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {
            "cpu": 0.1,
            "memory": (64 << 20) + 1,
            "pids": 4097,
            "env": {"PATH": "/bin:/opt", "EMPTY": "", "EQ": "a=b=c", "WIDE": "ü " * 100},
            "labels": {"team": "x"},
            "tree": "t1",
        },
        {"cpu": 1.333, "image": "derived"},
    ],
)
async def test_nothing_drifts_after_an_up(
    room: Room, derived: Derive, keys: dict[str, Any]
) -> None:
    if keys.get("image"):
        line = "VOLUME /data /slash/\nENV TZ=UTC A=b\nLABEL a=b\nWORKDIR /srv\nUSER root"
        keys = keys | {"image": await derived(line)}
    inputs = room.inputs(**keys)
    (await room.up(inputs)).check()
    assert await drifted(room, inputs) == ""
    container = room.docker.containers.container(inputs.container)
    await container.start()
    assert await drifted(room, inputs) == ""
    await container.stop(t=0)
    assert await drifted(room, inputs) == ""


async def test_what_is_put_back_on_its_network_is_as_it_was_made_for_pulumi_too(room: Room) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()
    await room.docker.containers.container(inputs.container).start()
    before = await room.inspect(inputs)
    network = await room.docker.networks.get(room.network)
    await network.disconnect({"Container": before["Id"], "Force": True})

    async def refuses() -> None:
        raise IsolationUnenforcedError("nothing may be on a network here")

    async with DockerPower(name_prefix=room.prefix, run=room.run, cleared=refuses) as power:
        with pytest.raises(IsolationUnenforcedError):
            await power.connect(before["Id"], room.network)
    found = await room.power.container(inputs.id)
    assert found is not None
    assert found.observed is not None
    (detached,) = drift.compare(inputs, found.observed)
    assert drift.is_detached(detached)
    await room.power.connect(before["Id"], room.network)
    assert await drifted(room, inputs) == ""
    outcome = await room.up(inputs, refresh=True)
    outcome.check()
    assert outcome.changed == ()
    after = await room.inspect(inputs)
    assert (after["Id"], after["State"]["StartedAt"]) == (
        before["Id"],
        before["State"]["StartedAt"],
    )
