"""Handing a home over, with an engine kept in memory: the order of things, and what goes wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from spec import WorkspaceSpec
from stacks.demand import Demand
from stacks.errors import EngineRefusedError, HandOverError, NotRemovedError
from state_index.index import Index
from state_index.models import Changes
from state_index.phases import Event, Phase, Sync
from tests.stacks.afterlife import GRACE, LONGEST, Afterlife, Life


@pytest.fixture
async def life(tmp_path: Path) -> Afterlife:
    """One workspace, brought up, whose file was renamed since."""
    made = Afterlife(root=tmp_path)
    made.write("old")
    made.write("other")
    async with made.runner() as runner:
        await runner.look()
    made.power.volumes["old"] = tuple(replace(home, tree="t") for home in made.homes("old"))
    del made.files["old"]
    made.write("ada", formerly="old")
    return made


@contextmanager
def refusing(life: Afterlife, call: str) -> Iterator[None]:
    life.power.failures[call] = [EngineRefusedError("not now", step=call)]
    yield
    assert not life.power.failures[call]


async def test_the_former_goes_before_its_heir_is_made(life: Afterlife) -> None:
    async with life.runner() as runner:
        results = await runner.look()
    assert results["ada"].phase == Phase.RUNNING
    stacks = [stack for _, stack in life.engine.done]
    assert stacks.index("old") < stacks.index("ada")
    assert life.engine.forgotten == ["old"]
    assert set(life.power.containers) == {"ada", "other"}
    assert life.row("old") is None


async def test_what_cannot_go_keeps_the_home(life: Afterlife) -> None:
    async with life.runner() as runner:
        with refusing(life, "stop"):
            results = await runner.look()
        ada = results["ada"]
        assert (ada.reason, ada.phase) == (HandOverError.reason, Phase.ERROR)
        assert ada.message == "old, which ada was, is still there: not now"
        assert ada.retryable
        assert set(life.power.containers) == {"old", "other"}
        results = await runner.look(force=True)
    assert results["ada"].phase == Phase.RUNNING
    assert set(life.power.containers) == {"ada", "other"}


async def test_a_row_that_is_left_over_goes_without_an_operation(life: Afterlife) -> None:
    async with life.runner() as runner:
        await runner.look()
    made = len(life.engine.done)
    spec = WorkspaceSpec(id="old", owner="alice", image="light")
    # As in an index of yesterday.
    told = Changes(owner="alice", sync=Sync.SYNCED, spec_json=spec.model_dump_json())
    with Index.open(life.url) as index:
        index.publish("old", event=Event.REMOVED, cause="test", **told)
    async with life.runner() as runner:
        results = await runner.look()
        assert results["ada"].phase == Phase.RUNNING
    assert life.row("old") is None
    assert len(life.engine.done) == made


async def test_a_renamed_one_that_was_removed_comes_back_with_its_home(life: Afterlife) -> None:
    async with life.runner() as runner:
        await runner.look()
        home, spec = life.homes("old"), life.files.pop("ada")
        for _ in range(2):
            await runner.look()
        for id_ in ("ada", "old"):
            row = life.row(id_)
            assert row is not None
            assert row.phase is Phase.TOMBSTONED
            assert row.grace_end is not None
        life.files["ada"] = spec
        results = await runner.look()
        assert results["ada"].phase == Phase.RUNNING
        await runner.look()
    assert life.row("old") is None
    assert life.homes("old") == home
    assert life.power.calls.count("remove_home") == 0


async def test_a_renamed_one_that_was_removed_gives_its_home_up_after_the_grace(
    life: Afterlife,
) -> None:
    async with life.runner() as runner:
        await runner.look()
        life.files.pop("ada")
        for _ in range(round(GRACE / LONGEST) + 4):
            await runner.look()
            life.pass_time(LONGEST)
        assert not life.homes("old")
        assert life.row("old") is None
        assert life.row("ada") is None


@pytest.mark.parametrize("seen_before", [False, True])
async def test_a_renamed_one_that_was_removed_by_its_name_has_the_grace_of_its_home_counted(
    life: Afterlife, seen_before: bool
) -> None:
    """Without any prune; also where the home was seen alone before the removal was at its end."""
    async with life.runner() as runner:
        await runner.look()
        life.files.pop("ada")
        if seen_before:
            container = life.power.containers.pop("ada")
            await runner.look(prune=False)
            row = life.row("old")
            assert row is not None
            assert (row.phase, row.grace_end) == (Phase.TOMBSTONED, None)
            life.power.containers["ada"] = container
        runner.queue.snapshot = await life.read()
        removed = await runner.queue.submit("ada", Demand(cause="destroy", remove=True))
        assert removed.phase == Phase.TOMBSTONED
        first = await runner.look(prune=False)
        assert first["old"].action == "keep"
        row, heir = life.row("old"), life.row("ada")
        assert row is not None
        assert heir is not None
        assert row.message.endswith("it was renamed to ada, which was removed")
        assert row.expires_at == heir.expires_at == life.time + timedelta(seconds=GRACE)
        assert not any(each.changed for each in (await runner.look(prune=False)).values())
        await count(runner, GRACE - 1)
        assert life.homes("old")
        await count(runner, 1)
    assert not life.homes("old")
    assert (life.row("old"), life.row("ada")) == (None, None)


async def test_the_removal_of_one_with_a_home_of_its_own_ends_nothing_of_the_former_ids(
    life: Afterlife,
) -> None:
    async with life.runner() as runner:
        await runner.look()
        (home,) = life.homes("old")
        life.power.volumes["ada"] = (replace(home, workspace="ada", number=2, name="x-ada-home-2"),)
        life.files.pop("ada")
        runner.queue.snapshot = await life.read()
        await runner.queue.submit("ada", Demand(cause="destroy", remove=True))
        for _ in range(2):
            await runner.look(prune=False)
    row = life.row("old")
    assert row is not None
    assert (row.phase, row.removal, row.grace_end) == (Phase.TOMBSTONED, "", None)


async def count(runner: Life, seconds: float) -> None:
    """Watch for so long, and look once more for what ends by what ended."""
    while seconds > 0:
        runner.home.pass_time(min(seconds, LONGEST))
        seconds -= LONGEST
        await runner.look(prune=False)
    await runner.look(prune=False)


async def test_a_renamed_one_says_where_its_home_is_kept_and_goes_with_it(
    life: Afterlife,
) -> None:
    async with life.runner() as runner:
        await runner.look()
        life.files.pop("ada")
        for _ in range(2):
            await runner.look()
        row = life.row("ada")
        assert row is not None
        assert row.message == "removed; its home is kept under its former id, old"
        with pytest.raises(
            NotRemovedError, match="the home of ada is kept under its former id, old"
        ):
            await runner.purge("ada")
        assert life.homes("old")
        assert (await runner.purge("old")).phase == "DELETED"
        assert (await runner.look())["ada"].action == "forget"
    assert life.row("ada") is None


async def test_a_container_that_outlived_its_tombstone_goes_too(life: Afterlife) -> None:
    told = Changes(owner="alice", sync=Sync.SYNCED)
    life.lose_index()
    with Index.open(life.url) as index:
        index.publish("old", event=Event.REMOVED, cause="test", **told)
    async with life.runner() as runner:
        await runner.look(force=True)
    assert set(life.power.containers) == {"ada", "other"}
    assert life.row("old") is None
    assert "stop" in life.power.calls
