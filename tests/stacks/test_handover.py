"""Handing a home over, with an engine kept in memory: the order of things, and what goes wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from spec import WorkspaceSpec
from stacks.errors import EngineRefusedError, HandOverError, NotRemovedError
from state_index.index import Index
from state_index.models import Changes
from state_index.phases import Event, Phase, Sync
from tests.stacks.afterlife import GRACE, LONGEST, Afterlife


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
