"""`codehub run --repo` on the real engine: a push, a removal, a rollback, an outage, a rewrite."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from stacks import open_runner
from state_index.index import Index
from state_index.repository import Followed
from tests.cli import processes
from tests.stacks.edits.office import writable
from tests.stacks.git.repository import Repository
from tests.stacks.git.serving import Served, basic, http
from tests.stacks.house import House
from tests.waiting import until

pytestmark = pytest.mark.engine

CANARY = "c4nary-t0ken"
"""The token: it must be in no log, nor in anything that is kept."""


def workspace(house: House, **keys: str) -> bytes:
    told = {
        "owner": "alice",
        "image": house.image,
        "resources": "{cpu: 1, memory: 64Mi, pids: 128}",
        **keys,
    }
    return "".join(f"{key}: {value}\n" for key, value in told.items()).encode()


def followed(house: House) -> Followed:
    with Index.open(house.settings.index_url) as index:
        return index.repository.followed()


async def until_followed(house: House, what: str, value: str) -> Followed:
    found = Followed()

    async def met() -> bool:
        nonlocal found
        found = followed(house)
        told = getattr(found, what)
        return value in told if what == "error" and value else bool(told == value)

    try:
        await until(met, within=60)
    except TimeoutError:
        raise AssertionError(f"{what} is not {value}: {found}") from None
    return found


async def until_failures(house: House, names: set[str]) -> Followed:
    await until(lambda: set(followed(house).failures) == names, f"failures of {names}", within=60)
    return followed(house)


@dataclass(frozen=True)
class Team:
    """A repository, its server, and a CodeHub that follows it."""

    house: House
    repository: Repository
    served: Served

    @property
    def light(self) -> bytes:
        return workspace(self.house)


@pytest.fixture
def team(house: House, tmp_path: Path) -> Iterator[Team]:
    repository = writable(tmp_path / "team")
    token = tmp_path / "token"
    token.write_text(CANARY)
    token.chmod(0o600)
    with http(tmp_path, wanted=basic("x-access-token", CANARY)) as served:
        extra = {
            "CODEHUB_REPO_TOKEN_FILE": str(token),
            "CODEHUB_REPO": served.url("team/.git"),
            "CODEHUB_REPO_PATH": "ws",
            "CODEHUB_REPO_POLL": "1s",
        }
        yield Team(replace(house, extra=extra), repository, served)


async def test_a_branch_is_followed_and_nothing_of_its_trouble_removes_anything(team: Team) -> None:
    """The only test of the whole way from a push to the engine, and of each guard on it."""
    one = team.repository.commit({"ws/one.yaml": team.light, "ws/two.yaml": team.light})
    async with team.house.daemon():
        await team.house.until_phase("one", "RUNNING")
        await team.house.until_phase("two", "RUNNING")
        found = await until_followed(team.house, "applied", one)
        assert (found.attempted, found.head, found.failures) == (one, one, {})
        await removed_and_back(team)
        mended = await rolled_back(team)
        before = {id_: await team.house.started(id_) for id_ in ("one", "two", "three")}
        await away(team, mended)
        rewritten = await rewrite(team, one)
        assert {id_: await team.house.started(id_) for id_ in before} == before
        async with open_runner(team.house.settings) as runner:
            await runner.up(prune=True)
        await team.house.until_phase("three", "TOMBSTONED")
        await until_followed(team.house, "applied", rewritten)
        assert await team.house.containers() == {"one", "two"}
    assert team.house.log()
    kept = [path for path in team.house.root.rglob("*") if path.is_file() and path.name != "token"]
    secrets = (CANARY.encode(), basic("x-access-token", CANARY).split()[1].encode())
    assert not [path for path in kept if any(it in path.read_bytes() for it in secrets)]


async def removed_and_back(team: Team) -> str:
    """A file is removed, comes back beside a bad one and a new one, and the bad one goes."""
    house, repository = team.house, team.repository
    await house.leave_marker("two", "precious")
    gone = repository.commit({"ws/two.yaml": None})
    row = await house.until_phase("two", "TOMBSTONED")
    assert row.grace_end is not None
    assert "two-home-1" in await house.volumes()
    await until_followed(house, "applied", gone)
    files = {"ws/two.yaml": team.light, "ws/bad.yaml": b"owner: [", "ws/three.yaml": team.light}
    mixed = repository.commit(files)
    await house.until_phase("two", "RUNNING")
    await house.until_phase("three", "RUNNING")
    assert await house.marker("two") == "precious"
    found = await until_failures(house, {"bad"})
    assert (found.attempted, found.applied) == (mixed, gone)
    mended = repository.commit({"ws/bad.yaml": None})
    await until_followed(house, "applied", mended)
    return mended


async def rolled_back(team: Team) -> str:
    """A change of a file is taken back by a commit of the runner's, while the daemon runs."""
    house, repository = team.house, team.repository
    changed = repository.commit({"ws/one.yaml": workspace(house, env="{A: b}")})
    await until_followed(house, "applied", changed)
    async with open_runner(house.settings) as runner:
        seen = await runner.file("one")
        assert (seen.commit, "A: b" in seen.text, seen.editable) == (changed, True, True)
        outcome = await runner.rollback("one", to="HEAD~1", actor="cli:test")
    await until_followed(house, "applied", outcome.commit)
    assert repository.call("rev-parse", "main") == outcome.commit
    assert repository.git.run("cat-file", "blob", "main:ws/one.yaml") == team.light
    await house.until_phase("one", "RUNNING")
    return outcome.commit


async def away(team: Team, commit: str) -> None:
    """The repository does not answer for a while."""
    team.served.down = True
    found = await until_followed(team.house, "error", "git fetch")
    assert (found.attempted, found.applied) == (commit, commit)
    team.served.down = False
    await until_followed(team.house, "error", "")


async def rewrite(team: Team, former: str) -> str:
    """The branch is put to a commit without the folder, then to one with fewer files."""
    house, call = team.house, team.repository.call
    nothing = call("commit-tree", "-m", "all gone", call("mktree"))
    call("update-ref", "refs/heads/main", nothing)
    await until_followed(house, "error", "no folder ws")
    less = call("commit-tree", "-m", "less", f"{former}^{{tree}}")
    call("update-ref", "refs/heads/main", less)
    await until_followed(house, "error", "lacks 1 workspace")
    found = await until_failures(house, {"three"})
    assert found.attempted == less
    return less


async def test_a_job_says_which_commit_counts(team: Team) -> None:
    """Without a runner the command applies it itself; with one it hands over. A failure is an exit code."""
    house = replace(team.house, extra={**team.house.extra, "CODEHUB_REPO_APPLIER": "ci"})

    async def codehub(*args: str) -> tuple[int, str]:
        done = await asyncio.to_thread(processes.run, *args, env=house.env)
        return done.returncode, done.stdout + done.stderr

    first = team.repository.commit({"ws/one.yaml": team.light})
    code, said = await codehub("up", "--revision", first)
    assert (code, await house.containers()) == (0, {"one"}), said
    lost = workspace(house, image="codehub-test-there-is-none:1")
    second = team.repository.commit(
        {"ws/one.yaml": None, "ws/two.yaml": team.light, "ws/lost.yaml": lost}
    )
    async with house.daemon():
        found = await until_followed(house, "head", second)
        await house.until_phase("one", "RUNNING")
        assert (found.attempted, await house.containers()) == (first, {"one"}), "nobody asked"
        code, said = await codehub("up", "--revision", second)
        assert (code, "two: STARTING" in said, "lost: IMAGE_MISSING" in said) == (1, True, True)
        assert await house.containers() == {"two"}
        found = await until_failures(house, {"lost"})
        assert (found.attempted, found.applied) == (second, first)
        code, said = await codehub("wait", "--revision", second)
        assert (code, "lost (" in said) == (1, True), said
        code, said = await codehub("up", "--revision", first)
        assert (code, "comes before" in said) == (1, True), said
