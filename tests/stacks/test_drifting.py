"""What drift leads to: healed or reported, told and ended, never twice for what the engine does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from spec import WorkspaceSpec
from stacks import drift
from stacks.demand import Demand
from stacks.engine import Kind
from stacks.errors import MemoryInUseError
from stacks.healing import TIMES, WITHIN, Healing
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
    """

    run: str = ""
    hands: dict[str, dict[str, str]] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    specs: dict[str, WorkspaceSpec] = field(default_factory=dict)

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
    async with bench(tmp_path, power=power) as found:
        right = found.engine.run

        async def run(operation: Any, **more: Any) -> Any:
            outcome = await right(operation, **more)
            hands = power.hands.pop(operation.stack, {})
            power.hands[operation.stack] = {k: v for k, v in hands.items() if k in power.kept}
            return outcome

        found.engine.run = run  # type: ignore[method-assign]
        made = Place(bench=found, power=power, spec=spec_of("ws", drift=mode))
        await made.made()
        yield made


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
    await place.bench.queue.sweep(LOOK)
    assert (place.told, place.bench.engine.done) == ("", [(Kind.UP, "ws")])


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
    place.power.hands["ws"] = {"network": "another"}
    assert await place.look(), "what is new is healed"
    assert len(place.bench.engine.done) > done


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
