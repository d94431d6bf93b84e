"""The end of a home's life: what dates it, what brings it back, what speaks against removing it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from stacks import purging
from stacks.demand import Demand
from stacks.errors import (
    EngineUnavailableError,
    FileStandsError,
    HomeKeptError,
    HomeOwnerError,
    NotConfirmedError,
    NotRemovedError,
    SourceError,
    StacksError,
    UnknownWorkspaceError,
)
from stacks.power import Container, HomeVolume
from stacks.programs.inputs import LABEL_TREE
from stacks.source import Snapshot
from state_index.index import Index
from state_index.models import HistoryRow, Published
from state_index.phases import Phase, Sync
from tests.stacks.afterlife import GRACE, LONGEST, Afterlife
from tests.stacks.fakes import as_leftover

HOME = HomeVolume(workspace="ws", number=1, name="x-ws-home-1", owner="alice")
STEP = 50.0


@pytest.fixture
async def life(tmp_path: Path) -> Afterlife:
    """A fleet of which one workspace was removed."""
    made = Afterlife(root=tmp_path)
    made.write("ws")
    made.write("other")
    async with made.runner() as runner:
        await runner.look()
        del made.files["ws"]
        await runner.look()
    assert made.row("ws") is not None
    return made


def history(life: Afterlife, id_: str = "ws") -> list[HistoryRow]:
    with Index.open(life.url) as index:
        return index.history(id_)


def tombstone(life: Afterlife) -> Published:
    found = life.row("ws")
    assert found is not None
    assert found.phase is Phase.TOMBSTONED
    return found


async def watch(life: Afterlife, seconds: float) -> None:
    """Run for so long, with a look each 50 s."""
    async with life.runner() as runner:
        await runner.look()
        while seconds > 0:
            life.pass_time(min(seconds, STEP))
            seconds -= STEP
            await runner.look()


async def test_what_is_removed_has_its_dates(life: Afterlife) -> None:
    row = tombstone(life)
    assert row.removed_at == life.time
    assert row.expires_at == life.time + timedelta(seconds=GRACE)
    assert row.message == "removed; its home is kept"
    assert life.homes("ws")


async def test_a_home_goes_when_its_grace_was_watched_and_not_before(life: Afterlife) -> None:
    await watch(life, GRACE - 1)
    tombstone(life)
    assert life.homes("ws")
    assert life.engine.forgotten == []
    async with life.runner() as runner:
        await runner.look()
        life.pass_time(1)
        result = (await runner.look())["ws"]
    assert (result.action, result.phase, result.ok) == ("purge", "DELETED", True)
    assert life.row("ws") is None
    assert not life.homes("ws")
    assert life.engine.forgotten == ["ws"]
    assert [(row.from_phase, row.to_phase) for row in history(life)[:3]] == [
        (Phase.DELETED, None),
        (Phase.DELETING, Phase.DELETED),
        (Phase.TOMBSTONED, Phase.DELETING),
    ]
    assert history(life)[0].cause == "a look; its grace is over"
    life.write("ws")
    async with life.runner() as runner:
        assert (await runner.look())["ws"].phase == Phase.RUNNING
    assert life.engine.made["ws"] == 2, "after its end, the id is free for a new home"


async def test_a_clock_that_jumps_takes_nothing_of_it(life: Afterlife) -> None:
    for years in (50, -80, 40):
        life.time += timedelta(days=365 * years)
        await watch(life, 10)
        row = tombstone(life)
        assert row.expires_at is not None
        left = (row.expires_at - life.time).total_seconds()
        assert 0 < left <= GRACE
    assert life.homes("ws")


async def test_time_that_no_runner_watched_does_not_count(life: Afterlife) -> None:
    for _ in range(3):
        life.pass_time(10 * GRACE)
        await watch(life, 0)
    async with life.runner() as runner:
        await runner.look()
        life.pass_time(10 * GRACE)  # it stood still
        await runner.look()
        row = tombstone(life)
    assert row.expires_at == life.time + timedelta(seconds=GRACE - LONGEST)
    assert life.homes("ws")


async def test_the_file_brings_the_same_home_back(life: Afterlife) -> None:
    await watch(life, GRACE - 10)
    life.write("ws")
    async with life.runner() as runner:
        assert (await runner.look())["ws"].phase == Phase.RUNNING
    assert life.engine.made["ws"] == 1
    row = life.row("ws")
    assert row is not None
    assert (row.removed_at, row.expires_at, row.grace_end) == (None, None, None)
    del life.files["ws"]
    async with life.runner() as runner:
        await runner.look()
    assert tombstone(life).expires_at == life.time + timedelta(seconds=GRACE), "a grace of its own"


async def test_another_owner_does_not_get_it(life: Afterlife) -> None:
    life.write("ws", owner="bob")
    async with life.runner() as runner:
        assert (await runner.look())["ws"].reason == HomeOwnerError.reason
    assert life.homes("ws")
    assert "ws" not in life.power.containers


@pytest.mark.parametrize("how", ["unreadable", "empty"])
async def test_no_home_goes_by_a_thin_reading(life: Afterlife, how: str) -> None:
    files = dict(life.files)
    life.unreadable = how == "unreadable"
    life.files.clear()
    await watch(life, 3 * GRACE)
    tombstone(life)
    assert life.homes("ws")
    life.files, life.unreadable = files, False
    await watch(life, GRACE - 1)
    tombstone(life)
    assert life.homes("ws"), "what was not read was not watched"
    await watch(life, 1)
    assert not life.homes("ws")


async def test_a_lost_index_begins_its_grace_anew(life: Afterlife) -> None:
    await watch(life, GRACE - 1)
    life.lose_index()
    await watch(life, GRACE - 1)
    row = tombstone(life)
    assert (row.owner, row.sync) == ("alice", Sync.OUT_OF_SYNC)
    assert life.homes("ws")
    await watch(life, 1)
    assert not life.homes("ws")


async def test_a_home_that_a_lost_index_and_the_engine_lost_is_not_made_anew(
    life: Afterlife,
) -> None:
    life.lose_index()
    await watch(life, 0)
    life.power.volumes.pop("ws")
    life.write("ws")
    async with life.runner() as runner:
        assert (await runner.look())["ws"].reason == "HOME_MISSING"
    assert "ws" not in life.power.volumes


async def test_a_tombstone_from_before_there_were_dates_gets_some(life: Afterlife) -> None:
    with Index.open(life.url) as index:
        index.publish("ws", cause="t", removed_at=None, expires_at=None, grace_end=None)
    await watch(life, GRACE - 1)
    assert tombstone(life).grace_end is not None
    await watch(life, 1)
    assert not life.homes("ws")


async def test_one_that_was_never_made_leaves_no_tombstone(life: Afterlife) -> None:
    with Index.open(life.url) as index:
        index.publish("never", cause="t", owner="alice")
    async with life.runner() as runner:
        runner.queue.snapshot = await life.read()
        removed = await runner.queue.submit("never", Demand(cause="destroy", remove=True))
        assert removed.phase == Phase.TOMBSTONED
        assert (await runner.look())["never"].action == "forget"
    assert life.row("never") is None


async def test_what_is_wanted_while_it_ends_brings_nothing_back(life: Afterlife) -> None:
    async with life.runner() as runner:
        await runner.look()
        life.pass_time(STEP)
        await runner.clock.tick(complete=True)
        life.pass_time(STEP)
        watched = await runner.clock.tick(complete=True)
        demand = Demand(cause="a look", prune=True, watched=watched)
        first = runner.queue.submit("ws", demand)
        life.power.entered.clear()
        await life.power.entered.wait()
        second = runner.queue.submit("ws", demand)
        assert [(await one).action for one in (first, second)] == ["purge", "forget"]
    assert life.row("ws") is None
    assert history(life)[0].from_phase is Phase.DELETED


# By name.


async def test_someone_who_types_its_name_need_not_wait(life: Afterlife) -> None:
    async with life.runner() as runner:
        result = await runner.purge("ws")
    assert (result.action, result.phase) == ("purge", "DELETED")
    assert (life.row("ws"), life.homes("ws")) == (None, ())
    assert {row.actor for row in history(life)[1:3]} == {"cli:root"}
    assert history(life)[1].cause == "cli:root purged it; its name was typed"


async def test_after_a_lost_index_it_can_be_purged_by_name(life: Afterlife) -> None:
    life.lose_index()
    async with life.runner() as runner:
        assert (await runner.purge("ws")).phase == "DELETED"
    assert not life.homes("ws")


async def test_a_missing_home_of_a_failed_workspace_can_be_given_up(life: Afterlife) -> None:
    life.write("ws")
    async with life.runner() as runner:
        await runner.look()
        life.power.volumes.pop("ws")
        life.power.containers.pop("ws")
        assert (await runner.look())["ws"].reason == "HOME_MISSING"
        del life.files["ws"]
        assert (await runner.purge("ws")).reason == "HOME_UNSEEN"
        assert (await runner.purge("ws", forget_missing=True)).phase == "DELETED"
        life.write("ws")
        assert (await runner.look())["ws"].phase == Phase.RUNNING
    assert life.engine.made["ws"] == 2


def row(phase: Phase, **more: int) -> Published:
    return Published(id="ws", owner="alice", phase=phase, sync=Sync.SYNCED, **more)  # type: ignore[arg-type]


GONE = Snapshot(complete=False, error="empty")


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"confirm": "wz"}, NotConfirmedError),
        ({"confirm": ""}, NotConfirmedError),
        ({"snapshot": Snapshot(pending=frozenset({"ws"}))}, FileStandsError),
        ({"snapshot": replace(GONE, unreadable=True)}, SourceError),
        ({"row": None, "homes_left": False}, UnknownWorkspaceError),
        ({"container": "x-ws"}, NotRemovedError),
        ({"row": row(Phase.WARM)}, NotRemovedError),
        ({"row": row(Phase.DELETING)}, NotRemovedError),
        ({"row": row(Phase.UNKNOWN)}, NotRemovedError),
        ({}, None),
        ({"row": row(Phase.ERROR)}, None),
        ({"row": row(Phase.UNKNOWN, grace_end=1)}, None),
        ({"row": None}, None),
    ],
)
def test_who_may_purge(told: dict[str, object], error: type[StacksError] | None) -> None:
    given = {
        "confirm": "ws",
        "snapshot": GONE,
        "row": row(Phase.TOMBSTONED),
        "container": "",
        "homes_left": True,
    }
    if error is None:
        purging.check("ws", **given | told)  # type: ignore[arg-type]
        return
    with pytest.raises(error):
        purging.check("ws", **given | told)  # type: ignore[arg-type]


# What speaks against it.


def holder(life: Afterlife) -> None:
    life.power.strangers = (
        Container(id="h", name="by-hand", workspace="", state="exited", image="i", home=HOME.name),
    )


def other_number(life: Afterlife) -> None:
    second = as_leftover(replace(HOME, number=2, name="x-ws-home-2"))
    life.power.things = (replace(second, name="x-ws-home-3"),)


def no_tree(life: Afterlife) -> None:
    second = as_leftover(replace(HOME, number=2, name="x-ws-home-2"))
    life.power.things = (replace(second, labels={**second.labels, LABEL_TREE: ""}),)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (holder, "it is mounted by by-hand"),
        (other_number, "the volume x-ws-home-3 does not say that it is its home"),
        (no_tree, "the volume x-ws-home-2 does not say that it is this data tree's"),
    ],
)
async def test_what_speaks_against_it_keeps_it(
    life: Afterlife, spoil: Callable[[Afterlife], None], told: str
) -> None:
    spoil(life)
    await watch(life, GRACE)
    kept = tombstone(life)
    assert kept.reason == HomeKeptError.reason
    assert told in kept.message
    assert life.homes("ws")
    assert life.engine.forgotten == []
    async with life.runner() as runner:
        assert (await runner.purge("ws")).reason == HomeKeptError.reason
    assert life.homes("ws")
    assert "remove_home" not in life.power.calls


async def test_a_file_that_comes_back_in_the_last_moment_keeps_it(life: Afterlife) -> None:
    """The file is read again after Pulumi forgot, right before the engine would remove."""
    forget = life.engine.forget

    async with life.runner() as runner:

        async def returning(stack: str) -> None:
            await forget(stack)
            life.write("ws")

        runner.endings.forget = returning  # type: ignore[method-assign,assignment]
        result = await runner.purge("ws")
        assert result.reason == HomeKeptError.reason
        assert life.homes("ws")
        assert (await runner.look())["ws"].phase == Phase.RUNNING
    assert life.engine.made["ws"] == 1


async def test_an_engine_that_fails_leaves_it_to_the_next_look(life: Afterlife) -> None:
    life.power.failures["remove_home"] = [EngineUnavailableError("gone", step="purge")]
    await watch(life, GRACE)
    failed = life.row("ws")
    assert failed is not None
    assert (failed.phase, bool(failed.grace_end)) == (Phase.UNKNOWN, True)
    async with life.runner() as runner:
        assert (await runner.look())["ws"].action == "purge"
    assert not life.homes("ws")


async def test_a_purge_by_name_that_failed_is_not_tried_again_by_itself(life: Afterlife) -> None:
    life.power.failures["remove_home"] = [EngineUnavailableError("gone", step="purge")]
    async with life.runner() as runner:
        assert (await runner.purge("ws")).reason == EngineUnavailableError.reason
        await runner.look()
        assert tombstone(life).expires_at == life.time + timedelta(seconds=GRACE)
        assert life.homes("ws")
