"""A runner with isolation on: what holds is started, what does not is told, with the remedy."""

import asyncio
from dataclasses import replace

import pytest

from stacks.isolation import nft
from stacks.isolation.rules import table
from tests.stacks.house import House
from tests.stacks.isolation.conftest import make_network

pytestmark = pytest.mark.engine

ENFORCED = {"CODEHUB_ALLOW_UNENFORCED": ""}


def enforced(house: House, **more: str) -> House:
    return replace(house, extra={**ENFORCED, **more})


async def test_a_gap_keeps_workspaces_from_starting_until_it_is_accepted(house: House) -> None:
    await make_network(house.docker, f"{house.prefix}net", Options={})
    house = enforced(house)
    house.write("aa")
    try:
        (result,) = await house.up()
        assert (result.phase, result.reason) == ("ERROR", "ISOLATION_UNENFORCED")
        assert "workspace-ipv4 (open: reached " in result.message
        assert "CODEHUB_ALLOW_UNENFORCED=workspace-ipv4" in result.remedy
        row = house.row("aa")
        assert row is not None
        assert (row.phase, row.reason) == ("ERROR", "ISOLATION_UNENFORCED")
        assert (await house.inspect("aa"))["State"]["Running"] is False
        accepted = enforced(house, CODEHUB_ALLOW_UNENFORCED="workspace-ipv4")
        assert [each.phase for each in await accepted.up()] == ["RUNNING"]
        # What runs already goes on: nothing is started.
        assert [each.phase for each in await house.up()] == ["RUNNING"]
    finally:
        await nft.remove(f"{house.prefix}net")


async def test_while_a_probe_runs_only_starts_wait(house: House) -> None:
    house = enforced(house)
    house.write("aa", state="warm")
    try:
        (result,) = await house.up()
        assert result.phase == "WARM"
        house.write("aa")
        async with house.runner() as runner:
            async with (await runner.guard.opened())._turn:
                starting = asyncio.ensure_future(runner.start("aa"))
                await house.until_phase("aa", "STARTING")
                assert await runner.logs("aa") == ""
                assert [change.id for change in await runner.preview()] == ["aa"]
                assert not starting.done()
            assert (await starting).phase == "RUNNING"
    finally:
        await nft.remove(f"{house.prefix}net")


async def test_the_daemon_starts_workspaces_behind_rules_that_hold(house: House) -> None:
    house = enforced(house)
    house.write("aa")
    try:
        async with house.daemon():
            await house.until_phase("aa", "RUNNING")
            text, _ = await nft._nft("list", "table", "inet", table(f"{house.prefix}net"))
            assert "host-ipv4" in text
            assert house.settings.paths.isolation.exists()
    finally:
        await nft.remove(f"{house.prefix}net")
