"""SIGKILL at each step of a home's removal, on the real engine: the next run converges, no step is undone.

The runner kills itself within the step, so each kill hits where it is meant to.
"""

import asyncio
import hashlib
import os
import signal
import sys
from pathlib import Path

import aiodocker
import pytest

from stacks.engine.checkpoint import StateFiles
from stacks.errors import NotConfirmedError
from state_index.models import Published
from state_index.phases import Phase
from tests.stacks.house import House
from tests.waiting import until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

MINE = "what a person wrote"
EXPECTED = hashlib.sha256(MINE.encode()).hexdigest()
HOME = "alice-home-1"
BOB = "bob-home-1"

RUNNER = """
import asyncio, os, signal, sys
from settings.load import load
from settings.model import RunnerSettings
from stacks import daemon
from stacks.runner import Runner

at, by_name = sys.argv[1], sys.argv[2] == "name"

def reach(step):
    if step == at:
        os.kill(os.getpid(), signal.SIGKILL)

class Hands:
    def __init__(self, hands):
        self.hands, self.forgotten = hands, False
        self.turn, self.refused = hands.turn, hands.refused

    async def grounds(self, workspace):
        found = await self.hands.grounds(workspace)
        reach("checked again" if self.forgotten else "checked")
        return found

    async def begin(self, workspace):
        await self.hands.begin(workspace)
        reach("begun")

    async def forget(self, workspace):
        await self.hands.forget(workspace)
        self.forgotten = True
        reach("forgotten")

    async def removing(self, workspace, volume, *, engine):
        news = await self.hands.removing(workspace, volume, engine=engine)
        reach("marked")
        return news

    async def removed(self, workspace, volume):
        await self.hands.removed(workspace, volume)
        reach("kept in mind")

    async def remove_volume(self, volume):
        await self.hands.remove_volume(volume)
        reach("removed")

async def main():
    async with Runner(load(RunnerSettings), daemon=True) as runner:
        hands, forget = runner.endings.hands, runner.board.forget

        async def forget_row(workspace, cause):
            reach("told")
            await forget(workspace, cause)

        runner.endings.hands = lambda why: Hands(hands(why))
        runner.board.forget = forget_row
        if by_name:
            await runner.purge("alice", confirm="alice")
        else:
            await daemon.Daemon(runner).run()

asyncio.run(main())
"""

BEFORE = ("checked", "begun", "forgotten", "checked again", "marked")
AFTER = ("removed", "kept in mind", "told")
OTHERS = ("begun", "removed", "kept in mind", "told")
SAMPLED = [
    at if at in ("forgotten", "removed") else pytest.param(at, marks=pytest.mark.long)
    for at in (*BEFORE, *AFTER)
]
"""One kill on either side of the removal is tried in every run."""


@pytest.fixture
async def house(house: House) -> House:
    """One removed workspace with work in its home, kept for an hour; bob keeps the folder valid."""
    house.extra.update(CODEHUB_DELETE_GRACE="1h", CODEHUB_PRUNE="true", CODEHUB_EXPIRE_HOMES="true")
    house.write("bob", state="warm")
    return house


async def removed(house: House) -> Published:
    house.write("alice")
    await house.up()
    await house.leave_marker("alice", MINE)
    house.remove("alice")
    await house.up()
    found = house.row("alice")
    assert found is not None
    assert found.phase is Phase.TOMBSTONED
    return found


async def killed(house: House, at: str, how: str) -> None:
    """Run a runner that kills itself at a step."""
    log = house.root / "killed.log"
    with log.open("ab") as stream:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", RUNNER, at, how),
            env={**os.environ, **house.env},
            stdout=stream,
            stderr=stream,
        )
        async with asyncio.timeout(60):
            code = await process.wait()
    assert code == -signal.SIGKILL, log.read_text()


async def check_order(house: House, at: str) -> None:
    """The home is there as it was, or both Pulumi and the engine have it no more."""
    there = HOME in await house.volumes()
    assert there is (at in BEFORE)
    if there:
        assert await content(house) == EXPECTED
    known = StateFiles(house.settings.paths.state, "alice").checkpoint.exists()
    assert known is (at in ("checked", "begun")), "Pulumi forgets first"


async def content(house: House) -> str:
    volume = aiodocker.volumes.DockerVolume(house.docker, f"{house.prefix}{HOME}")  # type: ignore[no-untyped-call]
    place = Path((await volume.show())["Mountpoint"])  # type: ignore[no-untyped-call]
    return hashlib.sha256((place / "marker").read_bytes()).hexdigest()


async def check_gone(house: House) -> None:
    """Nothing of it is left, anywhere."""

    async def gone() -> bool:
        return house.row("alice") is None

    await until(gone, within=60)
    assert await house.volumes() == {BOB}
    assert await house.containers() == {"bob"}
    assert not StateFiles(house.settings.paths.state, "alice").checkpoint.exists()


@pytest.mark.parametrize("at", SAMPLED)
async def test_an_expiry_goes_on_where_it_was_cut_off(house: House, at: str) -> None:
    house.extra.update(CODEHUB_DELETE_GRACE="1s")
    await removed(house)
    await killed(house, at, "expiry")
    await check_order(house, at)
    async with house.daemon():
        await check_gone(house)


@pytest.mark.long
@pytest.mark.parametrize("at", [*BEFORE, *AFTER])
async def test_a_purge_that_was_cut_off_is_done_or_undone(house: House, at: str) -> None:
    """Its word is needed again: what was not removed keeps its home, and its old dates."""
    dated = await removed(house)
    await killed(house, at, "name")
    await check_order(house, at)
    if at in BEFORE:
        async with house.daemon():
            kept = await house.until("alice", lambda row: row.phase == Phase.TOMBSTONED)
            await house.until("alice", lambda row: row.message == "removed; its home is kept")
        assert (kept.removed_at, kept.grace_end) == (dated.removed_at, dated.grace_end)
        assert await content(house) == EXPECTED
        async with house.runner() as runner:
            assert (await runner.purge("alice", confirm="alice")).ok
    async with house.daemon():
        await check_gone(house)


@pytest.mark.parametrize(
    "at", ["forgotten", *(pytest.param(at, marks=pytest.mark.long) for at in OTHERS)]
)
async def test_a_file_that_is_back_by_then_gets_what_is_there(house: House, at: str) -> None:
    await removed(house)
    await killed(house, at, "name")
    house.write("alice")
    async with house.daemon():
        await house.until_phase("alice", Phase.RUNNING)
    if at in BEFORE:
        assert await house.marker("alice") == MINE
        assert await content(house) == EXPECTED
    else:
        with pytest.raises(KeyError):
            await house.marker("alice")
    assert {result.action for result in await house.up("alice")} == {"nothing"}


async def test_what_a_killed_removal_may_have_torn_is_mounted_by_a_typed_word_only(
    house: House,
) -> None:
    """Killed right before the engine is told: nobody knows how far that came."""
    await removed(house)
    await killed(house, "marked", "name")
    house.write("alice")
    results = {result.id: result for result in await house.up()}
    assert (results["alice"].phase, results["alice"].reason) == (Phase.ERROR, "HOME_PARTLY_REMOVED")
    assert await house.containers() == {"bob"}
    assert await content(house) == EXPECTED
    async with house.runner() as runner:
        with pytest.raises(NotConfirmedError, match=r"what is left of .*alice-home-1 is taken"):
            await runner.adopt("alice")
        assert (await runner.adopt("alice", confirm="alice")).phase == Phase.RUNNING
    assert await house.marker("alice") == MINE
    assert {result.action for result in await house.up("alice")} == {"nothing"}
