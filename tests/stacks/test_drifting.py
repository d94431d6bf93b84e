"""What drift leads to: healed or reported, told and ended, never twice for what the engine does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from spec import Resources, WorkspaceSpec
from stacks import drift
from stacks.demand import Demand
from stacks.drifting import PUT_OFF
from stacks.engine import Kind
from stacks.errors import (
    EngineRefusedError,
    EngineUnavailableError,
    MemoryInUseError,
    OperationTimeoutError,
    PolicyViolationError,
)
from stacks.healing import LOOK_AGAIN, TIMES, WITHIN, Healing
from stacks.observed import Observed
from stacks.planned import Action, Change, Known
from stacks.power import GOING, Container, Inventory
from stacks.programs.inputs import HomeInputs
from stacks.rendering import Facts, render
from state_index.phases import Phase, Sync
from tests.stacks.fakes import FakePower
from tests.stacks.test_reconciler import UP, Bench, bench, spec_of
from tests.waiting import until

LOOK = Demand(cause="a look")


@dataclass
class SeenPower(FakePower):
    """Also shows what containers are made of, as they were made but for what hands did.

    Attributes:
        run: Parent of the run folders.
        hands: What is another value than was made, by workspace and field.
        kept: Fields that no `up` sets right.
        hold: Cleared once a container was removed, so that what comes then waits.
    """

    run: str = ""
    hands: dict[str, dict[str, str]] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    specs: dict[str, WorkspaceSpec] = field(default_factory=dict)
    hold: asyncio.Event | None = None

    async def remove_container(self, container_id: str) -> None:
        await super().remove_container(container_id)
        if self.hold:
            self.hold.clear()

    async def connect(self, container_id: str, network: str) -> None:
        await super().connect(container_id, network)
        for hands in self.hands.values():
            hands.pop("network", None)

    async def limit(self, container_id: str, *, pids: int, restart: str) -> None:
        await super().limit(container_id, pids=pids, restart=restart)
        for hands in self.hands.values():
            for key in {"pids", "restart"} - self.kept:
                hands.pop(key, None)

    def _seen(self, found: Container, *, complete: bool) -> Container:
        facts = Facts(name_prefix="x-", network="x-net", run=self.run)
        home = HomeInputs(number=1, owner="alice")
        inputs = render(self.specs[found.workspace], facts=facts, home=home)
        values = drift.wanted(inputs, {}) | self.hands.get(found.workspace, {})
        return replace(found, observed=Observed(values=values, image={}, complete=complete))

    async def container(self, workspace_id: str) -> Container | None:
        found = await super().container(workspace_id)
        return found and self._seen(found, complete=True)

    async def inventory(self) -> Inventory:
        found = await super().inventory()
        seen = {id_: self._seen(it, complete=False) for id_, it in found.containers.items()}
        return replace(found, containers=seen)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A workspace that runs, and the hands on it."""

    bench: Bench
    power: SeenPower
    spec: WorkspaceSpec

    async def made(self) -> None:
        self.power.specs["ws"] = self.spec
        self.bench.files(self.spec)
        await self.bench.queue.sweep(UP)
        assert self.bench.row("ws").phase is Phase.RUNNING
        self.bench.engine.done.clear()

    async def look(self) -> bool:
        """Look once, and wait for what that leads to; whether it led to anything."""
        # An `up` sets right what the hands did.
        worked = await self.bench.queue.glance("ws", "an event")
        await self.done()
        return worked

    async def done(self) -> None:
        await until(lambda: not self.bench.queue.is_busy("ws"))

    @property
    def causes(self) -> list[str]:
        return [row.cause for row in self.bench.index.history("ws")]

    @property
    def told(self) -> str:
        return drift.words(drift.read(self.bench.row("ws").drift))


@pytest.fixture
async def place(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    mode = getattr(request, "param", "heal")
    power = SeenPower(run=str(tmp_path / "run"))
    async with bench(tmp_path, power=power, retries=mode == "retries") as found:
        right = found.engine.run

        async def run(operation: Any, **more: Any) -> Any:
            outcome = await right(operation, **more)
            if operation.kind is not Kind.UP:
                return outcome
            hands = power.hands.pop(operation.stack, {})
            power.hands[operation.stack] = {k: v for k, v in hands.items() if k in power.kept}
            return outcome

        found.engine.run = run  # type: ignore[method-assign]
        made = Place(
            bench=found,
            power=power,
            spec=spec_of("ws", drift="heal" if mode == "retries" else mode),
        )
        await made.made()
        yield made


retrying = pytest.mark.parametrize("place", ["retries"], indirect=True)
reporting = pytest.mark.parametrize("place", ["report"], indirect=True)


async def test_what_is_as_it_was_made_costs_a_look(place: Place) -> None:
    assert not await place.look()
    place.power.calls.clear()
    assert [each.changed for each in await place.bench.queue.sweep(LOOK)] == [False]
    assert place.power.calls == ["inventory"]


async def test_a_limit_is_set_right_in_place(place: Place) -> None:
    place.power.hands["ws"] = {"memory": "8Gi"}
    place.power.calls.clear()
    assert await place.look()
    row = place.bench.row("ws")
    assert (row.phase, row.sync, row.drift) == (Phase.RUNNING, Sync.SYNCED, ())
    assert "remove_container" not in place.power.calls
    assert place.bench.engine.done == [(Kind.UP, "ws")]
    assert place.causes[0] == "drift: memory 4Gi → 8Gi"
    assert not await place.look()


async def test_what_pulumi_does_not_see_is_made_anew(place: Place) -> None:
    place.power.hands["ws"] = {"network": "none", "env.A": "s3cr3t"}
    place.power.calls.clear()
    assert await place.look()
    calls = place.power.calls
    assert calls.index("stop") < calls.index("remove_container") < calls.index("start")
    assert place.causes[0] == "drift: network x-net → none, env.A not set → set"


async def test_memory_that_is_needed_is_left_until_it_is_not(place: Place) -> None:
    place.power.hands["ws"] = {"memory": "8Gi"}
    place.power.failures["check_memory"] = [MemoryInUseError("it uses 6Gi", step="memory")]
    assert await place.look()
    row = place.bench.row("ws")
    assert (row.phase, row.sync) == (Phase.RUNNING, Sync.OUT_OF_SYNC)
    assert (place.told, place.bench.engine.done) == ("memory 4Gi → 8Gi", [])
    # A look at what is in use takes seconds: the same is not looked at again at each pass.
    place.power.calls.clear()
    await place.bench.queue.sweep(LOOK)
    assert place.power.calls == ["inventory"]
    (again,) = await place.bench.queue.sweep(replace(LOOK, force=True))
    assert "check_memory" not in place.power.calls
    assert (again.action, again.changed, place.bench.engine.done) == ("nothing", False, [])
    assert again.note == f"differs: memory 4Gi → 8Gi{PUT_OFF}"
    # What someone asks for is; and what changed.
    await place.bench.queue.sweep(replace(UP, heal=True))
    assert (place.told, place.bench.engine.done) == ("", [(Kind.UP, "ws")])


@pytest.fixture
async def greedy(place: Place) -> Place:
    """It uses what another hand let it have, and more than its file gives it, whenever one looks."""
    place.power.hands["ws"] = {"memory": "8Gi"}
    place.power.failures["check_memory"] = [MemoryInUseError("6Gi", step="memory")] * 9
    assert await place.look()
    assert (place.told, place.bench.engine.done) == ("memory 4Gi → 8Gi", [])
    return place


@pytest.mark.parametrize(
    "demand", [LOOK, replace(UP, heal=True), replace(UP, retry=True), replace(LOOK, asked=True)]
)
@pytest.mark.parametrize("again", [False, True])
async def test_on_and_off_do_not_wait_for_memory(
    greedy: Place, demand: Demand, again: bool
) -> None:
    """It was UNKNOWN for good before: shape comes before power, and was put off each time."""
    greedy.power.failures["inventory"] = [EngineUnavailableError("away")]
    if again:
        greedy.bench.queue._work.healing.ask_again("ws")
    with pytest.raises(EngineUnavailableError):
        await greedy.bench.queue.sweep(LOOK)
    assert greedy.bench.row("ws").phase is Phase.UNKNOWN
    await greedy.bench.queue.sweep(demand)
    row = greedy.bench.row("ws")
    assert (row.phase, row.sync) == (Phase.RUNNING, Sync.OUT_OF_SYNC)
    assert (greedy.told, greedy.bench.engine.done) == ("memory 4Gi → 8Gi", [])
    assert PUT_OFF in greedy.causes[0]
    assert not await greedy.look()


async def test_who_stops_one_whose_memory_waits_has_it_stopped(greedy: Place) -> None:
    await greedy.bench.queue.submit("ws", Demand(cause="alice asked", asked=False))
    assert greedy.bench.row("ws").phase is Phase.WARM
    # Nothing is in use any more.
    assert await greedy.look()
    assert (greedy.bench.row("ws").phase, greedy.told) == (Phase.WARM, "")


@pytest.mark.parametrize("look", [False, True])
async def test_one_whose_memory_waits_is_seen_when_it_stops(greedy: Place, look: bool) -> None:
    greedy.power.switch("ws", "exited")
    await (greedy.look() if look else greedy.bench.queue.sweep(LOOK))
    assert greedy.power.containers["ws"].running
    row = greedy.bench.row("ws")
    assert (row.phase, row.sync, row.drift) == (Phase.RUNNING, Sync.SYNCED, ())
    assert greedy.bench.engine.done == [(Kind.UP, "ws")]


async def test_one_whose_memory_waits_is_put_back_on_its_network(greedy: Place) -> None:
    for _ in range(TIMES):
        greedy.power.hands["ws"] |= {"network": "none"}
        assert await greedy.look()
        assert greedy.told == "memory 4Gi → 8Gi"
        assert greedy.causes[0].endswith("it was put back on its network")
        assert "network x-net → none" in greedy.causes[1]
        assert not await greedy.look()
    assert greedy.power.calls.count("connect") == TIMES
    assert greedy.power.calls.count("check_memory") == 1
    # Somebody wants it so, and has it: no loop of calls.
    greedy.power.hands["ws"] |= {"network": "none"}
    assert await greedy.look()
    assert greedy.power.calls.count("connect") == TIMES
    assert not await greedy.look()
    assert greedy.bench.row("ws").sync is Sync.OUT_OF_SYNC


async def test_limits_that_ask_nothing_of_memory_do_not_wait_for_it(greedy: Place) -> None:
    greedy.power.hands["ws"] |= {"pids": "7", "restart": "no", "memory and swap": "9Gi"}
    assert await greedy.look()
    assert greedy.told == "memory 4Gi → 8Gi, memory and swap 4Gi → 9Gi"
    assert greedy.causes[0].endswith(f"{PUT_OFF}; pids and restart set right")
    assert (greedy.bench.engine.done, greedy.power.calls.count("limit")) == ([], 1)
    assert not await greedy.look()
    greedy.power.hands["ws"] |= {"pids": "7", "network": "none"}
    assert await greedy.look()
    assert greedy.causes[0].endswith("pids set right; it was put back on its network")
    # Whoever sets it each time has it in the end, and keeps nothing else from being set right.
    greedy.power.kept = frozenset({"pids"})
    for _ in range(TIMES):
        greedy.power.hands["ws"] |= {"pids": "7"}
        await greedy.look()
    greedy.power.calls.clear()
    greedy.power.hands["ws"] |= {"restart": "no"}
    assert await greedy.look()
    assert "pids 4096 → 7" in greedy.told
    assert "restart" not in greedy.told
    assert not await greedy.look()


async def test_what_the_list_shows_is_healed_without_an_event(place: Place) -> None:
    place.power.hands["ws"] = {"network": "none"}
    await place.bench.queue.sweep(LOOK)
    assert place.causes[0] == "drift: network x-net → none"


async def test_what_no_up_sets_right_is_tried_once_and_told(place: Place) -> None:
    place.power.kept = frozenset({"memory and swap"})
    place.power.hands["ws"] = {"memory and swap": "unlimited"}
    assert await place.look()
    row = place.bench.row("ws")
    assert (row.phase, row.sync) == (Phase.RUNNING, Sync.SYNCED)
    assert [(each["field"], each["stays"]) for each in row.drift] == [("memory and swap", True)]
    assert place.bench.engine.done == [(Kind.UP, "ws")]
    assert not await place.look()
    assert not (await place.bench.queue.sweep(LOOK))[0].changed
    place.power.hands["ws"]["memory"] = "8Gi"
    assert await place.look()
    assert place.told == "memory and swap 4Gi → unlimited"
    assert place.causes[0] == "drift: memory 4Gi → 8Gi"


async def test_one_that_was_stopped_or_removed_comes_back(place: Place) -> None:
    place.power.switch("ws", "exited")
    assert await place.look()
    assert (place.bench.row("ws").phase, place.told) == (Phase.RUNNING, "")
    assert place.causes[0] == "drift: state running → exited"
    assert place.bench.engine.done == []
    place.power.containers.clear()
    assert await place.look()
    assert (place.bench.row("ws").phase, place.told) == (Phase.RUNNING, "")
    assert place.causes[0] == "drift: container there → gone"


async def test_who_stops_it_by_us_does_no_drift(place: Place) -> None:
    await place.bench.queue.submit("ws", Demand(cause="alice asked", asked=False))
    assert (place.bench.row("ws").phase, place.told) == (Phase.WARM, "")
    assert not await place.look()
    assert place.causes[0] == "alice asked"


@reporting
async def test_a_report_touches_nothing_and_ends_by_itself(place: Place) -> None:
    place.power.hands["ws"] = {"memory": "8Gi", "network": "none"}
    place.power.calls.clear()
    assert await place.look()
    row = place.bench.row("ws")
    assert (row.phase, row.sync) == (Phase.RUNNING, Sync.OUT_OF_SYNC)
    assert place.told == "memory 4Gi → 8Gi, network x-net → none"
    told = "drift: memory 4Gi → 8Gi, network x-net → none; reported, nothing is touched"
    assert place.causes[0] == told
    assert set(place.power.calls) == {"container", "homes"}
    assert not await place.look()
    place.power.calls.clear()
    (result,) = await place.bench.queue.sweep(LOOK)
    assert place.power.calls == ["inventory"]
    assert (result.changed, result.note) == (
        False,
        "differs: network x-net → none, memory 4Gi → 8Gi",
    )
    # The list alone tells that it is attached again; the rest of it is seen then.
    place.power.hands["ws"] = {}
    await place.bench.queue.sweep(LOOK)
    row = place.bench.row("ws")
    assert (row.sync, row.drift) == (Sync.SYNCED, ())
    assert place.causes[0] == "drift ended: it is as its file says"
    assert place.bench.engine.done == []


@reporting
async def test_a_reported_stop_is_warm_until_someone_starts_it(place: Place) -> None:
    place.power.switch("ws", "exited")
    await place.bench.queue.sweep(LOOK)
    assert (place.bench.row("ws").phase, place.told) == (Phase.WARM, "state running → exited")
    assert not await place.look()
    await place.bench.queue.submit("ws", Demand(cause="alice asked", asked=True))
    row = place.bench.row("ws")
    assert (row.phase, row.sync, place.told) == (Phase.RUNNING, Sync.SYNCED, "")
    place.power.switch("ws", "exited")
    await place.look()
    await place.bench.queue.sweep(replace(UP, heal=True))
    assert (place.bench.row("ws").phase, place.told) == (Phase.RUNNING, "")
    place.power.switch("ws", "exited")
    await place.look()
    place.power.switch("ws", "running")
    assert await place.look()
    assert (place.bench.row("ws").phase, place.told) == (Phase.RUNNING, "")


@reporting
async def test_a_reported_removal_waits_for_an_up_or_a_start(place: Place) -> None:
    place.power.containers.clear()
    await place.bench.queue.sweep(LOOK)
    assert (place.bench.row("ws").phase, place.told) == (Phase.PENDING, "container there → gone")
    assert not await place.look()
    await place.bench.queue.submit("ws", Demand(cause="alice asked", asked=True))
    assert (place.bench.row("ws").phase, place.told) == (Phase.RUNNING, "")
    assert place.causes[0] == "alice asked; drift: container there → gone"
    place.power.containers.clear()
    await place.look()
    await place.bench.queue.sweep(replace(UP, heal=True))
    assert (place.bench.row("ws").phase, place.told) == (Phase.RUNNING, "")


@reporting
async def test_a_changed_file_is_applied_whatever_differs(place: Place) -> None:
    place.power.hands["ws"] = {"memory": "8Gi"}
    await place.look()
    place.power.specs["ws"] = spec_of("ws", drift="report", env={"A": "b"})
    place.bench.files(place.power.specs["ws"])
    await place.bench.queue.sweep(LOOK)
    row = place.bench.row("ws")
    assert (row.phase, row.sync, row.drift) == (Phase.RUNNING, Sync.SYNCED, ())


@reporting
async def test_a_report_turned_into_healing_heals(place: Place) -> None:
    place.power.switch("ws", "exited")
    place.power.hands["ws"] = {"memory": "8Gi"}
    await place.look()
    assert place.told == "state running → exited, memory 4Gi → 8Gi"
    place.bench.files(spec_of("ws"))
    assert await place.look()
    row = place.bench.row("ws")
    assert (row.phase, row.sync, row.drift) == (Phase.RUNNING, Sync.SYNCED, ())


async def test_another_container_in_its_place_is_drift_though_it_looks_the_same(
    place: Place,
) -> None:
    found = place.power.containers["ws"]
    place.power.containers["ws"] = replace(found, labels={**found.labels, "codehub.spec-hash": "x"})
    place.power.hands["ws"] = {"label.codehub.spec-hash": "x"}
    await place.bench.queue.sweep(LOOK)
    assert place.causes[0].startswith("drift: label.codehub.spec-hash ")
    assert place.bench.row("ws").phase is Phase.RUNNING


async def test_what_is_going_or_has_no_file_is_not_looked_at(place: Place) -> None:
    place.power.switch("ws", GOING)
    assert not await place.look()
    place.bench.files()
    place.power.calls.clear()
    assert not await place.look()
    assert place.power.calls == []


async def test_what_comes_back_each_time_is_left_in_the_end(place: Place) -> None:
    """An agent on the machine may connect each container that starts: no loop of new containers."""
    for _ in range(TIMES):
        place.power.hands["ws"] = {"network": "theirs"}
        assert await place.look()
        assert place.told == ""
    done = len(place.bench.engine.done)
    place.power.hands["ws"] = {"network": "theirs"}
    await place.look()
    assert len(place.bench.engine.done) == done, "nothing is made anew"
    assert "comes back each time, and is left" in place.causes[0]
    row = place.bench.row("ws")
    assert (row.phase, [it.stays for it in drift.read(row.drift)]) == (Phase.RUNNING, [True])
    assert not await place.look()
    place.power.hands["ws"] |= {"pids": "7"}
    assert await place.look(), "what is new is healed"
    assert len(place.bench.engine.done) > done


async def test_what_comes_back_with_another_value_each_time_is_left_too(place: Place) -> None:
    """That agent may make a network for each container, and name it after that one."""
    place.bench.queue._remakes._least = TIMES + 2
    for number in range(TIMES + 2):
        place.power.hands["ws"] = {"network": f"theirs-{number}"}
        await place.look()
    assert place.power.calls.count("remove_container") == TIMES
    assert place.bench.row("ws").sync is Sync.SYNCED
    assert place.told == f"network x-net → theirs-{TIMES + 1}"


async def test_attempts_that_fail_are_no_drift_that_comes_back(place: Place) -> None:
    for _ in range(TIMES):
        place.power.hands["ws"] = {"pids": "7"}
        place.bench.engine.errors["ws"] = [OperationTimeoutError("too slow", step="up")]
        await place.bench.queue.submit("ws", replace(LOOK, force=True))
        assert (place.bench.row("ws").phase, place.told) == (Phase.ERROR, "pids 4096 → 7")
    place.power.hands["ws"] = {"pids": "7"}
    await place.bench.queue.submit("ws", replace(LOOK, force=True))
    row = place.bench.row("ws")
    assert (row.phase, row.sync, row.drift) == (Phase.RUNNING, Sync.SYNCED, ())


async def test_healing_forgets_what_was_long_ago() -> None:
    now = [0.0]
    healing = Healing(power=SeenPower(run="r"), grace=1.0, monotonic=lambda: now[0])
    there = Container(id="c", name="x-ws", workspace="ws", state="running", image="i")
    found = (drift.Difference(field="network", wanted="ours", found="theirs"),)
    change = Change(known=Known(id="ws", container=there), action=Action.REPLACE, drift=found)
    for _ in range(TIMES):
        assert healing.given_up(change) is None
        healing.note(change)
    assert healing.given_up(change) == (replace(found[0], stays=True),)
    assert healing.given_up(replace(change, known=Known(id="ws"))) is None, "it is not there"
    now[0] = WITHIN + 1
    assert healing.given_up(change) is None


async def test_memory_in_use_is_looked_at_again_after_an_hour_or_a_change() -> None:
    now, power = [0.0], SeenPower(run="r")
    healing = Healing(power=power, grace=1.0, monotonic=lambda: now[0])
    there = Container(id="c", name="x-ws", workspace="ws", state="running", image="i")
    power.containers["ws"] = there
    facts = Facts(name_prefix="x-", network="x-net", run="/run")
    inputs = render(spec_of("ws"), facts=facts, home=HomeInputs(number=1, owner="alice"))
    found = (drift.Difference(field="memory", wanted="4Gi", found="8Gi"),)
    change = Change(
        known=Known(id="ws", container=there), action=Action.UPDATE, drift=found, inputs=inputs
    )
    other = replace(change, drift=(replace(found[0], found="9Gi"),))
    power.failures["check_memory"] = [MemoryInUseError("in use", step="memory") for _ in range(3)]
    for asked, looks in ((change, 1), (change, 1), (other, 2), (other, 2)):
        assert not await healing.is_possible(asked)
        assert power.calls.count("check_memory") == looks
    now[0] = LOOK_AGAIN
    assert not await healing.is_possible(other)
    assert power.calls.count("check_memory") == 3
    healing.ask_again("ws")
    assert await healing.is_possible(other)
    assert not healing.waits(other)


async def test_what_the_engine_makes_otherwise_is_its_own_from_the_beginning(place: Place) -> None:
    """Its own defaults of output, say: no container is made anew for what the next one has too."""
    place.power.kept = frozenset({"logs"})
    place.power.hands["ws"] = {"logs": "json-file compress=true"}
    place.power.containers.clear()
    assert await place.look()
    made = place.power.containers["ws"].id
    row = place.bench.row("ws")
    assert (row.phase, row.sync) == (Phase.RUNNING, Sync.SYNCED)
    assert [(each.field, each.stays) for each in drift.read(row.drift)] == [("logs", True)]
    assert not await place.look()
    assert not (await place.bench.queue.sweep(LOOK))[0].changed
    assert place.power.containers["ws"].id == made
    # What a hand does later is seen all the same, and healed.
    place.power.hands["ws"]["logs"] = "none"
    assert await place.look()
    assert place.causes[0].startswith("drift: logs json-file")


async def test_what_was_done_to_a_container_that_stays_is_not_the_engines(place: Place) -> None:
    """An `up` for a changed file sees nothing of a network that was taken off meanwhile."""
    place.power.kept = frozenset({"network"})
    place.power.hands["ws"] = {"network": "theirs"}
    before = place.power.containers["ws"].id
    place.power.specs["ws"] = spec_of("ws", resources={"memory": "2Gi"})
    place.bench.files(place.power.specs["ws"])
    await place.bench.queue.sweep(LOOK)
    assert place.power.containers["ws"].id == before
    assert [each.stays for each in drift.read(place.bench.row("ws").drift)] == [False]
    place.power.kept = frozenset()
    place.power.calls.clear()
    await place.bench.queue.sweep(LOOK)
    assert place.told == ""
    assert "remove_container" in place.power.calls


async def test_nothing_is_removed_when_the_policies_refuse_what_takes_its_place(
    place: Place,
) -> None:
    place.power.hands["ws"] = {"network": "theirs"}
    place.bench.engine.errors["ws"] = [PolicyViolationError(())]
    place.power.calls.clear()
    before = place.power.containers["ws"]
    assert await place.look()
    assert (place.bench.row("ws").phase, place.told) == (Phase.ERROR, "network x-net → theirs")
    assert place.power.containers["ws"] == before
    assert not {"stop", "remove_container"} & set(place.power.calls)
    assert place.bench.engine.done == [(Kind.PREVIEW, "ws")]
    await place.bench.queue.sweep(UP)
    assert (place.bench.row("ws").phase, place.told) == (Phase.RUNNING, "")
    assert place.bench.engine.done[1:] == [(Kind.PREVIEW, "ws"), (Kind.UP, "ws")]


async def cut_off(place: Place) -> None:
    """End the runner's work on it between the removal of its container and the `up`."""
    place.power.hold = place.bench.engine.going
    place.power.hands["ws"] = {"network": "theirs"}
    place.bench.queue.submit("ws", replace(UP, heal=True))
    await until(lambda: not place.bench.engine.going.is_set())
    # Told, so that no thread writes anything after the end.
    await until(lambda: place.bench.row("ws").step == "creating container")
    await place.bench.queue.close()
    place.power.hold = None
    place.bench.engine.going.set()
    assert place.power.containers == {}


@reporting
@pytest.mark.parametrize("away", [False, True])
async def test_a_heal_of_ours_that_was_cut_off_is_nobody_elses_work(
    place: Place, away: bool
) -> None:
    await place.look()
    await cut_off(place)
    if away:
        place.power.failures["inventory"] = [EngineUnavailableError("away")]
        with pytest.raises(EngineUnavailableError):
            await place.bench.queue.sweep(LOOK)
        assert place.bench.row("ws").phase is Phase.UNKNOWN
    await place.bench.queue.sweep(LOOK)
    assert (place.bench.row("ws").phase, place.told) == (Phase.RUNNING, "")
    assert "gone" not in place.causes[0]


@reporting
@pytest.mark.parametrize("look", [False, True])
async def test_what_was_done_while_the_engine_was_away_is_told(place: Place, look: bool) -> None:
    async def away() -> None:
        place.power.failures["inventory"] = [EngineUnavailableError("away")]
        with pytest.raises(EngineUnavailableError):
            await place.bench.queue.sweep(LOOK)
        assert place.bench.row("ws").phase is Phase.UNKNOWN

    async def seen(phase: Phase, told: str) -> None:
        await (place.look() if look else place.bench.queue.sweep(LOOK))
        row = place.bench.row("ws")
        assert (row.phase, row.sync, place.told) == (phase, Sync.OUT_OF_SYNC, told)

    await away()
    place.power.switch("ws", "exited")
    await seen(Phase.WARM, "state running → exited")
    assert place.power.containers["ws"].state == "exited"
    await away()
    await seen(Phase.WARM, "state running → exited")
    await away()
    place.power.containers.clear()
    await seen(Phase.PENDING, "container there → gone")
    await away()
    await seen(Phase.PENDING, "container there → gone")
    assert place.bench.engine.done == []


async def test_an_engine_that_was_away_has_ended_it_itself_perhaps(place: Place) -> None:
    """The control: where drift is healed, it is started again."""
    place.power.failures["inventory"] = [EngineUnavailableError("away")]
    with pytest.raises(EngineUnavailableError):
        await place.bench.queue.sweep(LOOK)
    place.power.switch("ws", "exited")
    await place.bench.queue.sweep(LOOK)
    assert (place.bench.row("ws").phase, place.told) == (Phase.RUNNING, "")


@retrying
async def test_whoever_comes_before_the_next_attempt_heals_as_that_would(place: Place) -> None:
    place.bench.files(spec_of("ws", drift="report"))
    place.power.specs["ws"] = spec_of("ws", drift="report")
    place.power.hands["ws"] = {"memory": "8Gi"}
    place.power.kept = frozenset({"memory"})
    place.bench.engine.errors["ws"] = [OperationTimeoutError("too slow", step="up")]
    await place.bench.queue.sweep(replace(UP, heal=True))
    assert place.bench.row("ws").phase is Phase.ERROR
    place.power.kept = frozenset()
    await place.bench.queue.submit("ws", LOOK)
    assert place.bench.row("ws").phase is Phase.ERROR  # the timer does it
    await place.bench.queue.submit("ws", Demand(cause="alice asked", asked=True))
    assert (place.bench.row("ws").phase, place.told) == (Phase.RUNNING, "")
    # And only that one.
    place.power.hands["ws"] = {"memory": "8Gi"}
    await place.bench.queue.submit("ws", LOOK)
    assert place.told == "memory 4Gi → 8Gi"


@retrying
@pytest.mark.parametrize("changed", [False, True])
async def test_what_was_asked_for_and_failed_is_done_whatever_comes_before(
    place: Place, changed: bool
) -> None:
    """The stop's timer does it, or who comes because the file changed."""
    place.power.failures["stop"] = [EngineRefusedError("not now", delay=0.3)]
    (asked,) = [await place.bench.queue.submit("ws", Demand(cause="alice asked", asked=False))]
    assert not asked.ok
    if changed:
        later = spec_of("ws", resources=Resources(memory=2 << 30))
        place.power.specs["ws"] = later
        place.bench.files(later)
    await place.bench.queue.submit("ws", LOOK)
    if changed:
        assert place.bench.row("ws").phase is Phase.WARM
    else:
        assert place.bench.row("ws").phase is not Phase.WARM
        await until(lambda: place.bench.row("ws").phase is Phase.WARM)
    assert not place.power.containers["ws"].running


@retrying
async def test_news_of_the_list_do_not_cut_a_backoff_short(place: Place) -> None:
    place.power.hands["ws"] = {"memory": "8Gi"}
    place.bench.engine.errors["ws"] = [OperationTimeoutError("too slow", step="up")]
    assert await place.look()
    assert place.bench.row("ws").retry_at
    place.power.hands["ws"] = {"network": "none"}
    place.bench.engine.done.clear()
    await place.bench.queue.sweep(LOOK)
    assert place.bench.engine.done == []
    # The control: nothing else than the backoff was in its way.
    await place.bench.queue.sweep(UP)
    assert (Kind.UP, "ws") in place.bench.engine.done


async def test_a_pass_leaves_alone_what_is_being_removed(place: Place) -> None:
    place.power.switch("ws", GOING)
    before = place.bench.row("ws")
    place.power.calls.clear()
    (result,) = await place.bench.queue.sweep(LOOK)
    assert (result.changed, place.power.calls) == (False, ["inventory"])
    assert place.bench.row("ws") == before
    place.power.containers.clear()
    await place.bench.queue.sweep(LOOK)
    assert place.causes[0] == "drift: container there → gone"
    assert place.bench.row("ws").phase is Phase.RUNNING


async def test_a_stop_is_done_also_while_the_container_is_being_removed(place: Place) -> None:
    place.power.switch("ws", GOING)
    asked = Demand(cause="alice asked", asked=False)
    assert (await place.bench.queue.submit("ws", asked)).phase == Phase.WARM


async def test_a_password_of_the_logs_driver_is_not_told(place: Place) -> None:
    place.power.hands["ws"] = {"logs": "splunk splunk-token=s3cr3t"}
    assert await place.look()
    assert place.causes[0] == "drift: logs json-file → splunk"


def test_other_options_of_the_same_logs_driver_are_told_as_such() -> None:
    assert str(drift._difference("logs", "x a=1", "x a=2")) == "logs x → x with other options"


@pytest.mark.parametrize("running", [True, False])
async def test_what_is_on_no_network_is_put_back_and_goes_on(place: Place, running: bool) -> None:
    if not running:
        await place.bench.queue.submit("ws", Demand(cause="alice asked", asked=False))
    before = place.power.containers["ws"]
    # Nothing but a call sets it right.
    place.power.hands["ws"] = {"network": "none", "pids": "7"}
    place.power.kept = frozenset({"network"})
    place.power.calls.clear()
    assert await place.look()
    assert place.power.containers["ws"] == before
    assert place.power.calls.count("connect") == 1
    assert "remove_container" not in place.power.calls
    row = place.bench.row("ws")
    assert (row.phase, row.drift) == (Phase.RUNNING if running else Phase.WARM, ())
    assert "drift: pids 4096 → 7, network x-net → none" in place.causes
    assert not await place.look()
