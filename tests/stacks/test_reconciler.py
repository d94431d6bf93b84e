"""The queue: merging, one at a time, several at once, retries, and one's failure is one's own."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from spec import Problem, WorkspaceSpec
from stacks.board import Board, Context
from stacks.demand import Demand
from stacks.endings import Endings
from stacks.engine import Kind
from stacks.errors import (
    EngineUnavailableError,
    OperationFailedError,
    OvertakenError,
    PublishFailedError,
    StaleContainerError,
)
from stacks.grace import GraceClock
from stacks.ledger import Ledger
from stacks.power import Container, Inventory
from stacks.reconciler import Reconciler
from stacks.rendering import Facts
from stacks.shared import SHARED_STACK
from stacks.sight import Sight
from stacks.source import Snapshot
from stacks.steps import Result
from stacks.work import Limits, Work
from state_index.errors import IndexUnavailableError
from state_index.index import Index
from state_index.models import Published, utc_now
from state_index.phases import Event, Phase, Sync
from tests.stacks.fakes import FakeEngine, FakePower, taken
from tests.waiting import until

UP = Demand(cause="up", force=True)


def spec_of(id_: str, **keys: Any) -> WorkspaceSpec:
    return WorkspaceSpec.model_validate({"id": id_, "owner": "alice", "image": "light", **keys})


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A queue on a real index, a fake engine and a fake power."""

    queue: Reconciler
    engine: FakeEngine
    power: FakePower
    index: Index

    def files(self, *specs: WorkspaceSpec) -> None:
        self.queue.snapshot = Snapshot(specs={spec.id: spec for spec in specs})

    def row(self, workspace: str) -> Published:
        found = self.index.workspace(workspace)
        assert found is not None
        return found

    async def phase(self, workspace: str, phase: Phase) -> None:
        async def there() -> bool:
            found = await asyncio.to_thread(self.index.workspace, workspace)
            return found is not None and found.phase is phase

        await until(there)


async def no_files() -> Snapshot:
    return Snapshot()


def endings_of(board: Board, power: FakePower, engine: FakeEngine, ledger: Ledger) -> Endings:
    clock = GraceClock(board, ledger, grace=60, longest=60)
    return Endings(
        board=board,
        power=power,
        engine=engine,
        read=no_files,
        clock=clock,
        ledger=ledger,
        name_prefix="x-",
    )


@asynccontextmanager
async def bench(
    tmp_path: Path,
    *,
    parallel: int = 2,
    retries: bool = False,
    power: FakePower | None = None,
    leads: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> AsyncIterator[Bench]:
    facts = Facts(name_prefix="x-", network="x-net", run=str(tmp_path / "run"))
    power = power or FakePower()
    engine = FakeEngine(power=power)
    ledger = Ledger(tmp_path / "graces.json")
    with Index.open(f"sqlite:///{tmp_path}/index.db") as index:
        grant = index.lease("leader").acquire() if leads else None
        board = Board(index.under(grant) if grant else index)
        async with asyncio.TaskGroup() as group:
            work = Work(
                board=board,
                engine=engine,
                power=power,
                facts=facts,
                limits=Limits(parallel=parallel),
                endings=endings_of(board, power, engine, ledger),
            )
            queue = Reconciler(
                board=board,
                sight=Sight(board=board, power=power, ledger=ledger),
                work=work,
                facts=facts,
                group=group,
                retries=retries,
                clock=clock,
            )
            try:
                yield Bench(queue=queue, engine=engine, power=power, index=index)
            finally:
                await queue.close()


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as found:
        yield found


async def test_several_at_once_but_no_more_than_allowed(tmp_path: Path) -> None:
    async with bench(tmp_path, parallel=3) as found:
        found.files(*(spec_of(f"ws-{n}") for n in range(8)))
        found.power.networks.add("x-net")
        found.engine.going.clear()
        _, waiting = await found.queue.dispatch(UP)

        async def full() -> bool:
            return len(found.engine.running) == 3

        await until(full)
        found.engine.going.set()
        results = await asyncio.gather(*waiting)
        assert {result.phase for result in results} == {Phase.RUNNING}
        assert found.engine.most == 3


async def test_the_network_is_made_once(one: Bench) -> None:
    one.files(*(spec_of(f"ws-{n}") for n in range(4)))
    await one.queue.sweep(UP)
    assert [stack for _, stack in one.engine.done].count(SHARED_STACK) == 1


async def test_changes_that_come_meanwhile_are_one(one: Bench) -> None:
    one.engine.going.clear()
    one.power.networks.add("x-net")
    one.files(spec_of("alice"))
    first = one.queue.submit("alice", UP)
    await one.phase("alice", Phase.PROVISIONING)
    later = []
    for n in range(5):
        one.files(spec_of("alice", env={"N": str(n)}))
        later.append(one.queue.submit("alice", UP))
    one.engine.going.set()
    assert (await first).action == "create"
    assert {(await result).action for result in later} == {"replace"}
    assert len(one.engine.done) == 2, "five changes, one operation"
    assert one.row("alice").spec_json.count('"N":"4"') == 1


async def test_of_contrary_wishes_the_newer_one_counts(one: Bench) -> None:
    one.files(spec_of("alice"))
    await one.queue.sweep(UP)
    first = one.queue.submit("alice", Demand(cause="stop", asked=False))
    second = one.queue.submit("alice", Demand(cause="start", asked=True))
    third = one.queue.submit("alice", Demand(cause="folder", prune=True))
    assert (await first).phase == (await second).phase == (await third).phase == Phase.RUNNING
    merged = Demand(cause="a", asked=True, force=True).merged(Demand(cause="b", remove=True))
    assert merged == Demand(cause="b", asked=True, force=True, remove=True)


async def test_one_failure_is_one_workspace_s(one: Bench) -> None:
    one.files(spec_of("alice"), spec_of("bob", image="missing"), spec_of("carol"))
    one.engine.errors["carol"] = [ExceptionGroup("a frame", [RuntimeError("a bug")])]
    logging.disable(logging.CRITICAL)
    try:
        results = {result.id: result for result in await one.queue.sweep(UP)}
    finally:
        logging.disable(logging.NOTSET)
    assert results["alice"].phase == Phase.RUNNING
    assert (results["bob"].reason, results["bob"].step) == ("IMAGE_MISSING", "image")
    assert (results["carol"].reason, results["carol"].retryable) == ("PROGRAM_ERROR", False)
    assert "RuntimeError: a bug" in one.row("carol").message


async def test_a_lasting_error_waits_and_is_told_once(one: Bench) -> None:
    one.files(spec_of("bob", image="missing"))
    await one.queue.sweep(UP)
    generation = one.row("bob").generation
    quiet, waiting = await one.queue.dispatch(Demand(cause="poll"))
    assert ([result.id for result in quiet], waiting) == (["bob"], [])
    assert one.row("bob").generation == generation
    one.files(spec_of("bob"))
    assert (await one.queue.sweep(Demand(cause="changed")))[0].phase == Phase.RUNNING


async def test_a_quiet_sweep_writes_nothing_and_lists_once(one: Bench) -> None:
    one.files(*(spec_of(f"ws-{n}") for n in range(4)))
    await one.queue.sweep(UP)
    generation, calls = one.index.generation(), len(one.power.calls)
    results = await one.queue.sweep(UP)
    assert {result.action for result in results} == {"nothing"}
    assert one.index.generation() == generation
    assert one.power.calls[calls:] == ["inventory"]


async def test_a_passing_error_is_tried_again(tmp_path: Path) -> None:
    async with bench(tmp_path, retries=True) as found:
        found.files(spec_of("alice"))
        found.engine.errors["alice"] = [OperationFailedError("no luck", delay=0.01)]
        (failed,) = await found.queue.sweep(UP)
        assert (failed.reason, failed.retryable) == ("OPERATION_FAILED", True)
        assert found.row("alice").retry_at is not None
        await found.phase("alice", Phase.RUNNING)
        assert found.row("alice").retry_at is None


LEAST = 60.0
"""Seconds until the next attempt after a first failure; longer than a test."""

OFTEN = 9
"""Failures after which it is minutes."""

NO_LUCK = OperationFailedError("no luck", delay=LEAST)


@asynccontextmanager
async def failing(tmp_path: Path, *, times: int = 1) -> AsyncIterator[Bench]:
    """A queue with alice, who failed so often."""
    async with bench(tmp_path, retries=True) as found:
        found.files(spec_of("alice"))
        found.engine.errors["alice"] = [NO_LUCK, NO_LUCK]
        await found.queue.sweep(UP)
        if times > 1:
            entry = found.queue._entries["alice"]
            entry.rest()  # as if its timer had run so often
            entry.failures = times - 1
            await found.queue.sweep(UP)
        found.engine.errors["alice"] = []
        assert is_first_failure(found) == (times == 1)
        yield found


def is_first_failure(found: Bench) -> bool:
    """Whether alice's backoff stands at its begin, by what is published."""
    at = found.row("alice").retry_at
    assert at is not None
    return (at - datetime.now(UTC)).total_seconds() <= LEAST


async def test_a_changed_file_comes_before_the_retry_and_begins_the_backoff_anew(
    tmp_path: Path,
) -> None:
    async with failing(tmp_path, times=OFTEN) as found:
        found.engine.errors["alice"] = [NO_LUCK]
        found.files(spec_of("alice", env={"A": "b"}))
        (failed,) = await found.queue.sweep(Demand(cause="changed"))
        assert (failed.ok, is_first_failure(found)) == (False, True)
        found.files(spec_of("alice", state="running"))
        (done,) = await found.queue.sweep(Demand(cause="changed"))
        assert done.phase == Phase.RUNNING


async def test_who_asks_often_does_not_make_the_next_attempt_late(tmp_path: Path) -> None:
    async with bench(tmp_path, retries=True) as found:
        found.files(spec_of("alice"))
        found.engine.errors["alice"] = [NO_LUCK] * OFTEN
        for _ in range(OFTEN):
            await found.queue.sweep(UP)
        assert is_first_failure(found)


async def test_a_success_begins_the_backoff_anew(tmp_path: Path) -> None:
    async with failing(tmp_path, times=OFTEN) as found:
        assert (await found.queue.sweep(UP))[0].phase == Phase.RUNNING
        found.power.containers.clear()
        found.engine.errors["alice"] = [NO_LUCK]
        (failed,) = await found.queue.sweep(UP)
        assert (failed.ok, is_first_failure(found)) == (False, True)


async def test_a_mere_look_does_not_cut_the_backoff_short(tmp_path: Path) -> None:
    async with failing(tmp_path) as found:
        at = found.row("alice").retry_at
        done = len(found.engine.done)
        found.files(spec_of("alice"), spec_of("bob"))
        results = {one.id: one for one in await found.queue.sweep(Demand(cause="poll"))}
        assert results["bob"].phase == Phase.RUNNING
        assert results["alice"].phase == found.row("alice").phase == Phase.ERROR
        assert len(found.engine.done) == done + 1
        assert found.row("alice").retry_at == at
        assert (await found.queue.sweep(UP))[0].phase == Phase.RUNNING, "`up` does"


async def test_a_look_that_came_during_the_attempt_that_failed_waits_too(tmp_path: Path) -> None:
    async with bench(tmp_path, retries=True) as found:
        found.files(spec_of("bob"))
        await found.queue.sweep(UP)  # makes the network
        found.files(spec_of("alice"), spec_of("bob"))
        found.engine.errors["alice"] = [NO_LUCK]
        found.engine.going.clear()
        attempt = found.queue.submit("alice", UP)
        await until(partial(_is_running, found))
        look = found.queue.submit("alice", Demand(cause="poll"))
        found.engine.going.set()
        assert [(await each).phase for each in (attempt, look)] == [Phase.ERROR, Phase.ERROR]
        assert found.engine.done.count((Kind.UP, "alice")) == 1
        assert is_first_failure(found)
        assert (await found.queue.submit("alice", UP)).phase == Phase.RUNNING, "who asks is served"


async def _is_running(found: Bench) -> bool:
    return "alice" in found.engine.running


async def test_an_engine_that_is_back_ends_the_wait(tmp_path: Path) -> None:
    async with bench(tmp_path, retries=True) as found:
        found.files(spec_of("alice"))
        found.power.failures["check_image"] = [EngineUnavailableError("no answer", delay=3600)]
        await found.queue.sweep(UP)
        assert found.row("alice").phase is Phase.UNKNOWN
        assert (await found.queue.sweep(Demand(cause="poll")))[0].phase == Phase.RUNNING


async def test_what_alone_does_not_get_an_answer_waits_until_the_engine_was_away(
    tmp_path: Path,
) -> None:
    """Each look would else try it again, though only its own operation fails."""
    poll = Demand(cause="poll")
    async with bench(tmp_path, retries=True) as found:
        found.files(spec_of("alice"))
        found.power.failures["check_image"] = [EngineUnavailableError("EOF", delay=3600)] * 2
        for sweep in (UP, poll, poll, poll):
            assert (await found.queue.sweep(sweep))[0].phase is Phase.UNKNOWN
        assert found.power.calls.count("check_image") == 2
        found.power.failures["inventory"] = [EngineUnavailableError("no answer")]
        with pytest.raises(EngineUnavailableError):
            await found.queue.sweep(poll)
        assert (await found.queue.sweep(poll))[0].phase == Phase.RUNNING


async def test_a_failure_that_could_not_be_told_is_no_lasting_one(
    one: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the disk is full for a moment: its container outlived an update, and goes on by two events."""
    one.files(spec_of("alice"))
    await one.queue.sweep(UP)
    one.files(spec_of("alice", image="other"))
    one.engine.errors["alice"] = [NO_LUCK]
    publish = one.index.publish

    def full(id_: str, **told: Any) -> Published:
        if told.get("event") is Event.READY:
            raise IndexUnavailableError("database or disk is full")
        return publish(id_, **told)

    with monkeypatch.context() as patched:
        patched.setattr(one.index, "publish", full)
        await one.queue.sweep(UP)
    assert (one.row("alice").phase, one.row("alice").reason) == (Phase.UPDATING, "")
    one.index.publish("alice", event=Event.FAILED, cause="by half, as a former release could")
    assert (await one.queue.sweep(Demand(cause="poll")))[0].phase is Phase.RUNNING
    assert one.row("alice").image == "other"


async def test_what_was_stopped_by_hand_starts_although_that_could_not_be_told(
    one: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by half it would be WARM, which is at rest for good."""
    one.files(spec_of("alice"))
    await one.queue.sweep(UP)
    one.power.containers["alice"] = replace(one.power.containers["alice"], state="exited")
    publish = one.index.publish

    def full(id_: str, **told: Any) -> Published:
        if told.get("event") is Event.START:
            raise IndexUnavailableError("database or disk is full")
        return publish(id_, **told)

    with monkeypatch.context() as patched:
        patched.setattr(one.index, "publish", full)
        await one.queue.sweep(UP)
    assert (await one.queue.sweep(Demand(cause="poll")))[0].phase is Phase.RUNNING


async def test_an_attempt_that_saw_no_engine_says_nothing_of_its_own(tmp_path: Path) -> None:
    poll = Demand(cause="poll")
    async with bench(tmp_path, retries=True) as found:
        found.files(spec_of("alice"))
        away = EngineUnavailableError("no answer", delay=3600)
        found.power.failures["check_image"] = [away]
        await found.queue.sweep(UP)
        found.power.failures["container"] = [away]
        attempt = replace(poll, cause="tried again", force=True)
        assert (await found.queue.submit("alice", attempt)).phase is Phase.UNKNOWN
        assert (await found.queue.sweep(poll))[0].phase == Phase.RUNNING


async def test_a_row_that_can_t_be_read_is_no_failure_of_what_was_done(
    one: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.files(spec_of("alice"))
    row, perform, broken = one.queue._board.row, one.queue._work.perform, [False]

    async def performed(*args: Any) -> Any:
        done = await perform(*args)
        broken[0] = True
        return done

    async def unreadable(id_: str) -> Published | None:
        if broken[0]:
            raise PublishFailedError("the state index is not available", step="publish")
        return await row(id_)

    monkeypatch.setattr(one.queue._work, "perform", performed)
    monkeypatch.setattr(one.queue._board, "row", unreadable)
    (done,) = await one.queue.sweep(UP)
    assert done.reason == ""
    assert (one.row("alice").phase, one.row("alice").reason) == (Phase.RUNNING, "")


RETRY = Demand(
    cause="eve asked to try it again", actor="eve", request_id="request-01", force=True, retry=True
)


async def test_a_retry_begins_the_backoff_anew_and_is_in_the_history(tmp_path: Path) -> None:
    async with failing(tmp_path, times=OFTEN) as found:
        found.engine.errors["alice"] = [NO_LUCK]
        failed = await found.queue.submit("alice", RETRY)
        assert (failed.phase, is_first_failure(found)) == (Phase.ERROR, True)
        (row,) = [one for one in found.index.history("alice") if one.event == Event.RETRY]
        assert (row.from_phase, row.to_phase) == (Phase.ERROR, Phase.PENDING)
        assert (row.cause, row.actor) == (RETRY.cause, "eve")
        assert row.request_id == "request-01"
        assert (await found.queue.submit("alice", RETRY)).phase == Phase.RUNNING
        assert found.row("alice").retry_at is None


async def test_the_history_says_who_why_and_by_which_content_of_the_file(one: Bench) -> None:
    """The reason only where the plan decided: what somebody asked for is its own reason."""
    one.files(spec_of("alice"))
    one.queue.snapshot = replace(one.queue.snapshot, revisions={"alice": "c0ffee"})
    asked = Demand(cause="eve asked for `up`", actor="eve", force=True, explained=True)
    await one.queue.sweep(asked)
    told = {(row.actor, row.cause, row.revision) for row in one.index.history("alice")}
    assert told == {("eve", "eve asked for `up`; it is new", "c0ffee")}
    await one.queue.submit("alice", Demand(cause="bob asked to stop it", actor="bob", asked=False))
    newest = one.index.history("alice", 1)[0]
    assert (newest.cause, newest.revision) == ("bob asked to stop it", "c0ffee")


async def test_a_retry_of_what_an_unreachable_engine_has_moves_no_phase(one: Bench) -> None:
    one.files(spec_of("alice"))
    one.power.failures["check_image"] = [EngineUnavailableError("no answer", step="image")]
    await one.queue.sweep(UP)
    assert (await one.queue.submit("alice", RETRY)).phase == Phase.RUNNING
    assert Event.RETRY not in {row.event for row in one.index.history("alice")}


async def test_what_is_tried_again_by_itself_is_nobody_s_wish(tmp_path: Path) -> None:
    async with failing(tmp_path) as found:
        found.engine.errors["alice"] = [OperationFailedError("no luck", delay=0.01)]
        await found.queue.submit("alice", RETRY)
        await found.phase("alice", Phase.RUNNING)
        newest = found.index.history("alice", 1)[0]
        assert (newest.cause, newest.actor) == ("tried again", "")


async def test_one_owner_s_many_changes_do_not_keep_another_s_waiting(tmp_path: Path) -> None:
    async with bench(tmp_path, parallel=2) as found:
        many = [spec_of(f"alice-{n}") for n in range(50)]
        found.files(*many)
        found.power.networks.add("x-net")
        found.engine.going.clear()
        _, waiting = await found.queue.dispatch(UP)

        async def all_wait() -> bool:
            rows = await asyncio.to_thread(found.index.workspaces)
            phases = [row.phase for row in rows]
            return phases.count(Phase.PROVISIONING) == len(many)

        await until(all_wait)
        found.files(*many, spec_of("bob", owner="bob"))
        bobs = found.queue.submit("bob", UP)
        await found.phase("bob", Phase.PROVISIONING)
        # The last call before a slot is asked for; nothing yields between the two.
        await until(lambda: found.power.calls.count("network") == len(many) + 1)
        assert len(found.engine.running) == 2
        found.engine.going.set()
        assert (await bobs).phase == Phase.RUNNING
        await asyncio.gather(*waiting)
        order = [stack for _, stack in found.engine.done]
        assert order.index("bob") <= 2, order


async def test_retries_stop_with_the_queue(tmp_path: Path) -> None:
    async with bench(tmp_path, retries=True) as found:
        found.files(spec_of("alice"))
        found.engine.errors["alice"] = [OperationFailedError("no luck", delay=3600)]
        await found.queue.sweep(UP)


async def test_what_is_under_way_is_cancelled_with_the_queue(tmp_path: Path) -> None:
    async with bench(tmp_path) as found:
        found.engine.going.clear()
        found.files(spec_of("alice"))
        waiting = found.queue.submit("alice", UP)
        await found.phase("alice", Phase.PROVISIONING)
        behind = found.queue.submit("alice", UP)
    assert waiting.cancelled()
    assert behind.cancelled()


async def test_an_engine_that_does_not_answer_is_published_once(one: Bench) -> None:
    one.files(spec_of("alice"))
    await one.queue.sweep(UP)
    one.files(spec_of("alice"), spec_of("bob"))
    generations = []
    for _ in range(2):
        one.power.failures["inventory"] = [EngineUnavailableError("no answer", step="list")]
        with pytest.raises(EngineUnavailableError):
            await one.queue.sweep(UP)
        generations.append(one.index.generation())
    assert len(set(generations)) == 1
    assert {one.row(id_).phase for id_ in ("alice", "bob")} == {Phase.UNKNOWN}
    assert one.row("bob").owner == "alice"
    results = {result.id: result for result in await one.queue.sweep(UP)}
    assert {result.phase for result in results.values()} == {Phase.RUNNING}
    assert results["alice"].action == "start"


async def test_an_engine_that_goes_away_under_the_work_makes_it_unknown(one: Bench) -> None:
    one.files(spec_of("alice"))
    one.power.failures["check_image"] = [EngineUnavailableError("no answer", step="image")]
    (failed,) = await one.queue.sweep(UP)
    assert (failed.phase, failed.reason) == (Phase.UNKNOWN, "ENGINE_UNAVAILABLE")


async def test_a_name_taken_meanwhile_is_told(one: Bench) -> None:
    one.files(spec_of("alice"))
    one.power.failures["container"] = [taken(), taken()]
    (failed,) = await one.queue.sweep(UP)
    assert (failed.reason, failed.phase) == ("NAME_TAKEN", Phase.ERROR)


async def test_a_container_that_vanishes_before_the_start_is_made_again(one: Bench) -> None:
    one.files(spec_of("alice"))
    await one.queue.sweep(UP)
    await one.queue.submit("alice", Demand(cause="stop", asked=False))
    stale = StaleContainerError("its network is gone")
    stale.broken = True
    one.power.failures["start"] = [stale]
    result = await one.queue.submit("alice", Demand(cause="start", asked=True))
    assert (result.phase, result.reason) == (Phase.RUNNING, "")
    assert "remove_container" in one.power.calls


def supposed() -> StaleContainerError:
    stale = StaleContainerError("it cannot be started: endpoint x already exists")
    stale.broken = stale.supposed = True
    return stale


def made_anew(one: Bench) -> int:
    return one.power.calls.count("remove_container")


async def test_one_that_is_supposed_to_be_broken_is_made_anew_once_until_it_starts(
    one: Bench,
) -> None:
    one.files(spec_of("alice"))
    await one.queue.sweep(UP)
    for remade in (1, 2):
        await one.queue.submit("alice", Demand(cause="stop", asked=False))
        one.power.failures["start"] = [supposed(), supposed(), supposed()]
        start = Demand(cause="start", asked=True)
        assert (await one.queue.submit("alice", start)).reason == "STALE_CONTAINER"
        assert made_anew(one) == remade
        assert (await one.queue.submit("alice", start)).reason == "ENGINE_REFUSED"
        assert made_anew(one) == remade
        assert (await one.queue.submit("alice", start)).phase is Phase.RUNNING


async def test_one_that_was_not_made_anew_after_all_still_may_be(one: Bench) -> None:
    one.files(spec_of("alice"))
    await one.queue.sweep(UP)
    await one.queue.submit("alice", Demand(cause="stop", asked=False))
    start = Demand(cause="start", asked=True)
    for call in ("check_image", "remove_container"):
        one.power.failures["start"] = [supposed()]
        one.power.failures[call] = [EngineUnavailableError("it is killed again")]
        assert (await one.queue.submit("alice", start)).phase is Phase.UNKNOWN
    one.power.failures["start"] = [supposed()]
    assert (await one.queue.submit("alice", start)).phase is Phase.RUNNING


async def refuse_all(one: Bench, count: int) -> None:
    """Have the engine end all containers, and refuse to start any."""
    many = [f"ws-{number:02}" for number in range(count)]
    one.files(*map(spec_of, many))
    await one.queue.sweep(UP)
    for id_ in many:
        one.power.switch(id_, "exited")
    one.power.failures["start"] = [supposed() for _ in range(100)]
    await one.queue.sweep(Demand(cause="the engine changed"))


async def test_whoever_asks_has_it_made_anew_once_more_and_beyond_the_cap(one: Bench) -> None:
    await refuse_all(one, 5)
    assert made_anew(one) == 3
    await one.queue.sweep(Demand(cause="up", force=True, heal=True))
    assert made_anew(one) == 3 + 5


async def test_an_engine_that_refuses_all_has_few_of_them_made_anew(one: Bench) -> None:
    await refuse_all(one, 20)
    assert made_anew(one) == 3


async def test_without_a_file_a_stale_container_is_an_error(one: Bench) -> None:
    one.files(spec_of("alice"), spec_of("bob"))
    await one.queue.sweep(UP)
    one.files(spec_of("bob"))
    await one.queue.submit("alice", Demand(cause="stop", asked=False))
    one.power.failures["start"] = [StaleContainerError("it is gone")]
    result = await one.queue.submit("alice", Demand(cause="start", asked=True))
    assert (result.phase, result.reason) == (Phase.ERROR, "STALE_CONTAINER")
    assert one.row("alice").sync is Sync.OUT_OF_SYNC


async def test_a_stranger_with_our_labels_is_published_for_its_owner(one: Bench) -> None:
    one.files(spec_of("alice"))
    await one.queue.sweep(UP)
    one.index.forget("alice", "lost")
    one.files(spec_of("bob"))
    await one.queue.sweep(UP)
    row = one.row("alice")
    assert (row.sync, row.phase) == (Sync.OUT_OF_SYNC, Phase.PENDING)


def spoil(folder: Path) -> None:
    """Put something else in the place of the index."""
    for path in folder.glob("index.db*"):
        path.write_bytes(b"no database at all" * 100)


async def test_an_index_that_fails_is_a_failure_of_the_work(tmp_path: Path, one: Bench) -> None:
    one.files(spec_of("alice"))
    one.index.close()
    spoil(tmp_path)
    with pytest.raises(PublishFailedError):
        await one.queue.sweep(UP)
    result = await one.queue.submit("alice", UP)
    assert (result.reason, result.phase) == ("INDEX_UNAVAILABLE", "")


async def test_a_file_whose_name_is_no_id_is_told_but_not_published(one: Bench) -> None:
    problem = Problem("A_b.yaml", 1, 1, "", "is no id", "rename it")
    one.queue.snapshot = Snapshot(specs={"alice": spec_of("alice")}, invalid={"a_b": (problem,)})
    results = {result.id: result for result in await one.queue.sweep(UP)}
    assert results["a_b"].reason == "INVALID_FILE"
    assert one.index.workspace("a_b") is None


PROBLEM = Problem("bad.yaml", 3, 1, "colour", "is not a key", "leave it out")


@pytest.mark.parametrize("again", [Snapshot(invalid={"bad": (PROBLEM,)}), None])
async def test_a_bad_file_first_seen_without_an_engine_is_told_when_it_is_back(
    one: Bench, again: Snapshot | None
) -> None:
    one.queue.snapshot = Snapshot(specs={"ok": spec_of("ok")}, invalid={"bad": (PROBLEM,)})
    one.power.failures["inventory"] = [EngineUnavailableError("no answer", step="list")]
    with pytest.raises(EngineUnavailableError):
        await one.queue.sweep(UP)
    assert one.row("bad").phase is Phase.UNKNOWN
    one.queue.snapshot = again or replace(
        one.queue.snapshot, invalid={}, pending=frozenset({"bad"})
    )
    await one.queue.sweep(Demand(cause="poll"))
    row = one.row("bad")
    assert (row.phase, row.reason) == (Phase.PENDING, "")
    told = "its file has 1 problem" if again else "its file is being written"
    assert (row.sync is Sync.INVALID, row.message) == (again is not None, told)
    generation = one.index.generation()
    await one.queue.sweep(Demand(cause="poll"))
    assert one.index.generation() == generation


class Slow(FakePower):
    """An engine that fails to answer a list, while something else goes well."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    async def inventory(self) -> Inventory:
        await asyncio.to_thread(self.meanwhile)
        return await super().inventory()


async def test_a_late_answer_does_not_overtake_what_was_published_meanwhile(
    tmp_path: Path,
) -> None:
    power = Slow()
    async with bench(tmp_path, power=power) as found:
        found.files(spec_of("alice"), spec_of("bob"))
        await found.queue.sweep(UP)
        power.meanwhile = lambda: found.index.publish("alice", cause="worked", step="newer")
        power.failures["inventory"] = [EngineUnavailableError("no answer", step="list")]
        with pytest.raises(EngineUnavailableError):
            await found.queue.sweep(Demand(cause="poll"))
        assert (found.row("alice").phase, found.row("alice").step) == (Phase.RUNNING, "newer")
        assert found.row("bob").phase is Phase.UNKNOWN


async def test_what_is_being_worked_on_is_not_called_unknown(one: Bench) -> None:
    one.files(spec_of("alice"))
    one.engine.going.clear()
    working = one.queue.submit("alice", UP)
    await one.phase("alice", Phase.PROVISIONING)
    one.power.failures["inventory"] = [EngineUnavailableError("no answer", step="list")]
    with pytest.raises(EngineUnavailableError):
        await one.queue.sweep(Demand(cause="poll"))
    assert one.row("alice").phase is Phase.PROVISIONING
    one.engine.going.set()
    assert (await working).phase == Phase.RUNNING


async def test_no_row_is_made_for_a_file_whose_name_is_no_id(one: Bench) -> None:
    one.queue.snapshot = Snapshot(invalid={"a_b": (PROBLEM,)})
    one.power.failures["inventory"] = [EngineUnavailableError("no answer", step="list")]
    with pytest.raises(EngineUnavailableError):
        await one.queue.sweep(UP)
    assert one.index.workspaces() == []


async def test_a_failure_seen_in_an_older_row_is_not_published(tmp_path: Path) -> None:
    with Index.open(f"sqlite:///{tmp_path}/index.db") as index:
        board, why = Board(index), Context(cause="test")
        seen = await board.say("alice", why)
        await board.say("alice", why, Event.STOPPED)
        error = EngineUnavailableError("no answer")
        with pytest.raises(OvertakenError, match="read at generation 1, now at 2"):
            await board.fail("alice", why, error, retry_in=None, if_generation=seen.generation)
        with pytest.raises(OvertakenError):
            await board.say("alice", why, Event.STOP, Event.STOPPED, if_generation=seen.generation)
        found = index.workspace("alice")
        assert found is not None
        assert found.phase is Phase.WARM
        moved = await board.say(
            "alice", why, Event.START, Event.READY, if_generation=found.generation
        )
        assert moved.phase is Phase.RUNNING


async def test_the_problems_of_a_file_are_in_the_result(one: Bench) -> None:
    one.queue.snapshot = Snapshot(invalid={"bad": (PROBLEM,)})
    (result,) = await one.queue.sweep(UP)
    assert result.problems == (PROBLEM.as_dict(),)
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


async def test_a_file_that_is_gone_has_no_problems_any_more(one: Bench) -> None:
    one.files(spec_of("alice"))
    await one.queue.sweep(UP)
    one.queue.snapshot = Snapshot(invalid={"alice": (PROBLEM,)})
    await one.queue.sweep(UP)
    assert one.row("alice").problems == (PROBLEM.as_dict(),)
    one.queue.snapshot = Snapshot(complete=False, unreadable=True, error="it can't be read")
    await one.queue.sweep(UP)
    assert one.row("alice").problems == (PROBLEM.as_dict(),)
    one.queue.snapshot = Snapshot(pending=frozenset({"alice"}))
    await one.queue.sweep(UP)
    assert one.row("alice").problems == (PROBLEM.as_dict(),)
    one.queue.snapshot = Snapshot()
    await one.queue.sweep(UP)
    assert (one.row("alice").sync, one.row("alice").problems) == (Sync.OUT_OF_SYNC, ())


async def test_nor_has_one_that_was_removed(one: Bench) -> None:
    one.files(spec_of("alice"), spec_of("bob"))
    await one.queue.sweep(UP)
    rest = one.queue.snapshot.specs["bob"]
    one.queue.snapshot = Snapshot(specs={"bob": rest}, invalid={"alice": (PROBLEM,)})
    await one.queue.sweep(UP)
    one.queue.snapshot = Snapshot(specs={"bob": rest})
    await one.queue.sweep(replace(UP, prune=True))
    row = one.row("alice")
    assert (row.phase, row.sync, row.problems) == (Phase.TOMBSTONED, Sync.OUT_OF_SYNC, ())
    one.queue.snapshot = Snapshot(specs={"bob": rest}, invalid={"alice": (PROBLEM,)})
    await one.queue.sweep(UP)
    assert (one.row("alice").sync, len(one.row("alice").problems)) == (Sync.INVALID, 1)
    one.queue.snapshot = Snapshot(specs={"bob": rest})
    await one.queue.sweep(UP)
    row = one.row("alice")
    assert (row.phase, row.sync, row.problems) == (Phase.TOMBSTONED, Sync.OUT_OF_SYNC, ())


async def test_nor_has_one_whose_removal_is_typed(one: Bench) -> None:
    one.files(spec_of("alice"))
    await one.queue.sweep(UP)
    one.queue.snapshot = Snapshot(invalid={"alice": (PROBLEM,)})
    await one.queue.sweep(UP)
    one.queue.snapshot = Snapshot()
    await one.queue.sweep(replace(UP, remove=True), {"alice"})
    row = one.row("alice")
    assert (row.phase, row.sync, row.problems) == (Phase.TOMBSTONED, Sync.OUT_OF_SYNC, ())


async def test_why_something_is_left_as_it_is_is_in_the_result(one: Bench) -> None:
    one.files(spec_of("alice"))
    await one.queue.sweep(UP)
    one.queue.snapshot = Snapshot(complete=False, error="the folder holds no workspace file")
    (kept,) = await one.queue.sweep(replace(UP, prune=True))
    assert (kept.ok, kept.action) == (True, "nothing")
    assert kept.note == "its file is gone, but it is kept: the folder holds no workspace file"


async def test_containers_of_another_tree_are_told_once(one: Bench) -> None:
    stranger = Container(id="c", name="x-eve", workspace="eve", state="running", image="i")
    one.power.others = (stranger,)
    one.files(spec_of("alice"))
    with capture_logs() as lines:
        for _ in range(2):
            await one.queue.sweep(replace(UP, prune=True))
    told = [line for line in lines if line["event"] == "another data tree's are left alone"]
    assert [line["containers"] for line in told] == [["x-eve"]]
    assert one.index.workspace("eve") is None
