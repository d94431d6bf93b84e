"""What begins a grace anew: files in any form, copies of index and ledger, time that nobody watched."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from state_index.models import Published
from state_index.phases import Phase, Sync
from tests.stacks.afterlife import GRACE, Afterlife
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


async def test_an_old_index_alone_ends_nothing_early(life: Afterlife) -> None:
    """It has a tombstone whose grace is over; meanwhile the workspace was back, and removed."""
    await watch(life, GRACE - 1)
    backup = Backup.of(life)
    life.write("ws")
    await look(life)
    del life.files["ws"]
    await look(life)
    backup.restore_index()
    await watch(life, GRACE - 1)
    assert life.homes("ws")
    await watch(life, 1)
    assert not life.homes("ws")


async def test_an_old_ledger_alone_ends_nothing_early(life: Afterlife) -> None:
    await watch(life, GRACE - 1)
    backup = Backup.of(life)
    life.write("ws")
    await look(life)
    del life.files["ws"]
    await look(life)
    backup.restore_ledger()
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
