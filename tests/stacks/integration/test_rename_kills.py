"""A rename that is cut off by a kill, at each of its steps, ends as one that was not."""

from collections.abc import Awaitable, Callable

import pytest

from state_index.phases import Phase
from tests.stacks.house import House
from tests.stacks.integration.test_renames import found, marked, rename
from tests.waiting import until

pytestmark = pytest.mark.engine

Moment = Callable[[House], Awaitable[bool]]
"""Tells whether to kill now."""


async def announced(house: House) -> bool:
    ada = house.row("ada")
    return ada is not None and ada.step == "taking over from alice"


async def stopping(house: House) -> bool:
    alice = house.row("alice")
    return alice is not None and alice.phase is Phase.DELETING


async def removed(house: House) -> bool:
    return "alice" not in await house.containers()


async def mounting(house: House) -> bool:
    return "ada" in await house.containers()


@pytest.mark.parametrize("moment", [announced, stopping, removed, mounting])
async def test_a_rename_that_was_cut_off_goes_on(house: House, moment: Moment) -> None:
    house.write("alice")
    await house.up()
    mark = await marked(house, "alice")
    async with house.daemon() as process:
        await until(house.announced, within=60)
        rename(house, "alice", "ada")
        await until(lambda: moment(house), within=60)
        process.kill()
        await process.wait()
    assert await house.volumes() == {"alice-home-1"}
    results = {result.id: result for result in await house.up()}
    assert (results["ada"].phase, results["ada"].message) == (Phase.RUNNING, "")
    assert await found(house, "ada") == mark
    assert await house.containers() == {"ada"}
    assert await house.volumes() == {"alice-home-1"}
    assert house.row("alice") is None
    assert [result.changed for result in await house.up()] == [False]
