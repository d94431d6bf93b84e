"""A failed change that the container outlives: who works in it goes on."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from stacks.demand import Demand
from stacks.errors import (
    EngineUnavailableError,
    OperationFailedError,
    PolicyViolationError,
    StacksError,
    Violation,
)
from stacks.failing import could_outlive, is_same
from stacks.planned import Action, Change, Known
from state_index.models import Published
from state_index.phases import Phase, Sync
from tests.stacks.test_plan import container, row
from tests.stacks.test_reconciler import UP, Bench, bench, spec_of
from tests.waiting import until

LOOK = Demand(cause="poll")
REFUSED = PolicyViolationError((Violation(rule="limits", resource="container", message="no"),))


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path, retries=True) as found:
        found.files(spec_of("alice"))
        await found.queue.sweep(UP)
        assert found.row("alice").phase is Phase.RUNNING
        yield found


def told(found: Published) -> tuple[Phase, Sync, str]:
    return found.phase, found.sync, found.reason


async def test_it_stays_running_by_what_it_was(one: Bench) -> None:
    before = one.power.containers["alice"]
    one.files(spec_of("alice", image="missing"))
    (result,) = await one.queue.sweep(LOOK)
    assert (result.reason, result.phase) == ("IMAGE_MISSING", Phase.RUNNING)
    found = one.row("alice")
    assert told(found) == (Phase.RUNNING, Sync.OUT_OF_SYNC, "IMAGE_MISSING")
    assert "it is missing" in found.message
    assert one.power.containers["alice"] == before
    # The same file is not tried again by looks, and they write nothing.
    operations, generation = list(one.engine.done), found.generation
    for _ in range(3):
        await one.queue.sweep(LOOK)
    assert one.engine.done == operations
    assert one.row("alice").generation == generation


async def test_another_file_ends_it(one: Bench) -> None:
    one.files(spec_of("alice", image="missing"))
    await one.queue.sweep(LOOK)
    one.files(spec_of("alice", image="other"))
    await one.queue.sweep(LOOK)
    assert told(one.row("alice")) == (Phase.RUNNING, Sync.SYNCED, "")
    assert one.row("alice").message == ""


async def test_the_former_file_ends_it_without_an_operation(one: Bench) -> None:
    operations = list(one.engine.done)
    one.files(spec_of("alice", image="missing"))
    await one.queue.sweep(LOOK)
    one.files(spec_of("alice"))
    await one.queue.sweep(LOOK)
    found = one.row("alice")
    assert told(found) == (Phase.RUNNING, Sync.SYNCED, "")
    assert (found.message, found.step, found.retry_at) == ("", "", None)
    assert found.image == "light"
    assert one.engine.done == operations


async def test_a_person_may_have_it_tried_again(one: Bench) -> None:
    one.files(spec_of("alice", env={"A": "1"}))
    one.engine.errors["alice"] = [REFUSED]
    await one.queue.sweep(LOOK)
    assert told(one.row("alice")) == (Phase.RUNNING, Sync.OUT_OF_SYNC, REFUSED.reason)
    await one.queue.sweep(UP)
    assert told(one.row("alice")) == (Phase.RUNNING, Sync.SYNCED, "")


async def test_it_is_stopped_and_started_meanwhile(one: Bench) -> None:
    one.files(spec_of("alice", image="missing"))
    await one.queue.sweep(LOOK)
    asked = Demand(cause="stop", asked=False)
    assert (await one.queue.submit("alice", asked)).phase == Phase.WARM
    assert not one.power.containers["alice"].running


async def test_what_stops_meanwhile_is_no_longer_called_running(one: Bench) -> None:
    one.files(spec_of("alice", image="missing"))
    await one.queue.sweep(LOOK)
    one.power.switch("alice", "exited")
    await one.queue.sweep(LOOK)
    # As ever, what stopped by itself is started again, by its former file.
    assert told(one.row("alice")) == (Phase.RUNNING, Sync.OUT_OF_SYNC, "")
    assert one.power.containers["alice"].running


async def test_a_look_leaves_the_words_of_what_is_tried_again(one: Bench) -> None:
    one.files(spec_of("alice", env={"A": "1"}))
    one.engine.errors["alice"] = [OperationFailedError("no luck", delay=60)]
    await one.queue.sweep(LOOK)
    found = one.row("alice")
    assert told(found) == (Phase.RUNNING, Sync.OUT_OF_SYNC, "OPERATION_FAILED")
    assert found.retry_at is not None
    await one.queue.sweep(LOOK)
    assert one.row("alice") == found


async def test_a_passing_error_is_tried_again_by_its_timer(one: Bench) -> None:
    one.files(spec_of("alice", env={"A": "1"}))
    one.engine.errors["alice"] = [OperationFailedError("no luck", delay=0.01)]
    await one.queue.sweep(LOOK)
    await until(lambda: told(one.row("alice")) == (Phase.RUNNING, Sync.SYNCED, ""))
    assert one.row("alice").retry_at is None


async def test_a_container_that_went_with_the_failure_is_an_error(one: Bench) -> None:
    one.files(spec_of("alice", env={"A": "1"}))
    one.engine.going.clear()
    one.engine.errors["alice"] = [OperationFailedError("torn", delay=60)]
    future = one.queue.submit("alice", LOOK)
    await one.phase("alice", Phase.UPDATING)
    del one.power.containers["alice"]
    one.engine.going.set()
    assert (await future).phase == Phase.ERROR


@pytest.mark.parametrize("error", [EngineUnavailableError("gone"), OperationFailedError("x")])
async def test_where_nobody_can_look_it_is_not_said_to_run(one: Bench, error: StacksError) -> None:
    one.files(spec_of("alice", env={"A": "1"}))
    one.engine.errors["alice"] = [error]
    one.engine.going.clear()
    future = one.queue.submit("alice", LOOK)
    await one.phase("alice", Phase.UPDATING)
    one.power.failures["container"] = [EngineUnavailableError("gone")]
    one.engine.going.set()
    wanted = Phase.UNKNOWN if isinstance(error, EngineUnavailableError) else Phase.ERROR
    assert (await future).phase == wanted


def test_only_a_change_of_shape_of_what_ran_is_outlived() -> None:
    found = spec_of("alice")
    known = Known(id="alice", row=row(Phase.RUNNING, found), container=container(found))
    assert known.row is not None
    change = Change(known=known, action=Action.UPDATE, desired_hash="another")
    assert could_outlive(change)
    assert not could_outlive(replace(change, action=Action.STOP))
    assert not could_outlive(replace(change, desired_hash=known.row.applied_hash))
    warm = replace(known, row=row(Phase.WARM, found))
    assert not could_outlive(replace(change, known=warm))
    assert is_same(known, known)
    assert not is_same(known, replace(known, container=None))
