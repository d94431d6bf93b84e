"""What waits for a sync window and what goes on: on a real index and queue, the engine beside."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spec import WorkspaceSpec, read_rules
from stacks.demand import Demand
from stacks.errors import SyncWindowError
from stacks.git.commits import judged
from stacks.notices.matters import scene
from stacks.plan import Wish
from stacks.planned import Action, Change, Known
from stacks.previews import describe
from stacks.source import Snapshot
from stacks.windows import Opening, meanwhile
from state_index.phases import Phase, Sync
from tests.stacks.test_reconciler import UP, Bench, bench, spec_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 22, tzinfo=UTC)
NIGHTS = b'windows: [{kind: allow, from: "22:00", to: "06:00", zone: UTC}]\n'
UNTIL = "sync windows keep changes back until Mon 2026-11-23 22:00 UTC"
LOOK = Demand(cause="look", prune=True)


@dataclass
class Clock:
    """The wall clock."""

    now: datetime = NIGHT

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Room:
    """A queue and its clock."""

    bench: Bench
    clock: Clock

    def files(self, *specs: WorkspaceSpec, policies: bytes = NIGHTS, commit: str = "") -> None:
        self.bench.queue.snapshot = Snapshot(
            specs={spec.id: spec for spec in specs},
            rules=read_rules(None, policies, folder="w"),
            commit=commit,
        )

    async def look(self, demand: Demand = LOOK) -> dict[str, Any]:
        return {result.id: result for result in await self.bench.queue.sweep(demand)}

    def told(self, id_: str) -> tuple[Phase, Sync, str]:
        row = self.bench.row(id_)
        return row.phase, row.sync, row.reason


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    clock = Clock()
    async with bench(tmp_path, clock=clock) as found:
        found.power.networks.add("x-net")
        yield Room(found, clock)


async def test_what_changes_at_noon_waits_and_is_applied_at_night(room: Room) -> None:
    room.files(spec_of("aa"), spec_of("gone"))
    await room.look()
    before = room.bench.power.containers["aa"]
    room.clock.now = NOON
    room.files(spec_of("aa", env={"A": "1"}), spec_of("bb"))
    found = await room.look()
    assert {result.reason for result in found.values()} == {"SYNC_WINDOW"}
    for id_, what, phase in (
        ("aa", "its file changed", Phase.RUNNING),
        ("bb", "it is new", Phase.PENDING),
        ("gone", "its file is gone", Phase.RUNNING),
    ):
        assert room.told(id_) == (phase, Sync.OUT_OF_SYNC, "SYNC_WINDOW")
        row = room.bench.row(id_)
        assert row.message.startswith(f"{what}, and that waits: {UNTIL}")
        assert "`codehub up --now ID`" in row.message
        assert row.owner == "alice"
    assert room.bench.power.containers["aa"] == before
    assert set(room.bench.power.containers) == {"aa", "gone"}
    # Nobody has to do anything, and nothing failed.
    assert not scene([room.bench.row(id_) for id_ in ("aa", "bb", "gone")]).matters
    # Nothing is written while nothing changes.
    generation = room.bench.index.generation()
    quiet, waiting = await room.bench.queue.dispatch(LOOK)
    assert (len(quiet), waiting, room.bench.index.generation()) == (3, [], generation)
    room.clock.now = NIGHT
    await room.look()
    assert set(room.bench.power.containers) == {"aa", "bb"}
    for id_ in ("aa", "bb"):
        assert room.told(id_) == (Phase.RUNNING, Sync.SYNCED, "")
        assert room.bench.row(id_).message == ""
    assert room.bench.row("gone").phase is Phase.TOMBSTONED


async def test_power_goes_on_and_drift_is_healed_by_the_file_that_stands(room: Room) -> None:
    room.files(spec_of("aa"))
    await room.look()
    room.clock.now = NOON
    room.files(spec_of("aa", image="heavy"))
    await room.look()
    stopped = await room.bench.queue.submit("aa", Demand(cause="stop", asked=False))
    assert stopped.ok
    started = await room.bench.queue.submit("aa", Demand(cause="start", asked=True))
    assert (started.ok, started.phase) == (True, Phase.RUNNING)
    del room.bench.power.containers["aa"]
    await room.look()
    assert room.bench.power.containers["aa"].running
    row = room.bench.row("aa")
    assert (row.phase, row.sync, row.image) == (Phase.RUNNING, Sync.OUT_OF_SYNC, "light")
    await room.look()
    assert room.told("aa") == (Phase.RUNNING, Sync.OUT_OF_SYNC, "SYNC_WINDOW")
    assert json.loads(room.bench.row("aa").spec_json)["image"] == "light"


async def test_a_pin_of_the_file_waits_too(room: Room) -> None:
    room.files(spec_of("aa"))
    await room.look()
    room.clock.now = NOON
    room.files(spec_of("aa", state="warm"))
    await room.look()
    assert room.told("aa") == (Phase.RUNNING, Sync.OUT_OF_SYNC, "SYNC_WINDOW")
    room.clock.now = NIGHT
    await room.look()
    assert room.bench.row("aa").phase is Phase.WARM


async def test_now_does_not_wait_and_the_history_says_so(room: Room) -> None:
    room.clock.now = NOON
    room.files(spec_of("aa"), spec_of("bb"))
    refused = await room.look(UP)
    assert not refused["aa"].ok
    assert refused["aa"].remedy.endswith("`codehub up --now ID` does not wait.")
    demand = replace(UP, cause="root asked for `up --now`", actor="root", now=True)
    (done,) = await room.bench.queue.sweep(demand, {"aa"})
    assert (done.ok, done.phase) == (True, Phase.RUNNING)
    told = room.bench.index.history("aa")
    assert any(each.cause.startswith("root asked for `up --now`") for each in told)
    assert room.told("bb") == (Phase.PENDING, Sync.OUT_OF_SYNC, "SYNC_WINDOW")


async def test_a_file_that_goes_back_waits_no_more(room: Room) -> None:
    room.files(spec_of("aa"))
    await room.look()
    room.clock.now = NOON
    room.files(spec_of("aa", image="heavy"))
    await room.look()
    room.files(spec_of("aa"))
    await room.look()
    row = room.bench.row("aa")
    assert (row.sync, row.reason, row.message) == (Sync.SYNCED, "", "")
    assert room.bench.queue.opening.at is None


async def test_what_was_begun_within_a_window_goes_on_to_its_end(room: Room) -> None:
    room.files(spec_of("aa", image="missing"))
    assert (await room.look())["aa"].reason == "IMAGE_MISSING"
    room.clock.now = NOON
    found = await room.look(UP)
    assert found["aa"].reason == "IMAGE_MISSING"
    # Its mend is another file, and waits; that it will be tried is told.
    room.files(spec_of("aa"))
    assert (await room.look())["aa"].reason == "SYNC_WINDOW"
    row = room.bench.row("aa")
    assert (row.phase, row.reason, row.retry_at) == (Phase.ERROR, "IMAGE_MISSING", NIGHT)
    room.clock.now = NIGHT
    await room.look()
    assert room.told("aa") == (Phase.RUNNING, Sync.SYNCED, "")


async def test_a_removed_one_whose_file_came_back_loses_no_home_by_waiting(room: Room) -> None:
    room.files(spec_of("aa"), spec_of("bb"))
    await room.look()
    room.files(spec_of("bb"))
    await room.look()
    assert room.bench.row("aa").expires_at is not None
    room.clock.now = NOON
    room.files(spec_of("aa"), spec_of("bb"))
    await room.look()
    row = room.bench.row("aa")
    assert (row.phase, row.grace_end, row.expires_at) == (Phase.TOMBSTONED, None, None)
    room.clock.now = NIGHT
    await room.look()
    assert room.told("aa") == (Phase.RUNNING, Sync.SYNCED, "")


async def test_a_wrong_file_is_told_at_any_time(room: Room) -> None:
    room.clock.now = NOON
    room.files(policies=b"windows: [{kind: allow}]\n")
    room.bench.queue.snapshot = replace(room.bench.queue.snapshot, specs={"aa": spec_of("aa")})
    assert (await room.look())["aa"].reason == "RULES_UNREADABLE"


async def test_a_commit_waits_for_the_window_and_does_not_fail(room: Room) -> None:
    room.files(spec_of("aa"), spec_of("gone"))
    await room.look()
    room.clock.now = NOON
    room.files(spec_of("aa", image="heavy"), spec_of("bb"), commit="a" * 40)
    await room.look()
    rows = {row.id: row for row in room.bench.index.workspaces()}
    found = judged(room.bench.queue.snapshot, rows, is_busy=lambda _: False, prunes=True)
    assert (found.waiting, found.failures) == (("aa", "bb", "gone"), {})


async def test_a_preview_tells_what_would_be_done_and_that_it_waits(room: Room) -> None:
    room.files(spec_of("aa"))
    await room.look()
    room.clock.now = NOON
    room.files(spec_of("aa", image="heavy"))
    changes = await room.bench.queue.look(Wish(shown=True))
    told = describe(changes["aa"])
    assert told.action == "replace"
    assert told.reason == f"its file changed; it waits: {UNTIL}"
    room.clock.now = NIGHT
    assert "waits" not in describe((await room.bench.queue.look(Wish(shown=True)))["aa"]).reason


async def test_the_queue_knows_when_the_first_window_opens(room: Room) -> None:
    room.clock.now = NOON
    policies = (
        b'windows:\n  - {kind: allow, from: "22:00", to: "23:00", zone: UTC, workspaces: [bb]}\n'
        b'  - {kind: allow, from: "13:00", to: "14:00", zone: UTC, workspaces: [aa]}\n'
    )
    room.files(spec_of("aa"), spec_of("bb"), policies=policies)
    await room.look()
    assert room.bench.queue.opening.at == NOON + timedelta(hours=1)
    room.clock.now = NOON + timedelta(hours=1)
    await asyncio.wait_for(room.bench.queue.opening.wait(), 5)
    await room.look()
    assert room.bench.queue.opening.at == NIGHT
    assert room.bench.row("aa").phase is Phase.RUNNING


async def test_who_waits_for_an_opening_hears_when_it_is_moved() -> None:
    clock = Clock(NOON)
    opening = Opening(clock)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        waiting = group.create_task(opening.wait())
        await asyncio.sleep(0)
        opening.set(NOON + timedelta(hours=3))
        await asyncio.sleep(0)
        assert not waiting.done()
        opening.set(NOON)
    assert opening.at is None


async def test_an_opening_comes_by_itself() -> None:
    begun = datetime.now(UTC)
    opening = Opening(lambda: datetime.now(UTC))
    opening.set(begun + timedelta(milliseconds=30))
    await asyncio.wait_for(opening.wait(), 5)
    assert datetime.now(UTC) >= begun + timedelta(milliseconds=30)


async def test_the_mend_of_a_failed_update_waits_too_and_what_runs_goes_on(room: Room) -> None:
    room.files(spec_of("aa"))
    await room.look()
    room.files(spec_of("aa", image="missing"))
    await room.look()
    assert room.told("aa") == (Phase.RUNNING, Sync.OUT_OF_SYNC, "IMAGE_MISSING")
    room.clock.now = NOON
    room.files(spec_of("aa", image="heavy"))
    await room.look()
    await room.look()
    assert room.told("aa") == (Phase.RUNNING, Sync.OUT_OF_SYNC, "SYNC_WINDOW")
    room.clock.now = NIGHT
    await room.look()
    assert room.told("aa") == (Phase.RUNNING, Sync.SYNCED, "")
    assert room.bench.row("aa").image == "heavy"


async def test_of_another_former_id_nothing_is_made_meanwhile(room: Room) -> None:
    """Which home it is was looked up for the new file: by the former one it would be a wrong one."""
    room.files(spec_of("aa"))
    await room.look()
    row, known = room.bench.row("aa"), room.bench.power.containers["aa"]
    wanted = spec_of("aa", formerly="bb")
    change = Change(
        known=Known(id="aa", spec=wanted, row=row, container=known),
        action=Action.NOTHING,
        refusal=SyncWindowError("it waits"),
        refused=wanted,
    )
    assert meanwhile(change, never) is change
    odd = replace(row, spec_json='{"melted": 1}')
    other = replace(change, known=replace(change.known, row=odd), refused=spec_of("aa"))
    assert meanwhile(other, never) is other


async def test_what_can_t_be_planned_by_the_former_file_is_left_as_it_is(room: Room) -> None:
    room.files(spec_of("aa"))
    await room.look()
    row = room.bench.row("aa")
    change = Change(
        known=Known(id="aa", spec=spec_of("aa"), row=row),
        action=Action.NOTHING,
        refusal=SyncWindowError("it waits"),
        refused=spec_of("aa"),
    )
    blocked = replace(change, action=Action.BLOCKED, error=SyncWindowError("no home"))
    assert meanwhile(change, lambda _: blocked) is change


def never(known: Known) -> Change:
    raise AssertionError(f"nothing is planned for {known.id}")
