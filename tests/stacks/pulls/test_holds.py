"""What is held stays as it is and runs on: on a real index and queue, the engine beside."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from spec import WorkspaceSpec
from stacks.demand import Demand
from stacks.git.commits import judged
from stacks.pulls.hold import Hold
from stacks.source import Snapshot
from state_index.phases import Phase, Sync
from tests.stacks.test_reconciler import UP, Bench, bench, spec_of

HOLD = Hold(message="it is kept as it is: more than was reviewed", remedy="Run `codehub approve`.")
PRUNE = replace(UP, prune=True)


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as found:
        found.power.networks.add("x-net")
        yield found


def asks(one: Bench, *specs: WorkspaceSpec, held: tuple[str, ...] = ()) -> Snapshot:
    one.queue.snapshot = Snapshot(
        specs={spec.id: spec for spec in specs}, holds=dict.fromkeys(held, HOLD)
    )
    return one.queue.snapshot


async def test_a_change_that_is_held_waits_and_on_and_off_still_work(one: Bench) -> None:
    asks(one, spec_of("aa"), spec_of("bb"))
    await one.queue.sweep(UP)
    before = one.power.containers["aa"].id
    changed = (spec_of("aa", env={"A": "b"}), spec_of("bb", env={"A": "b"}))
    snapshot = asks(one, *changed, held=("aa",))
    results = {result.id: result for result in await one.queue.sweep(UP)}
    assert (results["aa"].reason, results["bb"].ok) == ("REVIEW_EXCEEDED", True)
    row = one.row("aa")
    assert (row.phase, row.sync) == (Phase.RUNNING, Sync.OUT_OF_SYNC)
    assert row.message == f"{HOLD.message}. {HOLD.remedy}"
    assert '"A"' not in row.spec_json
    found = judged(snapshot, {"aa": row, "bb": one.row("bb")}, is_busy=lambda _: False, prunes=True)
    assert (set(found.failures), found.waiting) == ({"aa"}, ())
    stopped = await one.queue.submit("aa", Demand(cause="stop", asked=False))
    started = await one.queue.submit("aa", Demand(cause="start", asked=True))
    assert (stopped.phase, started.phase) == (Phase.WARM, Phase.RUNNING)
    assert one.power.containers["aa"].id == before
    asks(one, *changed)
    await one.queue.sweep(Demand(cause="it was approved"))
    assert (one.row("aa").sync, one.row("aa").message) == (Sync.SYNCED, "")
    assert '"A"' in one.row("aa").spec_json


async def test_a_removal_that_is_held_removes_nothing_until_it_is_not(one: Bench) -> None:
    asks(one, spec_of("aa"), spec_of("bb"))
    await one.queue.sweep(UP)
    snapshot = asks(one, spec_of("aa"), held=("bb",))
    for _ in range(2):
        await one.queue.sweep(PRUNE)
    assert set(one.power.containers) == {"aa", "bb"}
    assert HOLD.message in one.row("bb").message
    found = judged(snapshot, {"bb": one.row("bb")}, is_busy=lambda _: False, prunes=True)
    assert found.failures.keys() == {"bb"}
    # What someone types by name is no commit's doing.
    await one.queue.submit("bb", Demand(cause="destroy", remove=True, force=True))
    assert one.row("bb").phase is Phase.TOMBSTONED
    gone = judged(snapshot, {"bb": one.row("bb")}, is_busy=lambda _: False, prunes=True)
    assert "bb" not in gone.failures
    # To come back as something else is a commit's doing again.
    asks(one, spec_of("aa"), spec_of("bb", env={"A": "b"}), held=("bb",))
    (back,) = [each for each in await one.queue.sweep(UP) if each.id == "bb"]
    assert (back.reason, set(one.power.containers)) == ("REVIEW_EXCEEDED", {"aa"})
    asks(one, spec_of("aa"), spec_of("bb"))
    await one.queue.sweep(UP)
    asks(one, spec_of("aa"))
    await one.queue.sweep(PRUNE)
    assert set(one.power.containers) == {"aa"}


@pytest.mark.parametrize(
    "specs", [(spec_of("aa", env={"A": "b"}), spec_of("bb")), (spec_of("bb"),)]
)
async def test_a_container_that_goes_comes_back_by_the_former_file(
    one: Bench, specs: tuple[WorkspaceSpec, ...]
) -> None:
    """Also where it is the file's removal that is held: its home is there."""
    asks(one, spec_of("aa"), spec_of("bb"))
    await one.queue.sweep(UP)
    asks(one, *specs, held=("aa",))
    await one.queue.sweep(PRUNE)
    before = one.row("aa")
    del one.power.containers["aa"]
    await one.queue.sweep(PRUNE)
    assert one.power.containers["aa"].running
    results = {result.id: result for result in await one.queue.sweep(PRUNE)}
    assert (results["aa"].reason, one.row("aa").message) == ("REVIEW_EXCEEDED", before.message)
    row = one.row("aa")
    assert (row.phase, row.sync, row.spec_json) == (
        Phase.RUNNING,
        Sync.OUT_OF_SYNC,
        before.spec_json,
    )
    # Nothing is written while nothing changes.
    generation = one.index.generation()
    await one.queue.sweep(Demand(cause="look", prune=True))
    assert one.index.generation() == generation


@pytest.mark.parametrize(
    "specs", [(spec_of("aa", env={"A": "b"}), spec_of("bb")), (spec_of("bb"),)]
)
async def test_one_without_a_container_is_started(
    one: Bench, specs: tuple[WorkspaceSpec, ...]
) -> None:
    asks(one, spec_of("aa"), spec_of("bb"))
    await one.queue.sweep(UP)
    asks(one, *specs, held=("aa",))
    await one.queue.submit("aa", Demand(cause="stop", asked=False))
    del one.power.containers["aa"]
    started = await one.queue.submit("aa", Demand(cause="start", asked=True))
    assert (started.phase, started.reason) == (Phase.RUNNING, "")
    assert one.power.containers["aa"].running
    assert '"A"' not in one.row("aa").spec_json


async def test_of_a_held_removal_without_a_home_nothing_is_made(one: Bench) -> None:
    """Whether there was an earlier home is asked of those only that have a file."""
    asks(one, spec_of("aa"), spec_of("bb"))
    await one.queue.sweep(UP)
    asks(one, spec_of("bb"), held=("aa",))
    del one.power.containers["aa"]
    one.power.volumes.clear()
    await one.queue.sweep(PRUNE)
    assert set(one.power.containers) == {"bb"}


async def test_a_new_one_that_is_held_is_not_made_and_says_why(one: Bench) -> None:
    asks(one, spec_of("aa"), spec_of("fresh"), held=("fresh",))
    await one.queue.sweep(UP)
    row = one.row("fresh")
    assert (row.phase, row.reason, row.spec_json) == (Phase.ERROR, "REVIEW_EXCEEDED", "")
    quiet, waiting = await one.queue.dispatch(Demand(cause="look"))
    assert (len(quiet), waiting) == (2, [])
    one.queue.snapshot = replace(
        one.queue.snapshot, holds={"fresh": replace(HOLD, message="other")}
    )
    await one.queue.sweep(Demand(cause="look"))
    assert one.row("fresh").message.startswith("other")
    asks(one, spec_of("aa"), spec_of("fresh"))
    await one.queue.sweep(Demand(cause="look"))
    assert one.row("fresh").phase is Phase.RUNNING


async def test_what_waits_for_the_forge_only_is_no_failure(one: Bench) -> None:
    asks(one, spec_of("aa"))
    await one.queue.sweep(UP)
    passing = {"aa": replace(HOLD, passing=True)}
    snapshot = Snapshot(specs={"aa": spec_of("aa", env={"A": "b"})}, holds=passing)
    found = judged(snapshot, {"aa": one.row("aa")}, is_busy=lambda _: False, prunes=True)
    assert (found.waiting, found.failures) == (("aa",), {})
