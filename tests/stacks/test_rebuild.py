"""Filling a lost index: what each find leads to, and what is left alone. Engine kept in memory."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from stacks.board import Board, Context
from stacks.errors import OvertakenError
from stacks.rebuild import Find, Rebuild, described, events, is_told
from state_index.index import Index
from state_index.models import Published
from state_index.phases import Event, Phase, Sync
from tests.stacks.afterlife import Afterlife
from tests.stacks.test_identity import container, home

WHY = Context(cause="cli:root had the index rebuilt", actor="cli:root")


@dataclass
class Memory:
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def homes(self, workspace_id: str) -> tuple[str, ...]:
        return self.known.get(workspace_id, ())

    def stacks(self) -> frozenset[str]:
        return frozenset(self.known)


class Overtaken(Board):
    async def say(self, *_: object, **__: object) -> Published:
        raise OvertakenError("somebody was faster")


async def healthy(_: str) -> bool:
    return True


async def rebuilt(
    life: Afterlife, *, memory: Memory | None = None, board: type[Board] = Board
) -> dict[str, tuple[str, bool]]:
    with Index.open(life.url) as index:
        work = Rebuild(
            board=board(index),
            power=life.power,
            memory=memory or Memory(),
            is_healthy=healthy,
        )
        results = await work.run(await life.read(), WHY)
    return {result.id: (result.phase, result.changed) for result in results}


@pytest.fixture
async def life(tmp_path: Path) -> Afterlife:
    """A fleet whose index was lost: one with a file, one without, one of which a home is left."""
    made = Afterlife(root=tmp_path)
    for id_ in ("aa", "bb", "cc"):
        made.write(id_)
    async with made.runner() as runner:
        await runner.look()
    for id_ in ("bb", "cc"):
        del made.files[id_]
    del made.power.containers["cc"]
    made.lose_index()
    return made


async def test_each_find_gets_its_row_once(life: Afterlife) -> None:
    first = {"aa": ("RUNNING", True), "bb": ("RUNNING", True), "cc": ("TOMBSTONED", True)}
    assert await rebuilt(life) == first
    again = {id_: (phase, False) for id_, (phase, _) in first.items()}
    assert await rebuilt(life) == again


async def test_without_the_folder_nothing_is_taken_for_removed(life: Afterlife) -> None:
    life.unreadable = True
    assert await rebuilt(life) == {"aa": ("RUNNING", True), "bb": ("RUNNING", True)}


async def test_a_home_that_waits_for_its_file_gets_no_tombstone(life: Afterlife) -> None:
    life.write("cc")
    assert (await rebuilt(life))["cc"] == ("PENDING", True)
    row = life.row("cc")
    assert row is not None
    assert row.owner == "alice"
    assert (await rebuilt(life))["cc"] == ("PENDING", False)


async def test_a_renamed_home_is_no_find_of_its_own(life: Afterlife) -> None:
    life.write("dd", formerly="cc")
    assert "cc" not in await rebuilt(life)


async def test_a_home_that_pulumi_alone_knows_is_missed(life: Afterlife) -> None:
    life.write("ee")
    memory = Memory({"ee": ("x-ee-home-2",), "aa": ("x-aa-home-1",), "shared": (), "zz": ()})
    assert (await rebuilt(life, memory=memory))["ee"] == ("ERROR", True)
    row = life.row("ee")
    assert row is not None
    assert (row.reason, row.step) == ("HOME_MISSING", "home")
    assert "x-ee-home-2" in row.message
    assert "zz" not in await rebuilt(life, memory=memory)


async def test_who_was_faster_is_left_alone(life: Afterlife) -> None:
    told = await rebuilt(life, board=Overtaken)
    assert told == {"aa": ("", False), "bb": ("", False), "cc": ("", False)}


def test_a_container_says_what_its_phase_is() -> None:
    running = Find(id="aa", container=container("aa", home("aa"), owner="bob"), homes=(home("aa"),))
    asleep = replace(running, container=replace(running.container, state="exited"))  # type: ignore[type-var]
    assert events(running) == (Event.BOOTING,)
    assert events(replace(running, healthy=True)) == (Event.BOOTING, Event.READY)
    assert events(asleep) == (Event.STOPPED,)
    assert described(running)["owner"] == "bob"
    assert described(running)["upstream"] == "unix:aa/ide.sock"
    assert [Find(id="aa", homes=(home("aa"),)).source, Find(id="aa").source] == [
        "the labels of its home",
        "Pulumi's state",
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (None, False),
        (Published(id="aa", owner="", phase=Phase.PENDING, sync=Sync.OUT_OF_SYNC), False),
        (Published(id="aa", owner="", phase=Phase.WARM, sync=Sync.OUT_OF_SYNC), True),
        (
            Published(id="aa", owner="", phase=Phase.PENDING, sync=Sync.SYNCED, applied_hash="h"),
            True,
        ),
    ],
)
def test_rows_that_know_more_are_left_alone(row: Published | None, told: bool) -> None:
    assert is_told(row) is told
