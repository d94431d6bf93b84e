"""What is held stays held under every name that its home could go on under, and so does a home that is kept."""

import pytest

from stacks.board import Context
from stacks.pulls.binding import Binding
from stacks.pulls.source import BoundSource
from state_index.models import Changes
from state_index.phases import Event
from tests.stacks.pulls.conftest import Room, file
from tests.stacks.pulls.test_binding import GONE, approve, follows, look

EVIL = file(image="codehub/evil").replace(b"image: codehub/light\n", b"")
RENAMED: dict[str, bytes | None] = {**GONE, "ws/deux.yaml": file(formerly="two")}


async def stands(room: Room, source: BoundSource, *names: str) -> None:
    """Publish workspaces as the files of the newest commit say."""
    snapshot = await source.glance()
    for name in names:
        told = Changes(spec_json=snapshot.specs[name].model_dump_json(), owner="alice")
        await room.board.say(name, Context(cause="test"), changes=told)


@pytest.mark.parametrize(
    ("then", "held"),
    [
        ({"ws/deux.yaml": None}, {"two"}),
        ({"ws/deux.yaml": None, "ws/two.yaml": EVIL}, {"two"}),
        ({"ws/deux.yaml": None, "ws/zwei.yaml": EVIL + b"formerly: two\n"}, {"zwei"}),
    ],
)
async def test_one_that_is_renamed_first(
    room: Room, then: dict[str, bytes | None], held: set[str]
) -> None:
    source = await follows(room)
    room.repository.commit(RENAMED)
    assert (await look(room, source)).holds.keys() == {"deux"}
    room.repository.commit(then)
    assert (await look(room, source)).holds.keys() == held
    assert (await look(room, room.bound())).holds.keys() == held
    made = [name for name, text in then.items() if text is not None]
    room.repository.commit({**dict.fromkeys(made), "ws/two.yaml": file()})
    assert (await look(room, source)).holds == {}


async def test_one_that_is_taken_by_another_first(room: Room) -> None:
    source = await follows(room)
    room.repository.commit({**GONE, "ws/three.yaml": file(formerly="two")})
    assert (await look(room, source)).holds.keys() == {"three"}
    room.repository.commit({"ws/three.yaml": file()})
    assert (await look(room, source)).holds.keys() == {"two"}
    approve(room)
    assert (await look(room, source)).holds == {}


async def test_one_that_is_younger_than_what_took_it(room: Room) -> None:
    source = await follows(room)
    await stands(room, source, "one", "two", "three")
    room.repository.commit({"ws/one.yaml": EVIL})
    assert (await look(room, source)).holds.keys() == {"one"}
    room.repository.commit({"ws/young.yaml": file()})
    await look(room, source)
    await stands(room, source, "young")
    room.repository.commit({"ws/young.yaml": None, "ws/one.yaml": file(formerly="young")})
    assert (await look(room, source)).holds.keys() == {"one"}
    room.repository.commit({"ws/one.yaml": file()})
    for bound in (source, source, room.bound()):
        snapshot = await look(room, bound)
        assert snapshot.holds.keys() == {"young"}
        assert "it goes with what is held back" in snapshot.holds["young"].message
    approve(room)
    assert (await look(room, source)).holds == {}


async def removed(room: Room, source: BoundSource) -> None:
    """Remove a workspace by a review, and have it done: its home is kept."""
    await stands(room, source, "two")
    room.pull(7, GONE)
    await room.reviewed()
    room.merge(7)
    assert (await look(room, source)).holds == {}
    for event in (Event.DELETE, Event.REMOVED):
        await room.board.say("two", Context(cause="test"), event)


async def test_what_is_made_over_a_home_that_is_kept(room: Room) -> None:
    source = await follows(room)
    await removed(room, source)
    room.repository.commit({"ws/two.yaml": EVIL})
    assert (await look(room, source)).holds.keys() == {"two"}
    room.repository.commit({"ws/two.yaml": file()})
    assert (await look(room, source)).holds == {}, "as it was"


async def test_what_is_made_over_a_home_by_a_review_goes_on(room: Room) -> None:
    source = await follows(room)
    await removed(room, source)
    room.pull(8, {"ws/two.yaml": EVIL})
    await room.reviewed()
    room.merge(8)
    assert (await look(room, source)).holds == {}


async def test_the_first_commit_is_kept_before_anything_is_held(room: Room) -> None:
    first = await (source := room.bound()).read()
    await room.took(first)
    with_nothing = dict.fromkeys(f"ws/{name}.yaml" for name in ("one", "two", "three"))
    room.repository.commit(with_nothing)
    await look(room, source)
    room.repository.commit({"ws/one.yaml": file(), "ws/three.yaml": file()})
    assert (await look(room, source)).holds.keys() == {"two"}


async def test_another_spelling_of_the_address_releases_nothing(room: Room) -> None:
    source = await follows(room)
    await stands(room, source, "one", "two", "three")
    room.repository.commit({"ws/two.yaml": EVIL})
    assert (await look(room, source)).holds.keys() == {"two"}
    other = room.bound()
    inner: Binding = other.binding
    inner._words = inner._words.replace("team/", "team/./")
    assert (await look(room, other)).holds.keys() == {"two"}
