"""Owners and rules on a real engine: what they refuse, and that what stands goes on.

It alone proves that a quota blocks the new workspace and nothing else, that the list of images
reaches the policy pack's own run, and that exemptions and broken files do what the page says.
"""

from datetime import UTC, datetime

import pytest

from stacks.changes import WorkspaceChange
from stacks.steps import Result
from state_index.phases import Phase, Sync
from tests.stacks.conftest import Derive
from tests.stacks.house import House

pytestmark = pytest.mark.engine

OWNERS = "people:\n  alice: {quota: {cpu: 2}}\nadmins: [alice]\n"
LISTED = "rules:\n  image-allowed: {images: [codehub/light]}\n"
EXEMPT = """exemptions:
  - rule: image-allowed
    workspaces: [alice-b]
    reason: until the list has it
    until: 2030-06-30
"""
BEFORE = datetime(2030, 6, 30, 23, 59, tzinfo=UTC)
AFTER = datetime(2030, 7, 1, tzinfo=UTC)


def write_rules(house: House, name: str, text: str) -> None:
    draft = house.folder / f".{name}"
    draft.write_text(text)
    draft.rename(house.folder / name)


async def up(house: House, clock: datetime = BEFORE) -> dict[str, Result]:
    async with house.runner(clock=lambda: clock) as runner:
        return {result.id: result for result in await runner.up()}


async def preview(house: House, clock: datetime = BEFORE) -> dict[str, WorkspaceChange]:
    async with house.runner(clock=lambda: clock) as runner:
        return {change.id: change for change in await runner.preview()}


async def test_rules_refuse_what_is_new_and_leave_what_stands(
    house: House, derived: Derive
) -> None:
    other = await derived('ENV OTHER "1"')
    await the_quota_blocks_the_new_one_only(house)
    await the_pack_refuses_what_is_not_on_the_list(house, other)
    await an_exemption_lets_it_in_until_it_ends(house, other)
    await broken_rules_change_nothing(house)


async def the_quota_blocks_the_new_one_only(house: House) -> None:
    house.write("alice-a")
    assert (await up(house))["alice-a"].ok
    write_rules(house, "_owners.yaml", OWNERS)
    house.write("alice-b")
    house.write("alice-c")

    told = (await preview(house))["alice-c"]
    done = await up(house)

    words = "alice uses 2 of 2 CPU, and alice-c asks for 1 more"
    assert done["alice-a"].action == "nothing"
    assert (done["alice-b"].ok, done["alice-b"].phase) == (True, Phase.RUNNING)
    assert (told.action, [each.rule for each in told.violations]) == ("blocked", ["quota-owner"])
    assert told.violations[0].message in done["alice-c"].message
    assert words in done["alice-c"].message
    row = house.row("alice-c")
    assert row is not None
    assert (row.reason, row.sync) == ("POLICY_VIOLATION", Sync.OUT_OF_SYNC)
    assert words in row.message
    assert await house.containers() == {"alice-a", "alice-b"}
    house.remove("alice-c")


async def the_pack_refuses_what_is_not_on_the_list(house: House, other: str) -> None:
    write_rules(house, "_policies.yaml", LISTED)
    before = await house.started("alice-b")
    house.write("alice-b", image=other)
    told = (await preview(house))["alice-b"]
    done = await up(house)
    assert [(each.rule, each.resource) for each in told.violations] == [
        ("image-allowed", "container")
    ]
    assert f"the image {other} is not on the list of allowed images" in told.violations[0].message
    assert "docs/reference/policies.md#image-allowed" in told.violations[0].message
    assert told.violations[0].message in done["alice-b"].message
    assert await house.started("alice-b") == before
    # Whoever works in it goes on: it is open, and says what its file may not have.
    row = house.row("alice-b")
    assert row is not None
    assert (row.phase, row.sync, row.reason) == (
        Phase.RUNNING,
        Sync.OUT_OF_SYNC,
        "POLICY_VIOLATION",
    )


async def an_exemption_lets_it_in_until_it_ends(house: House, other: str) -> None:
    write_rules(house, "_policies.yaml", LISTED + EXEMPT)
    told = (await preview(house))["alice-b"]
    assert [each.mandatory for each in told.violations] == [False]
    assert "exempt until 2030-06-30: until the list has it" in told.violations[0].message
    done = await up(house)
    assert (done["alice-b"].ok, done["alice-b"].action) == (True, "replace")
    exempt = await house.started("alice-b")

    # What expires stops nothing; the next change is refused.
    assert (await up(house, AFTER))["alice-b"].action == "nothing"
    house.write("alice-b", image=other, env="{A: b}")
    done = await up(house, AFTER)
    assert "its exemption ended on 2030-06-30: until the list has it" in done["alice-b"].message
    assert await house.started("alice-b") == exempt


async def broken_rules_change_nothing(house: House) -> None:
    exempt = await house.started("alice-b")
    write_rules(house, "_policies.yaml", LISTED + "exemption: []\n")
    house.remove("alice-b")
    house.write("alice-a", env="{A: b}")
    house.write("alice-d")
    running = await house.started("alice-a")
    async with house.runner() as runner:
        done = {result.id: result for result in await runner.up(prune=True)}
    for workspace in ("alice-a", "alice-d"):
        assert done[workspace].reason == "RULES_UNREADABLE"
        assert "workspaces.d/_policies.yaml:3:1: exemption" in done[workspace].message
    assert await house.started("alice-a") == running
    assert await house.started("alice-b") == exempt
    assert await house.containers() == {"alice-a", "alice-b"}
    row = house.row("alice-a")
    assert row is not None
    assert (row.phase, row.sync) == (Phase.RUNNING, Sync.OUT_OF_SYNC)
    assert "_policies.yaml:3:1" in row.message
    assert row.problems[0]["line"] == 3
