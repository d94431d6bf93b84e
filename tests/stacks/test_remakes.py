"""The cap on what drift makes anew: a few an hour, the others wait and say so; who asks is served at once."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stacks.board import Board
from stacks.demand import Demand
from stacks.drifting import WAITS
from stacks.errors import EngineUnavailableError, OperationTimeoutError
from stacks.plan import Action, Change, Known
from stacks.planned import Wish
from stacks.power import Container
from stacks.programs.inputs import LABEL_SPEC_HASH
from stacks.pruning import LEAST, share
from stacks.remakes import EACH, RemakeCap, counts
from stacks.steps import Result
from state_index.index import Index
from state_index.models import Published
from state_index.phases import Event, Phase, Sync
from tests.stacks.test_drifting import SeenPower
from tests.stacks.test_pruning import rows
from tests.stacks.test_reconciler import UP, Bench, bench, spec_of

LOOK = Demand(cause="a look")
IDS = [f"w{number}" for number in range(5)]
CHANGE = Change(known=Known(id="ws"), action=Action.REPLACE, remakes=True)


@pytest.mark.parametrize(
    ("living", "gone", "least", "number"),
    [(1, 0, 3, 3), (39, 0, 3, 3), (40, 0, 3, 4), (1_000, 50, 3, 100), (1_000, 0, 200, 200)],
)
def test_the_most_that_may_be_made_anew(living: int, gone: int, least: int, number: int) -> None:
    assert share(rows(living=living, gone=gone), least) == number


def test_only_what_nobody_asked_for_is_counted() -> None:
    assert counts(CHANGE, Wish())
    assert counts(CHANGE, Wish(force=True)), "a runner that starts asks for nothing"
    assert not counts(CHANGE, Wish(heal=True))
    assert not counts(replace(CHANGE, known=Known(id="ws", asked=True)), Wish())
    assert not counts(replace(CHANGE, remakes=False), Wish())


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Bench]:
    """Five that run, and an engine that now tells of each that it is on another network."""
    power = SeenPower(run=str(tmp_path / "run"))
    async with bench(tmp_path, power=power) as found:
        power.specs |= {id_: spec_of(id_) for id_ in IDS}
        found.files(*power.specs.values())
        await found.queue.sweep(UP)
        power.hands |= {id_: {"network": "theirs"} for id_ in IDS}
        power.kept = frozenset({"network"})
        power.calls.clear()
        yield found


def remade(results: Iterable[Result]) -> list[str]:
    return [result.id for result in results if result.action == "replace"]


async def test_a_few_are_made_anew_and_the_others_wait_and_say_why(fleet: Bench) -> None:
    before = dict(fleet.power.containers)
    results = await fleet.queue.sweep(LOOK)
    assert remade(results) == ["w0", "w1", "w2"]
    for result in results[LEAST:]:
        row = fleet.row(result.id)
        assert fleet.power.containers[row.id] == before[row.id]
        assert (row.phase, row.sync) == (Phase.RUNNING, Sync.OUT_OF_SYNC)
        assert row.message == WAITS.format(id=row.id)
        assert [each["field"] for each in row.drift] == ["network"]
        told = fleet.index.history(row.id)[0].cause
        assert told == "drift: network x-net → theirs; it waits, nothing is touched"
        assert result.note == f"differs: network x-net → theirs; {WAITS.format(id=row.id)}"
    # What waits costs nothing.
    fleet.power.calls.clear()
    assert remade(await fleet.queue.sweep(LOOK)) == []
    assert fleet.power.calls == ["inventory"]
    assert not await fleet.queue.glance("w0", "an event")
    assert await fleet.queue.glance("w4", "an event")
    results = await fleet.queue.sweep(replace(UP, heal=True))
    assert remade(results) == ["w3", "w4"]
    assert {(fleet.row(id_).message, fleet.row(id_).sync) for id_ in IDS} == {("", Sync.SYNCED)}


async def test_who_starts_one_that_waits_has_it_made_anew(fleet: Bench) -> None:
    await fleet.queue.sweep(LOOK)
    result = await fleet.queue.submit("w4", replace(LOOK, asked=True))
    assert (result.action, fleet.row("w4").message) == ("replace", "")


async def test_one_that_waits_and_is_stopped_by_hand_is_told_so(fleet: Bench) -> None:
    await fleet.queue.sweep(LOOK)
    fleet.power.switch("w4", "exited")
    await fleet.queue.sweep(LOOK)
    row = fleet.row("w4")
    assert (row.phase, row.message) == (Phase.WARM, WAITS.format(id="w4"))
    assert [each["field"] for each in row.drift] == ["state", "network"]
    await fleet.queue.sweep(replace(UP, heal=True))
    assert fleet.row("w4").phase is Phase.RUNNING


def replaced(fleet: Bench, id_: str, *, state: str) -> Container:
    """Have another hand put its own container in the place of a workspace's."""
    found = fleet.power.containers[id_]
    label = {LABEL_SPEC_HASH: "theirs"}
    theirs = replace(found, id="theirs", state=state, labels={**found.labels, **label})
    fleet.power.containers[id_] = theirs
    return theirs


async def away(fleet: Bench) -> None:
    fleet.power.failures["inventory"] = [EngineUnavailableError("away")]
    with pytest.raises(EngineUnavailableError):
        await fleet.queue.sweep(LOOK)


@pytest.mark.parametrize(("state", "phase"), [("running", Phase.RUNNING), ("exited", Phase.WARM)])
async def test_anothers_container_waits_as_well_when_the_engine_was_away(
    fleet: Bench, state: str, phase: Phase
) -> None:
    """It can't be started as it is: making ours instead would go past the cap."""
    await fleet.queue.sweep(LOOK)
    await away(fleet)
    assert fleet.row("w4").phase is Phase.UNKNOWN
    theirs = replaced(fleet, "w4", state=state)
    for _ in range(2):
        await fleet.queue.sweep(LOOK)
        assert fleet.power.containers["w4"] == theirs
        row = fleet.row("w4")
        assert (row.phase, row.sync, row.reason) == (phase, Sync.OUT_OF_SYNC, "")
        assert row.message == WAITS.format(id="w4")
    assert (await fleet.queue.submit("w4", replace(LOOK, asked=True))).ok
    assert (fleet.row("w4").phase, fleet.power.containers["w4"] == theirs) == (Phase.RUNNING, False)


@pytest.mark.parametrize("was", ["running", "exited"])
async def test_anothers_container_beside_one_that_sleeps_waits_as_well(
    fleet: Bench, was: str
) -> None:
    await fleet.queue.sweep(LOOK)
    await fleet.queue.submit("w4", replace(LOOK, asked=False))
    theirs = replaced(fleet, "w4", state=was)
    await fleet.queue.sweep(LOOK)
    assert fleet.power.containers["w4"] == theirs
    assert fleet.row("w4").phase is Phase.WARM
    await away(fleet)
    await fleet.queue.sweep(LOOK)
    assert fleet.power.containers["w4"] == theirs
    assert fleet.row("w4").phase is (Phase.RUNNING if was == "running" else Phase.WARM)


async def test_whoever_comes_second_waits(fleet: Bench) -> None:
    """Seen by itself, each has room: what was made anew meanwhile counts."""
    waiting = [fleet.queue.submit(id_, LOOK) for id_ in IDS]
    assert len(remade([await one for one in waiting])) == LEAST


def healed(index: Index, id_: str, cause: str) -> Published:
    """Have a workspace run, and be updated for a cause."""
    for event in (Event.PROVISION, Event.BOOTING, Event.READY):
        index.publish(id_, event=event, cause="up", owner="a")
    index.publish(id_, event=Event.UPDATE, cause=cause)
    return index.publish(id_, event=Event.FAILED, cause="later")


async def test_the_count_is_of_an_hour_and_a_new_runner_reads_it(tmp_path: Path) -> None:
    now, wish = [100.0], Wish()
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    waits = replace(CHANGE, action=Action.NOTHING, remakes=False)

    def of(id_: str) -> Change:
        return replace(CHANGE, known=Known(id=id_))

    with Index.open(f"sqlite:///{tmp_path}/index.db", now=lambda: long_ago) as index:
        healed(index, "old", "drift: network x → none")
    with Index.open(f"sqlite:///{tmp_path}/index.db") as index:
        healed(index, "one", "drift: network x → none")
        healed(index, "two", "its file changed")
        cap = RemakeCap(Board(index), least=2, spared=lambda *_: waits, monotonic=lambda: now[0])
        assert await cap.admitted(of("three"), wish) == of("three")
        assert await cap.admitted(of("three"), wish) == of("three"), "it is counted already"
        assert await cap.admitted(of("four"), wish) == waits
        published = {row.id: row for row in index.workspaces()}
        planned = {id_: of(id_) for id_ in ("one", "four", "three")}
        limited = await cap.limited(planned, published, wish)
        # What the former runner made anew has its place, and goes on having it.
        assert limited == {"one": of("one"), "four": waits, "three": of("three")}
        assert await cap.limited(planned, published, Wish(heal=True)) == planned
        now[0] += 3601
        assert await cap.limited(planned, published, wish) == {**planned, "three": waits}
        assert await cap.admitted(of("four"), wish) == of("four")


async def test_one_workspace_has_one_place_and_an_end(tmp_path: Path) -> None:
    """One whose drift is another one each time takes no place of others, and is not made anew for ever."""
    waits = replace(CHANGE, action=Action.NOTHING, remakes=False)
    with Index.open(f"sqlite:///{tmp_path}/index.db") as index:
        cap = RemakeCap(Board(index), least=2, spared=lambda *_: waits, monotonic=lambda: 100.0)
        for told in (cap.settle, cap.ends, cap.made):
            told("ws")  # nothing was admitted
        for _ in range(3):
            assert await cap.admitted(CHANGE, Wish()) == CHANGE
            cap.settle("ws")
        for _ in range(EACH):
            # The engine ended its programs, and did not remove it: it is that one still.
            assert await cap.admitted(CHANGE, Wish()) == CHANGE
            cap.ends("ws")
            cap.settle("ws")
            assert await cap.admitted(CHANGE, Wish()) == CHANGE
            cap.ends("ws")
            cap.made("ws")
            cap.settle("ws")
        assert await cap.admitted(CHANGE, Wish()) == waits
        planned = {id_: replace(CHANGE, known=Known(id=id_)) for id_ in ("a", "b", "ws")}
        limited = await cap.limited(planned, {}, Wish())
        assert limited == {**planned, "b": waits, "ws": waits}, "another has its place"
        assert await cap.admitted(planned["a"], Wish()) == planned["a"]
        assert await cap.admitted(planned["b"], Wish()) == waits


async def test_a_new_runner_counts_each_heal_but_those_that_failed(tmp_path: Path) -> None:
    async def places(index: Index) -> int:
        cap = RemakeCap(Board(index), least=9, spared=lambda *_: CHANGE)
        asked = [replace(CHANGE, known=Known(id=f"new-{number}")) for number in range(10)]
        return 9 - [(await cap.admitted(each, Wish())).id for each in asked].index("ws")

    async def times(index: Index) -> int:
        """How often "one" was made anew, by how often it may be still."""
        waits = replace(CHANGE, action=Action.NOTHING, remakes=False)
        cap = RemakeCap(Board(index), least=9, spared=lambda *_: waits)
        for number in range(EACH + 1):
            if await cap.admitted(replace(CHANGE, known=Known(id="one")), Wish()) == waits:
                return EACH - number
            cap.ends("one")
            cap.made("one")
        raise AssertionError("it has no end")

    with Index.open(f"sqlite:///{tmp_path}/index.db") as index:
        assert (await places(index), await times(index)) == (0, 0)
        for _ in range(3):
            healed(index, "one", "drift: network x → none")
            assert (await places(index), await times(index)) == (1, 1), "they failed"
        for number in range(2):
            index.publish("one", event=Event.UPDATE, cause="drift: network x → none")
            index.publish("one", event=Event.BOOTING, cause="drift: network x → none")
            index.publish("one", event=Event.READY, cause="drift: network x → none")
            assert (await places(index), await times(index)) == (1, number + 1)


async def test_what_someone_asked_for_takes_no_place_for_a_later_runner_either(
    fleet: Bench,
) -> None:
    """`codehub up` without a daemon, and one that begins within the hour."""
    up = replace(UP, heal=True, actor="cli:root", cause="cli:root asked for `up`")
    assert len(remade(await fleet.queue.sweep(up))) == len(IDS)
    told = fleet.index.history("w0")
    assert ("drift: network x-net → theirs", "cli:root") in {(it.cause, it.actor) for it in told}
    waits = replace(CHANGE, action=Action.NOTHING, remakes=False)
    cap = RemakeCap(Board(fleet.index), least=1, spared=lambda *_: waits)
    assert await cap.admitted(CHANGE, Wish()) == CHANGE


async def test_who_fails_before_anything_goes_leaves_its_place_to_others(tmp_path: Path) -> None:
    power = SeenPower(run=str(tmp_path / "run"))
    async with bench(tmp_path, power=power, retries=True) as fleet:
        power.specs |= {id_: spec_of(id_) for id_ in IDS}
        fleet.files(*power.specs.values())
        await fleet.queue.sweep(UP)
        power.hands |= {id_: {"network": "theirs"} for id_ in IDS}
        power.kept = frozenset({"network"})
        late = OperationTimeoutError("too slow", step="preview", delay=60.0)
        fleet.engine.errors |= {"w0": [late], "w1": [late]}
        before = dict(power.containers)
        assert remade(await fleet.queue.sweep(LOOK)) == ["w0", "w1", "w2"]
        assert {id_ for id_ in IDS if power.containers[id_] != before[id_]} == {"w2"}
        # Both are tried again in a minute; until then their places are the others'.
        await fleet.queue.sweep(LOOK)
        assert {id_ for id_ in IDS if power.containers[id_] != before[id_]} == {"w2", "w3", "w4"}
        assert {fleet.row(id_).message for id_ in ("w3", "w4")} == {""}
        assert {fleet.row(id_).phase for id_ in ("w0", "w1")} == {Phase.ERROR}
        # And when their time comes, there is no room.
        fleet.queue._entries["w0"].rest()
        await fleet.queue.submit("w0", LOOK)
        await fleet.queue.sweep(LOOK)
        row = fleet.row("w0")
        assert (row.phase, row.message) == (Phase.RUNNING, WAITS.format(id="w0"))
        assert power.containers["w0"] == before["w0"]
