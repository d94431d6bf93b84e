"""The cap on prunes: three or a tenth in any hour, kept over restarts, raised for once by a word."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from stacks import pruning
from stacks.demand import Demand
from stacks.planned import Wish
from stacks.steps import Result
from state_index.models import Published
from state_index.phases import Phase, Sync
from tests.stacks.afterlife import Afterlife


def rows(*, living: int, gone: int = 0) -> dict[str, Published]:
    phases = [Phase.RUNNING] * living + [Phase.TOMBSTONED] * gone
    return {
        f"w{number}": Published(id=f"w{number}", owner="a", phase=phase, sync=Sync.SYNCED)
        for number, phase in enumerate(phases)
    }


@pytest.mark.parametrize(
    ("living", "gone", "pruned", "allowed", "most"),
    [
        (1, 0, (), None, 3),
        (39, 0, (), None, 3),
        (40, 0, (), None, 4),
        (36, 4, ("g0", "g1", "g2", "g3"), None, 4),
        (36, 4, (), None, 3),
        (1_000, 0, (), None, 100),
        (1_000, 0, (), 0, 0),
        (10, 0, (), 8, 8),
    ],
)
def test_the_most_that_may_go(
    living: int, gone: int, pruned: Iterable[str], allowed: int | None, most: int
) -> None:
    assert pruning.most(rows(living=living, gone=gone), frozenset(pruned), allowed) == most


@pytest.fixture
async def life(tmp_path: Path) -> Afterlife:
    """A fleet of eight, of which six lost their files."""
    made = Afterlife(root=tmp_path)
    for number in range(8):
        made.write(f"w{number}", state="warm")
    async with made.runner() as runner:
        await runner.look()
    for number in range(6):
        del made.files[f"w{number}"]
    return made


def removed(results: Iterable[Result]) -> set[str]:
    return {result.id for result in results if result.action == "delete"}


async def look(life: Afterlife) -> dict[str, Result]:
    async with life.runner() as runner:
        return dict(await runner.look())


async def test_no_more_are_pruned_than_may_be_and_the_others_say_so(life: Afterlife) -> None:
    results = await look(life)
    assert removed(results.values()) == {"w0", "w1", "w2"}
    assert set(life.power.containers) == {"w3", "w4", "w5", "w6", "w7"}
    told = "its file is gone, but it is kept: no more than 3, or one in 10 of all, are removed in"
    for id_ in ("w3", "w4", "w5"):
        assert results[id_].note.startswith(told)
        kept = life.row(id_)
        assert kept is not None
        assert (kept.phase, kept.sync) == (Phase.WARM, Sync.OUT_OF_SYNC)
        assert "codehub up --prune --max-delete N" in kept.message


async def test_a_restart_does_not_begin_the_hour_anew(life: Afterlife) -> None:
    for _ in range(3):
        await look(life)
        life.pass_time(15 * 60)
    assert set(life.power.containers) == {"w3", "w4", "w5", "w6", "w7"}
    life.pass_time(15 * 60)
    assert removed((await look(life)).values()) == {"w3", "w4", "w5"}


async def test_someone_may_allow_more_for_once(life: Afterlife) -> None:
    async with life.runner() as runner:
        runner.queue.snapshot = await life.read()
        none = Demand(cause="up", prune=True, max_delete=0)
        assert removed(await runner.queue.sweep(none)) == set()
        six = Demand(cause="up", prune=True, max_delete=6)
        assert len(removed(await runner.queue.sweep(six))) == 6
    assert set(life.power.containers) == {"w6", "w7"}


async def test_only_those_that_are_meant_count(life: Afterlife) -> None:
    async with life.runner() as runner:
        runner.queue.snapshot = await life.read()
        named = Demand(cause="up", prune=True)
        results = await runner.queue.sweep(named, frozenset({"w3", "w4", "w5"}))
        assert removed(results) == {"w3", "w4", "w5"}


async def test_what_is_removed_by_name_does_not_count(life: Afterlife) -> None:
    async with life.runner() as runner:
        runner.queue.snapshot = await life.read()
        for number in range(4):
            destroy = Demand(cause="destroy", remove=True, force=True)
            await runner.queue.submit(f"w{number}", destroy)
        assert removed((await runner.look()).values()) == {"w4", "w5"}


async def test_a_preview_shows_what_would_be_kept(life: Afterlife) -> None:
    async with life.runner() as runner:
        runner.queue.snapshot = await life.read()
        changes = await runner.queue.look(Wish(prune=True))
        deleted = [id_ for id_, change in changes.items() if change.action == "delete"]
        assert deleted == ["w0", "w1", "w2"]


async def test_whoever_comes_second_is_held_back(life: Afterlife) -> None:
    """Planned together, claimed one by one: what was pruned meanwhile counts."""
    async with life.runner() as runner:
        runner.queue.snapshot = await life.read()
        prune = Demand(cause="up", prune=True)
        waiting = [runner.queue.submit(f"w{number}", prune) for number in range(6)]
        results = [await one for one in waiting]
        assert len(removed(results)) == 3
        assert len(life.power.containers) == 5


async def test_a_prune_that_was_cut_off_counts_once(life: Afterlife) -> None:
    life.engine.errors["w0"] = [RuntimeError("cut off")]
    first = await look(life)
    assert first["w0"].reason == "PROGRAM_ERROR"
    async with life.runner() as runner:
        again = await runner.look(force=True)
    assert again["w0"].phase == Phase.TOMBSTONED
    assert len(life.power.containers) == 5
