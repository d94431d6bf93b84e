"""A held commit's status is set once, and taken back when nothing is held; also after a restart."""

from dataclasses import replace

from stacks.pulls.reporting import Reports
from state_index.reviews import Held
from tests.stacks.pulls.conftest import Room

FIRST, SECOND = "a" * 40, "b" * 40
HELD = Held(workspace_id="one", base="0" * 40, commit=FIRST, hash="sha256:1", message="why")
NOTHING = ("codehub/review", "success", "nothing of it is held back")


async def tell(room: Room) -> None:
    """Have a runner that was just started tell what is held."""
    forge = room.forge.connect()
    try:
        await Reports(room.board).tell(forge)
    finally:
        await forge.close()


async def test_a_restart_forgets_no_status(room: Room) -> None:
    room.index.reviews.hold([HELD, replace(HELD, workspace_id="two", passing=True)])
    for _ in range(2):
        await tell(room)
    assert room.forge.statuses[FIRST] == [("codehub/review", "failure", "one: why")]
    room.index.reviews.hold([])
    for _ in range(2):
        await tell(room)
    assert room.forge.statuses[FIRST][1:] == [NOTHING]


async def test_what_a_later_commit_is_held_for_is_not_over(room: Room) -> None:
    room.index.reviews.hold([HELD])
    await tell(room)
    room.index.reviews.hold([replace(HELD, commit=SECOND)])
    await tell(room)
    assert [len(room.forge.statuses[commit]) for commit in (FIRST, SECOND)] == [1, 1]
    room.index.reviews.hold([])
    await tell(room)
    assert [room.forge.statuses[commit][-1] for commit in (FIRST, SECOND)] == [NOTHING, NOTHING]


async def test_what_waits_for_the_forge_only_is_not_told(room: Room) -> None:
    room.index.reviews.hold([replace(HELD, passing=True)])
    await tell(room)
    assert room.forge.statuses == {}
