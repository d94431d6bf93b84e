"""Sync windows and the look at three columns, on the real engine."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from stacks.daemon import Daemon
from stacks.looks import Comparison
from state_index.models import Published, utc_now
from state_index.phases import Phase, Sync
from tests.stacks.house import House
from tests.stacks.integration.test_drift import update

pytestmark = pytest.mark.engine

NIGHTS = 'windows: [{kind: allow, from: "22:00", to: "06:00", zone: UTC}]\n'
NIGHT = datetime(2030, 1, 1, 23, tzinfo=UTC)
SOON = datetime(2030, 1, 2, 21, 59, 57, tzinfo=UTC)


@dataclass
class Evening:
    """A clock that is first asked three seconds before the window opens, and goes on from there."""

    began: datetime | None = None

    def __call__(self) -> datetime:
        self.began = self.began or utc_now()
        return SOON + (utc_now() - self.began)


async def test_what_waits_is_applied_as_soon_as_its_window_opens(house: House) -> None:
    """Only here the daemon's timer is seen to work: looks at the files are an hour apart."""
    house.write("one")
    (house.folder / "_policies.yaml").write_text(NIGHTS)
    async with house.runner(clock=lambda: NIGHT) as runner:
        assert [result.ok for result in await runner.up()] == [True]
    before = await house.started("one")
    house.write("one", env="{A: b}")
    seldom = replace(house, extra={"CODEHUB_POLL_INTERVAL": "1h"})
    async with seldom.runner(daemon=True, clock=Evening()) as runner:
        daemon = Daemon(runner)
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await house.until("one", is_applied)
            daemon.stop()
        history = await runner.board.history("one")
    assert any("a sync window opened" in each.cause for each in history)
    assert await house.started("one") != before


def is_applied(row: Published) -> bool:
    return row.phase is Phase.RUNNING and row.sync is Sync.SYNCED and '"A":"b"' in row.spec_json


async def test_a_workspace_in_three_columns(house: House) -> None:
    house.write("one", env="{API_KEY: hunter2, TZ: UTC}")
    assert [result.ok for result in await house.up()] == [True]
    assert (await compared(house)).differing == ()

    await update(house, "one", Memory=96 << 20, MemorySwap=96 << 20)
    house.write(
        "one", env="{API_KEY: other, TZ: UTC}", resources="{cpu: 1, memory: 128Mi, pids: 128}"
    )
    found = await compared(house)
    assert lines(found) == {
        "memory": ("128Mi", "64Mi", "96Mi"),
        "memory and swap": ("128Mi", "64Mi", "96Mi"),
        "env.API_KEY": ("(hidden)", "(hidden, another one)", "(hidden, another one)"),
    }
    assert "hunter2" not in str(found)

    await house.remove_container("one")
    gone = lines(await compared(house))
    assert gone["container"] == ("there", "there", "gone")
    assert gone["memory"] == ("128Mi", "64Mi", None)


async def compared(house: House) -> Comparison:
    async with house.runner() as runner:
        return await runner.diff("one")


def lines(found: Comparison) -> dict[str, tuple[str | None, str | None, str | None]]:
    return {line.key: (line.file, line.applied, line.engine) for line in found.differing}
