"""Pull requests that go wrong: one bad file of many, two for one workspace. Real Gitea, git, engine, Pulumi."""

import pytest

from tests.stacks.integration.team import Team
from tests.stacks.integration.test_git import until_failures, until_followed
from tests.waiting import until

pytestmark = pytest.mark.engine

BAD = "c03"


@pytest.mark.parametrize("many", [6, pytest.param(50, marks=pytest.mark.long)])
@pytest.mark.timeout(300)
async def test_one_bad_file_of_many_blocks_itself_alone(team: Team, many: int) -> None:
    house = team.house
    team.write("one.yaml", team.light())
    async with house.daemon():
        await house.until_phase("one", "RUNNING")
        before = await house.started("one")
        texts = {f"c{number:02}.yaml": team.light() for number in range(many)}
        texts[f"{BAD}.yaml"] += "memry: 1Gi\n"
        team.write_all(texts, branch="class", base="main")
        pull = team.repository.open_pull(team.alice, "class", "A class")
        await until(lambda: team.told(pull, "files"), within=60)
        files = team.told(pull, "files")
        assert files.count("create `c") == many - 1
        assert "memry" in files
        head = team.repository.head("class")
        await until(lambda: team.state(head, "codehub/preview") == "failure", within=30)

        await until(lambda: team.repository.merge(team.alice, pull), within=30)
        await until_failures(house, {BAD})
        for name in sorted(texts.keys() - {f"{BAD}.yaml"}):
            await house.until_phase(name.removesuffix(".yaml"), "RUNNING", within=180)
        assert BAD not in await house.containers()
        assert await house.started("one") == before


async def test_two_pull_requests_for_one_workspace(team: Team) -> None:
    house = team.house
    team.write("one.yaml", team.light())
    team.write("two.yaml", team.light())
    async with house.daemon():
        await house.until_phase("one", "RUNNING")
        await house.until_phase("two", "RUNNING")
        before = await house.started("two")
        pulls = {}
        for branch, text in (("env", team.light(env="{NOTE: new}")), ("gone", None)):
            team.repository.ask(
                "POST", "/branches", {"new_branch_name": branch, "old_branch_name": "main"}
            )
            team.change("one.yaml", text, branch=branch)
            pulls[branch] = team.repository.open_pull(team.alice, branch, branch)
        for pull in pulls.values():
            await until(lambda pull=pull: team.told(pull, "live"), within=60)  # type: ignore[misc]
        assert "replace `one`" in team.told(pulls["env"], "files")
        assert "delete `one`" in team.told(pulls["gone"], "files")

        await until(lambda: team.repository.merge(team.alice, pulls["env"]), within=30)
        await until(lambda: not mergeable(team, pulls["gone"]), within=30)
        await house.until("one", lambda row: "NOTE" in row.spec_json and row.phase == "RUNNING")
        await until_followed(house, "applied", team.repository.head())
        assert await house.started("two") == before
        assert team.held() == {}


def mergeable(team: Team, pull: int) -> bool:
    return bool(team.repository.ask("GET", f"/pulls/{pull}")["mergeable"])


async def test_two_that_both_rename_it_make_no_empty_home(team: Team) -> None:
    """Git merges both without a conflict where it sees no rename: either new file is fine by itself."""
    house = team.house
    team.write("one.yaml", team.light())
    async with house.daemon():
        await house.until_phase("one", "RUNNING")
        await house.leave_marker("one", "mine")
        pulls = []
        for name in ("left", "right"):
            text = f"# {name} " * 50 + "\n" + team.light(formerly="one")
            team.write(f"{name}.yaml", text, branch=name, base="main")
            team.change("one.yaml", None, branch=name)
            pulls.append(team.repository.open_pull(team.alice, name, name))
        for pull in pulls:
            await until(lambda pull=pull: team.told(pull, "live"), within=60)  # type: ignore[misc]
        await until(lambda: team.repository.merge(team.alice, pulls[0]), within=30)
        await house.until_phase("left", "RUNNING")
        before = await house.started("left")
        await until(lambda: team.repository.merge(team.alice, pulls[1]), within=30)
        await until_failures(house, {"left", "right"})
        assert await house.containers() == {"left"}
        assert await house.started("left") == before
        assert await house.marker("left") == "mine"
