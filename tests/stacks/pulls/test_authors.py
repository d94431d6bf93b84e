"""A pull request that the runner opened for an edit is judged as wanted by who asked for the edit."""

import asyncio
from typing import Any

import pytest

from state_index.edits import Edit, Edits
from tests.stacks.pulls.conftest import Room, file
from tests.stacks.pulls.forge_api import US
from tests.waiting import until

CHANGED: dict[str, bytes | None] = {"ws/one.yaml": file(env="{A: b}")}


def asked(room: Room, *, actor: str = "alice") -> Edit:
    """Ask for an edit, and have the runner take it."""
    made = room.index.edits.ask("one", "change", actor=actor, base="", text="x")
    assert [edit.id for edit in room.index.edits.take()] == [made.id]
    return made


def opened(room: Room, edit: Edit, number: int = 7) -> dict[str, Any]:
    """Open its pull request as the runner does; what the forge says of it."""
    room.pull(number, CHANGED, author=US, branch=f"codehub/edit-{edit.id}")
    return room.forge.pulls[number]


def ended(room: Room, edit: Edit, pull: dict[str, Any]) -> None:
    room.index.edits.finish(edit.id, commit=pull["head"]["sha"], url=pull["html_url"])


async def state(room: Room, number: int = 7) -> str:
    await room.reviewed()
    head = room.forge.pulls[number]["head"]["sha"]
    return str(room.forge.statuses[head][-1][1])


@pytest.fixture
async def following(room: Room) -> Room:
    await room.took(await room.bound().read())
    return room


@pytest.mark.parametrize(
    ("actor", "expected"),
    [("alice", "success"), ("eve", "failure"), ("carol", "success"), ("cli:root", "success")],
)
async def test_it_is_whoever_asked(following: Room, actor: str, expected: str) -> None:
    edit = asked(following, actor=actor)
    ended(following, edit, opened(following, edit))
    assert await state(following) == expected


async def test_one_that_is_being_ended_is_waited_for(
    following: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit = asked(following)
    pull = opened(following, edit)
    looks: list[str] = []
    get = Edits.get

    def counted(edits: Edits, edit_id: str) -> Edit | None:
        looks.append(edit_id)
        return get(edits, edit_id)

    monkeypatch.setattr(Edits, "get", counted)
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(state(following))
        await until(lambda: len(looks) > 1)
        ended(following, edit, pull)
    assert looking.result() == "success"


async def test_what_was_pushed_to_since_is_nobodys(following: Room) -> None:
    edit = asked(following)
    ended(following, edit, opened(following, edit))
    following.pull(7, {"ws/two.yaml": None}, author=US, branch=f"codehub/edit-{edit.id}")
    assert await state(following) == "failure"


async def test_neither_a_fork_nor_another_ones_branch_is_taken_for_it(following: Room) -> None:
    edit = asked(following)
    pull = opened(following, edit)
    ended(following, edit, pull)
    pull["head"]["repo"]["id"] = 2
    assert await state(following) == "failure"
    following.forge.open(8, pull["head"]["sha"], author="mallory", branch=f"codehub/edit-{edit.id}")
    following.repository.call("update-ref", "refs/pull/8/head", pull["head"]["sha"])
    del following.forge.pulls[7]
    following.forge.statuses.clear()
    assert await state(following, 8) == "failure"


async def test_an_edit_that_nobody_knows_tells_nothing(following: Room) -> None:
    following.pull(7, CHANGED, author=US, branch="codehub/edit-0123")
    assert await state(following) == "failure"
