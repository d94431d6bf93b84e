"""Ends of homes on an engine that is not the one they are on, and ends that are refused: nothing is lost."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from stacks import home_volumes
from stacks import torn as torn_homes
from stacks.errors import EngineUnavailableError
from stacks.ledger import Ledger
from stacks.ledger_entries import Entry
from stacks.power import HomeVolume
from stacks.tombstones import REMOVING
from state_index.index import Index
from state_index.phases import Event, Phase
from tests.stacks.afterlife import GRACE, Afterlife, MortalEngine
from tests.stacks.fakes import FakePower, as_leftover
from tests.stacks.test_graces import demanded, look, torn
from tests.stacks.test_tombstones import history, life, tombstone, watch

__all__ = ["life"]


async def cut_off_after_it_went(life: Afterlife) -> None:
    """The engine has removed the home, and the runner is killed before it heard of it."""
    await torn(life)
    life.power.volumes.pop("ws")


async def test_what_the_engine_removed_before_a_kill_is_gone(life: Afterlife) -> None:
    await cut_off_after_it_went(life)
    assert (await demanded(life)).phase == "DELETED"
    assert life.row("ws") is None
    assert Ledger(life.root / "graces.json").entries() == {}


@pytest.mark.parametrize("engine", ["E2 /srv/docker s2", "E1 /var/lib/docker s2", ""])
async def test_what_an_engine_was_told_of_is_not_gone_for_another_one(
    life: Afterlife, engine: str
) -> None:
    """Killed while one removed it, and begun again with another one, or with its disk not mounted."""
    await cut_off_after_it_went(life)
    life.power.engine = engine
    await watch(life, GRACE)
    row = tombstone(life)
    assert (row.reason, "x-ws-home-1" in row.message) == ("HOME_UNSEEN", True)
    life.write("ws")
    assert (await look(life)).reason == "HOME_MISSING", "never an empty one"
    del life.files["ws"]
    life.power.engine = FakePower().engine
    assert (await demanded(life, remove=True)).phase in {"DELETED", "TOMBSTONED"}


async def test_an_engine_that_cannot_be_named_proves_nothing(life: Afterlife) -> None:
    life.power.engine = ""
    await cut_off_after_it_went(life)
    await watch(life, GRACE)
    assert tombstone(life).reason == "HOME_UNSEEN"


async def found_alone(life: Afterlife) -> None:
    """Its index and ledger are lost: nothing but the volume tells of it."""
    life.lose_index()
    (life.root / "graces.json").unlink()
    async with life.runner() as runner:
        await runner.look(prune=False)
    row = tombstone(life)
    assert (row.applied_hash, row.grace_end) == ("", None)


@dataclass
class Unmounting(MortalEngine):
    """The container engine is started anew meanwhile, and its disk is not mounted."""

    async def forget(self, stack: str) -> None:
        await super().forget(stack)
        self.power.volumes = {}
        self.power.engine = "E1 /var/lib/docker s2"


async def test_a_home_that_is_not_seen_any_more_is_not_gone(life: Afterlife) -> None:
    await found_alone(life)
    volumes = life.power.volumes
    life.engine = Unmounting(power=life.power)
    async with life.runner() as runner:
        result = await runner.purge("ws")
    assert (result.reason, life.power.calls.count("remove_home")) == ("HOME_UNSEEN", 0)
    life.power.volumes, life.engine = volumes, MortalEngine(power=life.power)
    async with life.runner() as runner:
        assert (await runner.purge("ws")).phase == "DELETED"
    assert not life.homes("ws")


async def test_a_home_is_not_gone_by_a_purge_that_ended_before_the_engine_was_told(
    life: Afterlife,
) -> None:
    """Killed right after it was published; the next runner meets an engine whose disk is not mounted."""
    await found_alone(life)
    volumes, life.power.volumes = life.power.volumes, {}
    with Index.open(life.url) as index:
        index.publish("ws", event=Event.PURGE, cause="killed", step=REMOVING)
    await look(life)
    assert "DELETED" not in {row.to_phase for row in history(life)}
    life.power.volumes = volumes
    await look(life)
    assert tombstone(life).owner == "alice"


async def test_what_never_had_a_home_is_forgotten_all_the_same(life: Afterlife) -> None:
    with Index.open(life.url) as index:
        index.publish("new", event=Event.REMOVED, cause="it never came up")
        index.publish("new", event=Event.PURGE, cause="killed", step=REMOVING)
    for _ in range(2):
        await look(life)
    assert life.row("new") is None


async def test_a_volume_that_goes_between_look_and_removal_was_not_removed_by_us(
    life: Afterlife,
) -> None:
    error = home_volumes.went("x-ws-home-1")
    life.power.failures["remove_home"] = [error]
    async with life.runner() as runner:
        assert (await runner.purge("ws")).reason == "HOME_UNSEEN"
    entry = Ledger(life.root / "graces.json").entries()["ws"]
    assert (entry.removing, entry.removed) == (("x-ws-home-1",), ())
    assert entry.engine == life.power.engine


async def test_under_another_prefix_the_engine_is_asked_by_name(life: Afterlife) -> None:
    """The same engine shows no home of ours there, and has it all the same."""
    await torn(life)
    (home,) = life.power.volumes.pop("ws")
    life.power.things = (as_leftover(home),)
    found = await torn_home(life)
    assert (found.removing, found.removed) == ((home.name,), ())
    life.power.things = ()
    found = await torn_home(life)
    assert (found.removing, found.removed, found.is_gone) == ((), (home.name,), True)


async def torn_home(life: Afterlife) -> Entry:
    entry = Ledger(life.root / "graces.json").entries()["ws"]
    found = await torn_homes.settled(entry, life.power)
    assert found is not None
    return found


async def test_an_engine_that_is_away_before_it_is_told_leaves_a_whole_home(
    life: Afterlife,
) -> None:
    error = EngineUnavailableError("away")
    error.untouched = True
    life.power.failures["remove_home"] = [error]
    async with life.runner() as runner:
        assert (await runner.purge("ws")).reason == "ENGINE_UNAVAILABLE"
    life.write("ws")
    assert (await look(life)).phase is Phase.RUNNING
    assert life.engine.made["ws"] == 1


async def expired(root: Path, count: int, *, unseen: int) -> Afterlife:
    """Some workspaces whose grace is over; the homes of the first are on another engine."""
    life = Afterlife(root=root)
    ids = [f"w{number}" for number in range(count)]
    for id_ in (*ids, "ws"):
        life.write(id_, state="warm")
    await look(life)
    for id_ in ids:
        del life.files[id_]
    life.lose_index()
    for id_ in ids:
        life.power.containers.pop(id_)
    await look(life)
    for id_ in ids[:unseen]:
        life.power.volumes.pop(id_)
    return life


async def test_ends_that_are_refused_take_no_room_from_others(tmp_path: Path) -> None:
    life = await expired(tmp_path, 5, unseen=3)
    await watch(life, GRACE)
    looks = 0
    while (life.homes("w3") or life.homes("w4")) and looks < 20:
        await look(life)  # one in which all three are tried again at once leaves no room by itself
        looks += 1
    assert not life.homes("w3")
    assert not life.homes("w4")
    for id_ in ("w0", "w1", "w2"):
        row = life.row(id_)
        assert row is not None
        assert row.reason == "HOME_UNSEEN"
    with Index.open(life.url, now=lambda: life.time) as index:
        assert index.removals.pruned(within=timedelta(hours=1)) == {"w3", "w4"}


@pytest.fixture
async def renamed(tmp_path: Path) -> Afterlife:
    """One that was `old`, and whose file went: its home stands under that id."""
    made = Afterlife(root=tmp_path)
    made.write("ws", formerly="old")
    made.write("other")
    made.power.volumes["old"] = (home_of("old"),)
    await look(made)
    del made.files["ws"]
    return made


def home_of(workspace: str) -> HomeVolume:
    name = f"x-{workspace}-home-1"
    return HomeVolume(workspace=workspace, number=1, name=name, owner="alice", tree="t")


async def test_a_renamed_tombstone_stays_where_its_home_is_not_seen(renamed: Afterlife) -> None:
    """The first look after the file went is one at another engine."""
    async with renamed.runner() as runner:
        await runner.look()
    homes = renamed.power.volumes.pop("old")
    with Index.open(renamed.url) as index:
        index.forget("old", "an index in which its tombstone was not yet set")
    await watch(renamed, 2 * GRACE)
    assert tombstone(renamed).phase is Phase.TOMBSTONED
    renamed.power.volumes["old"] = homes
    async with renamed.runner() as runner:
        await runner.look()
    renamed.write("ws", formerly="old")
    assert (await look(renamed)).phase is Phase.RUNNING
    assert renamed.homes("old") == homes


async def test_it_goes_once_its_home_went(renamed: Afterlife) -> None:
    for _ in range(2):
        await look(renamed)
    async with renamed.runner() as runner:
        assert (await runner.purge("old")).phase == "DELETED"
        assert (await runner.look())["ws"].action == "forget"
    assert renamed.row("ws") is None
