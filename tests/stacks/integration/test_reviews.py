"""A pull request from its opening to what a merge does beyond its review: real Gitea, git, engine, Pulumi."""

import asyncio
import os
import pwd
import sys

import pytest

from tests.stacks.integration.team import Team
from tests.stacks.integration.test_git import until_followed
from tests.waiting import until

pytestmark = pytest.mark.engine

ME = pwd.getpwuid(os.getuid()).pw_name
OWNERS = f"people: {{alice: {{}}, {ME}: {{}}}}\napprovers: [{ME}]\n"
CANARY = "zQ8vT1nR4kXw7Lp2Yd9Hs6Bc"
"""A value that looks like a secret: it is in no comment and no log."""


async def test_a_merge_that_does_more_than_was_reviewed_waits_for_an_approver(team: Team) -> None:
    house = team.house
    team.write("_owners.yaml", OWNERS)
    team.write("one.yaml", team.light())
    team.write("two.yaml", team.light())
    async with house.daemon():
        await house.until_phase("one", "RUNNING")
        await house.until_phase("two", "RUNNING")
        before = {id_: await house.started(id_) for id_ in ("one", "two")}
        pull = await opened(team)
        assert {id_: await house.started(id_) for id_ in before} == before
        merge = await merged(team, pull)
        # First it may be kept for the forge to say by what it came.
        await until(
            lambda: "not part of what was reviewed" in _why_held(team, "two"), "two is held"
        )
        await house.until("two", lambda row: "it is kept as it is" in row.message)
        await house.until("one", lambda row: "NEW" in row.spec_json and row.phase == "RUNNING")
        assert (await house.started("two"), await house.started("one") != before["one"]) == (
            before["two"],
            True,
        )
        held = team.held()["two"]
        assert "delete: it was not part of what was reviewed" in held.message
        await until(lambda: team.state(held.commit, "codehub/review") == "failure", within=30)
        told = await approve(team, held.commit)
        assert f"two: approved by cli:{ME}" in told
        await house.until_phase("two", "TOMBSTONED")
        await until(lambda: team.state(held.commit, "codehub/review") == "success", within=30)
        await until_followed(house, "applied", merge)
    assert CANARY not in house.log()
    assert all(CANARY not in body for _, body in team.repository.comments(pull))


def _why_held(team: Team, workspace: str) -> str:
    held = team.held().get(workspace)
    return held.message if held else ""


async def opened(team: Team) -> int:
    """Open a pull request, and wait for what is said of it; its number."""
    team.write("three.yaml", team.light(), branch="change", base="main")
    team.change("one.yaml", team.light(env=f"{{NEW: '{CANARY}'}}"), branch="change")
    number = team.repository.open_pull(team.alice, "change", "More")
    await until(lambda: team.told(number, "live"), within=60)
    live, files = team.told(number, "live"), team.told(number, "files")
    assert "`one`: **running now**, its container would be made anew" in live
    assert "by Pulumi's preview: `env.NEW` (anew)" in live
    assert "`three`: **not there yet**, its container would be made" in live
    assert "replace `one`" in files
    head = team.repository.head("change")
    await until(lambda: team.state(head, "codehub/preview") == "success", within=30)
    assert "three" not in await team.house.containers()
    return number


async def merged(team: Team, pull: int) -> str:
    """Merge it, after somebody removed another file on the branch; the branch's commit."""
    team.change("two.yaml", None)
    # It looks whether it can be merged, each time the branch moves.
    await until(lambda: team.repository.merge(team.alice, pull), within=30)
    return team.repository.head()


async def approve(team: Team, commit: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "approve", commit[:12], "two", "--why", "it was agreed"),
        env={**os.environ, **team.house.env},
        cwd=team.house.root,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()
