"""What no commit may remove whose history does not say it: what the engine has counts as the index does."""

from stacks.board import Context
from stacks.errors import EngineUnavailableError
from stacks.git.commits import Commits
from stacks.power import Container, HomeVolume
from stacks.programs.inputs import LABEL_FORMERLY
from stacks.source import Snapshot
from state_index.phases import Event
from state_index.repository import Followed
from tests.stacks.git.desk import Desk
from tests.stacks.git.repository import WORKSPACE

REMOVED = (Event.PROVISION, Event.READY, Event.DELETE, Event.REMOVED)


def container(id_: str, **labels: str) -> Container:
    return Container(id=id_, name=id_, workspace=id_, state="running", image="light", labels=labels)


async def test_a_lost_index_makes_no_first_commit_right_that_lacks_what_the_engine_has(
    desk: Desk,
) -> None:
    home = HomeVolume(workspace="other", number=1, name="other-home-1", owner="alice")
    desk.power.containers = {"one": container("one"), "more": container("more")}
    desk.power.volumes = {"other": (home,)}
    source = desk.source()
    found = await source.read()
    assert (found.complete, set(found.specs)) == (False, {"one", "two"})
    assert "is the first one seen, and lacks 2 workspaces that" in found.error
    await desk.applied(found)
    assert desk.index.repository.followed().base == "", "it is no ground for the next one"
    desk.repository.commit({"ws/three.yaml": WORKSPACE})
    assert not (await source.read()).complete
    await source.allow()
    assert (await source.read()).complete


async def test_what_the_engine_has_is_no_matter_where_it_is_in_the_files_or_was_removed(
    desk: Desk,
) -> None:
    desk.power.containers = {"two": container("two", **{LABEL_FORMERLY: "former"})}
    desk.power.volumes = {
        id_: (HomeVolume(workspace=id_, number=1, name=f"{id_}-home-1", owner="alice"),)
        for id_ in ("two", "former", "removed")
    }
    await desk.has("removed")
    assert "lacks 1 workspace that" in (await desk.source().read()).error
    await desk.board.say("removed", Context(cause="test"), *REMOVED)
    assert (await desk.source().read()).complete


async def test_an_engine_that_is_away_lets_no_first_commit_remove_anything(desk: Desk) -> None:
    desk.power.failures = {"inventory": [EngineUnavailableError("it does not answer")]}
    source = desk.source()
    found = await source.read()
    assert (found.complete, set(found.specs)) == (False, {"one", "two"})
    assert "is the first one seen, what there is can't be seen" in found.error
    found = await source.glance()
    assert (found.complete, found.error) == (True, "")
    assert desk.index.repository.followed().error == ""


async def test_a_folder_in_between_makes_the_branch_one_that_is_seen_for_the_first_time(
    desk: Desk,
) -> None:
    await desk.applied(await desk.source().read())
    assert desk.index.repository.followed().base
    folder = Commits(desk.board, prunes=False, follows=False)
    await folder.begun(Snapshot())
    await desk.has("one", "two", "made-by-the-folder")
    assert desk.index.repository.followed() == Followed()
    await folder.begun(Snapshot())  # asks no more
    found = await desk.source().read()
    assert not found.complete
    assert "is the first one seen, and lacks 1 workspace that" in found.error
    await desk.applied(found)
    assert desk.index.repository.followed().base == ""
