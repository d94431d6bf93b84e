"""A leader that is paused for longer than its lease, where nobody can kill it, and then goes on.

Its successor is on another machine, as far as both can tell. Each test has a control: the same
runner without the fence, which acts where the fenced one does nothing.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from stacks.errors import LockHeldError
from state_index.phases import Phase
from tests.stacks.house import DAEMON, House
from tests.stacks.integration import leaders
from tests.stacks.integration.leaders import (
    TAKEOVER,
    UNFENCED,
    Process,
    at_work,
    elsewhere,
    image,
    leads,
    says,
    still_image,
    stopped_between_writes,
    usurped,
    with_neighbour,
)
from tests.stacks.integration.test_daemon import ask
from tests.waiting import until

pytestmark = pytest.mark.engine

CASES = pytest.mark.parametrize(
    ("shared", "fenced"),
    [("sqlite", True), ("postgresql", True), ("sqlite", False)],
    indirect=["shared"],
    ids=["sqlite", "postgresql", "control"],
)


@asynccontextmanager
async def apart(house: House) -> AsyncIterator[tuple[Process, Process]]:
    """A runner that leads, and one on another machine that stands by."""
    house = with_neighbour(house)
    async with AsyncExitStack() as exits:
        first = await exits.enter_async_context(house.daemon())
        await leads(house, first)
        second = await exits.enter_async_context(house.daemon(script=elsewhere(), name="other"))
        await says(house, "standing by", name="other")
        yield first, second


@CASES
async def test_paused_at_rest(shared: House, *, fenced: bool) -> None:
    shared.write("alice")
    async with shared.daemon(script=DAEMON if fenced else UNFENCED) as former:
        await shared.until_phase("alice", Phase.RUNNING)
        await stopped_between_writes(shared, former)
        async with usurped(shared):
            intent = ask(shared, "alice", "stop")
            before = await image(shared, "alice", intent=intent.id)
            former.send_signal(signal.SIGCONT)
            if fenced:
                await says(shared, "standing by")
                assert await image(shared, "alice", intent=intent.id) == before
                assert not shared.settings.paths.runner_sock.exists(), "it serves nobody"
            else:
                await shared.until_phase("alice", Phase.WARM)
        await shared.until_phase("alice", Phase.WARM)
    assert not fenced or former.returncode == 0


@CASES
async def test_paused_in_the_middle_of_an_operation(shared: House, *, fenced: bool) -> None:
    async with shared.daemon(script=DAEMON if fenced else UNFENCED) as former:
        await leads(shared, former)
        shared.write("alice")
        session = await at_work(shared, "alice")
        await stopped_between_writes(shared, former)
        async with usurped(shared):
            if fenced:
                await until(lambda: leaders.is_over(session), "the operation to end itself")
            before = await still_image(shared, "alice")
            former.send_signal(signal.SIGCONT)
            if fenced:
                await says(shared, "standing by")
                assert await image(shared, "alice") == before
            else:
                await shared.until_phase("alice", Phase.RUNNING)
        await shared.until_phase("alice", Phase.RUNNING)
    assert not fenced or former.returncode == 0


async def test_a_successor_elsewhere_does_the_work_and_the_former_leader_nothing(
    shared: House,
) -> None:
    async with apart(shared) as (former, successor):
        shared.write("alice")
        await at_work(shared, "alice")
        await stopped_between_writes(shared, former)
        await leads(shared, successor)
        await shared.until_phase("alice", Phase.RUNNING)
        shared.write("bob", state="warm")
        await shared.until_phase("bob", Phase.WARM)
        before = await still_image(shared, "alice", "bob")
        former.send_signal(signal.SIGCONT)
        await says(shared, "standing by")
        assert await image(shared, "alice", "bob") == before
        assert "the lease is lost" in shared.log()
        assert former.returncode is None, "nobody elsewhere kills it"
        successor.terminate()
        await leads(shared, former)
        await shared.until_phase("alice", Phase.RUNNING)
    assert "ended what a former runner left" not in shared.log("other")
    assert await shared.containers() == {"alice", "bob"}


@pytest.mark.parametrize("shared", ["postgresql"], indirect=True)
async def test_a_leader_that_is_killed_elsewhere_is_succeeded(shared: House) -> None:
    """With the default timeout, which has to be waited for: nothing proves that it is gone."""
    shared = replace(shared, extra=shared.extra | {"CODEHUB_LEASE_TIMEOUT": "10s"})
    async with apart(shared) as (former, successor):
        former.kill()
        await leads(shared, successor, within=TAKEOVER)


async def test_a_command_is_told_who_leads_elsewhere(quick: House) -> None:
    shared = with_neighbour(quick)
    async with shared.daemon(script=elsewhere()) as leader:
        await leads(shared, leader)
        with pytest.raises(LockHeldError, match=f"leads on this index: .+ pid {leader.pid}"):
            await shared.up()


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_paused_for_a_minute(shared: House) -> None:
    """As the issue says it, with the default timeout, at rest and in the middle of an operation."""
    shared = replace(shared, extra=shared.extra | {"CODEHUB_LEASE_TIMEOUT": "10s"})
    async with apart(shared) as (former, successor):
        shared.write("alice")
        await at_work(shared, "alice")
        await stopped_between_writes(shared, former)
        over = asyncio.get_running_loop().time() + 60
        await leads(shared, successor, within=TAKEOVER)
        await shared.until_phase("alice", Phase.RUNNING)
        ask(shared, "alice", "stop")
        await shared.until_phase("alice", Phase.WARM)
        await until(lambda: asyncio.get_running_loop().time() > over, "the minute", within=90)
        before = await still_image(shared, "alice")
        former.send_signal(signal.SIGCONT)
        await says(shared, "standing by")
        assert await image(shared, "alice") == before
        successor.terminate()
        await leads(shared, former)
