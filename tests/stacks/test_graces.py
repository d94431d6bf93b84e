"""What begins a grace anew: files in any form, copies of index and ledger, time that nobody watched."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stacks.demand import Demand
from stacks.ledger import Ledger
from stacks.steps import Result
from state_index.index import Index
from state_index.models import Published
from state_index.phases import Event, Phase, Sync
from tests.stacks.afterlife import GRACE, Afterlife, KilledError
from tests.stacks.test_tombstones import life, tombstone, watch

__all__ = ["life"]


@dataclass(frozen=True)
class Backup:
    """Copies of the two memories, as they were."""

    root: Path
    copies: Path

    @classmethod
    def of(cls, life: Afterlife) -> "Backup":
        made = cls(life.root, life.root / "backup")
        made.copies.mkdir()
        for path in life.root.glob("index.db*"):
            shutil.copy(path, made.copies)
        shutil.copy(life.root / "graces.json", made.copies)
        return made

    def restore_index(self) -> None:
        for path in self.root.glob("index.db*"):
            path.unlink()
        for path in self.copies.glob("index.db*"):
            shutil.copy(path, self.root)

    def restore_ledger(self) -> None:
        shutil.copy(self.copies / "graces.json", self.root)


async def look(life: Afterlife, *, prune: bool = True) -> Published:
    async with life.runner() as runner:
        await runner.look(prune=prune)
    row = life.row("ws")
    assert row is not None
    return row


def undated(row: Published) -> bool:
    return (row.removed_at, row.expires_at, row.grace_end) == (None, None, None)


async def test_a_file_with_a_mistake_suspends_the_grace(life: Afterlife) -> None:
    await watch(life, GRACE - 1)
    life.invalid = {"ws"}
    row = await look(life)
    assert undated(row)
    assert (row.phase, row.sync) == (Phase.TOMBSTONED, Sync.INVALID)
    assert row.message == "its home is kept, without an end: its file has 1 problem"
    await watch(life, 3 * GRACE)
    assert life.homes("ws")
    life.invalid = set()
    row = await look(life)
    assert (row.message, row.grace_end is None) == ("its grace begins", False)
    await watch(life, GRACE - 1)
    assert life.homes("ws"), "a whole one"
    await watch(life, 1)
    assert not life.homes("ws")


async def test_a_file_that_was_seen_while_the_engine_was_away_begins_it_anew(
    life: Afterlife,
) -> None:
    """Nothing could be done for it, nor published; the ledger needs no engine."""
    await watch(life, GRACE - 1)
    life.invalid = {"ws"}
    async with life.runner() as runner:
        await runner.endings.stand(await life.read())
    life.invalid = set()
    await watch(life, GRACE - 1)
    assert life.homes("ws")
    assert tombstone(life).message.startswith("its grace begins anew")


async def test_another_owners_file_suspends_it_too(life: Afterlife) -> None:
    await watch(life, GRACE - 1)
    life.write("ws", owner="bob")
    row = await look(life)
    assert (row.reason, undated(row)) == ("HOME_OWNER", True)
    again = await look(life)
    assert again.generation == row.generation, "once told, nothing more is done"
    del life.files["ws"]
    await watch(life, GRACE - 1)
    assert life.homes("ws")


@pytest.mark.parametrize("restore", [Backup.restore_index, Backup.restore_ledger])
async def test_an_old_index_or_ledger_alone_ends_nothing_early(
    life: Afterlife, restore: Callable[[Backup], None]
) -> None:
    """It has a tombstone whose grace is over; meanwhile the workspace was back, and removed."""
    await watch(life, GRACE - 1)
    backup = Backup.of(life)
    life.write("ws")
    await look(life)
    del life.files["ws"]
    await look(life)
    restore(backup)
    await watch(life, GRACE - 1)
    assert life.homes("ws")
    await watch(life, 1)
    assert not life.homes("ws")


async def test_without_a_ledger_all_graces_begin_anew(life: Afterlife) -> None:
    await watch(life, GRACE - 1)
    (life.root / "graces.json").unlink()
    await watch(life, GRACE - 1)
    assert tombstone(life).message == (
        "its grace begins anew: what was counted of it is lost, or a copy"
    )
    assert life.homes("ws")
    await watch(life, 1)
    assert not life.homes("ws")


async def test_by_a_damaged_ledger_nothing_ends_and_nothing_begins(life: Afterlife) -> None:
    (life.root / "graces.json").write_text("{")
    await watch(life, 2 * GRACE)
    assert life.homes("ws")
    life.write("ws")
    assert (await look(life)).reason == "LEDGER_UNAVAILABLE"
    assert "ws" not in life.power.containers
    (life.root / "graces.json").unlink()
    assert (await look(life)).phase is Phase.RUNNING
    (life.root / "graces.json").write_text("{")
    del life.files["ws"]
    row = await look(life)
    assert (row.phase, undated(row)) == (Phase.TOMBSTONED, True)
    (life.root / "graces.json").unlink()
    await watch(life, GRACE - 1)
    assert life.homes("ws")
    await watch(life, 1)
    assert not life.homes("ws")


# A container beside a tombstone: the index is older than it.


async def back(life: Afterlife) -> None:
    """Bring it back, then put the index back in which it was removed."""
    backup = Backup.of(life)
    life.write("ws")
    await look(life)
    backup.restore_index()


async def test_with_its_file_the_container_goes_on(life: Afterlife) -> None:
    await back(life)
    before = life.power.containers["ws"]
    row = await look(life)
    assert (row.phase, undated(row), row.removal) == (Phase.RUNNING, True, "")
    assert life.power.containers["ws"].id == before.id
    assert life.homes("ws")


async def test_without_a_file_it_is_no_dead_end(life: Afterlife) -> None:
    await watch(life, GRACE - 1)
    await back(life)
    del life.files["ws"]
    for _ in range(2):
        row = await look(life, prune=False)
        assert (row.phase, undated(row)) == (Phase.TOMBSTONED, True)
        assert "though the index says that it was removed; `codehub destroy`" in row.message
    async with life.runner() as runner:
        runner.queue.snapshot = await life.read()
        done = await runner.queue.submit("ws", Demand(cause="destroy", remove=True, force=True))
    assert (done.action, done.phase) == ("delete", "TOMBSTONED")
    assert "ws" not in life.power.containers
    await watch(life, GRACE - 1)
    assert life.homes("ws"), "a tombstone of its own"
    await watch(life, 1)
    assert not life.homes("ws")


async def test_a_prune_removes_it_and_is_counted(life: Afterlife) -> None:
    life.pass_time(2 * 3600)
    await back(life)
    del life.files["ws"]
    async with life.runner() as runner:
        runner.queue.snapshot = await life.read()
        (kept, *_) = await runner.queue.sweep(Demand(cause="up", prune=True, max_delete=0), ["ws"])
        assert kept.action == "nothing"
        (gone, *_) = await runner.queue.sweep(Demand(cause="up", prune=True, max_delete=9), ["ws"])
    assert (gone.action, gone.phase) == ("delete", "TOMBSTONED")


async def test_a_removal_of_it_that_is_cut_off_ends_nothing_early(life: Afterlife) -> None:
    await watch(life, GRACE - 1)
    await back(life)
    del life.files["ws"]
    life.engine.errors["ws"] = [RuntimeError("cut off")]
    async with life.runner() as runner:
        await runner.look()
    life.power.containers.pop("ws", None)
    await watch(life, GRACE - 1)
    assert life.homes("ws")


async def test_a_row_of_what_was_purged_goes_before_its_container(life: Afterlife) -> None:
    life.write("ws")
    await look(life)
    del life.files["ws"]
    with Index.open(life.url) as index:
        index.publish("ws", cause="t", event=Event.DELETE)
        index.publish("ws", cause="t", event=Event.PURGED)
    async with life.runner() as runner:
        await runner.look(prune=False)
        await runner.look(prune=False)
        await runner.look()
    assert "ws" not in life.power.containers
    assert life.homes("ws")
    assert tombstone(life).grace_end is not None


# After a lost index.


async def test_homes_found_again_have_no_end_until_somebody_wants_them_removed(
    life: Afterlife,
) -> None:
    life.lose_index()
    first = await look(life, prune=False)
    assert (first.phase, undated(first), first.owner) == (Phase.TOMBSTONED, True, "alice")
    assert "it is kept without an end" in first.message
    async with life.runner() as runner:
        for _ in range(4):
            await runner.look(prune=False)
            life.pass_time(GRACE)
    assert tombstone(life).generation == first.generation
    async with life.runner() as runner:
        runner.queue.snapshot = await life.read()
        await runner.queue.submit("ws", Demand(cause="destroy", remove=True, force=True))
    assert tombstone(life).expires_at == life.time + timedelta(seconds=GRACE)


async def test_a_home_alone_can_be_destroyed_by_its_name(life: Afterlife) -> None:
    life.lose_index()
    async with life.runner() as runner:
        runner.queue.snapshot = await life.read()
        demand = Demand(cause="destroy", remove=True, force=True)
        assert (await runner.queue.submit("ws", demand)).action == "keep"
    assert not undated(tombstone(life))


async def test_no_more_homes_expire_in_an_hour_than_workspaces_are_pruned(tmp_path: Path) -> None:
    life = Afterlife(root=tmp_path)
    ids = [f"w{number}" for number in range(5)]
    for id_ in (*ids, "ws"):
        life.write(id_, state="warm")
    await look(life)
    for id_ in ids:
        del life.files[id_]
    life.lose_index()
    for id_ in ids:
        life.power.containers.pop(id_)
    await watch(life, GRACE)
    left = [id_ for id_ in ids if life.homes(id_)]
    assert left == ["w3", "w4"]
    row = life.row("w4")
    assert row is not None
    assert row.message.startswith("its grace is over, but its home is kept: no more than 3, or one")
    assert "and 2 are held back; it goes when there is room" in row.message
    async with life.runner() as runner:
        assert (await runner.purge("w4")).ok, "a typed name does not count"
    life.pass_time(3600)
    await watch(life, 0)
    assert not life.homes("w3")


# A removal that is cut off within the engine, and homes that are not seen.


async def torn(life: Afterlife) -> None:
    """The engine is killed while it removes the home: a part of it stays, under its labels."""
    life.power.failures["remove_home"] = [KilledError()]
    with pytest.raises(BaseExceptionGroup):
        async with life.runner() as runner:
            await runner.purge("ws")
    assert life.homes("ws")


async def demanded(life: Afterlife, **more: Any) -> Result:
    async with life.runner() as runner:
        runner.queue.snapshot = await life.read()
        return await runner.queue.submit("ws", Demand(cause="typed", force=True, **more))


async def test_what_is_left_of_a_home_is_not_mounted_as_if_it_were_whole(life: Afterlife) -> None:
    await torn(life)
    life.write("ws")
    row = await look(life)
    assert (row.phase, row.reason) == (Phase.ERROR, "HOME_PARTLY_REMOVED")
    assert "x-ws-home-1" in row.message
    again = await look(life)
    assert (again.generation, "ws" in life.power.containers) == (row.generation, False)
    del life.files["ws"]
    async with life.runner() as runner:
        assert (await runner.purge("ws")).phase == "DELETED", "it can be finished"
    life.write("ws")
    assert (await look(life)).phase is Phase.RUNNING
    assert life.engine.made["ws"] == 2


async def test_what_is_left_can_be_adopted(life: Afterlife) -> None:
    await torn(life)
    life.lose_index()
    life.write("ws")
    assert (await look(life)).reason == "HOME_PARTLY_REMOVED"
    refused = await demanded(life, adopt="bob")
    assert refused.reason == "HOME_PARTLY_REMOVED", "it was shown with another owner"
    assert (await demanded(life, adopt="alice")).phase == "RUNNING"
    assert life.engine.made["ws"] == 1
    del life.files["ws"]
    await look(life)
    life.write("ws")
    assert (await look(life)).phase is Phase.RUNNING, "it was a word for good"


async def test_what_was_removed_by_half_and_stayed_removed_goes_on_with_its_grace(
    life: Afterlife,
) -> None:
    await torn(life)
    await watch(life, GRACE - 1)
    assert tombstone(life).message == "removed; its home is kept"
    await watch(life, 1)
    assert not life.homes("ws")
    assert Ledger(life.root / "graces.json").entries() == {}


async def test_a_home_that_is_not_seen_is_not_taken_for_gone(life: Afterlife) -> None:
    """As with another name prefix, or on another engine."""
    elsewhere = life.power.volumes.pop("ws")
    await watch(life, GRACE)
    row = tombstone(life)
    assert (row.reason, "x-ws-home-1, the home of ws" in row.message) == ("HOME_UNSEEN", True)
    assert "CODEHUB_NAME_PREFIX" in row.message
    async with life.runner() as runner:
        assert (await runner.purge("ws")).reason == "HOME_UNSEEN"
    assert life.engine.forgotten == []
    life.power.volumes["ws"] = elsewhere
    async with life.runner() as runner:
        assert (await runner.look(force=True))["ws"].phase == "DELETED"


async def test_someone_may_type_that_it_is_gone(life: Afterlife) -> None:
    life.power.volumes.pop("ws")
    async with life.runner() as runner:
        result = await runner.purge("ws", forget_missing=True)
    assert (result.phase, life.row("ws")) == ("DELETED", None)
    life.write("ws")
    assert (await look(life)).phase is Phase.RUNNING


async def test_that_it_may_be_missing_makes_no_home_go_by_itself(life: Afterlife) -> None:
    """One of two is not seen: the other one stays as well."""
    second = replace(life.homes("ws")[0], number=2, name="x-ws-home-2")
    life.power.volumes["ws"] = (*life.homes("ws"), second)
    life.write("ws")
    await look(life)
    del life.files["ws"]
    await look(life)
    life.power.volumes["ws"] = (second,)
    await watch(life, GRACE)
    assert tombstone(life).reason == "HOME_UNSEEN"
    assert life.homes("ws") == (second,)
