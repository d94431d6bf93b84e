"""What is said of a home that is not there, by what is found on the engine in its place."""

import pytest

from stacks.engine.model import Leftover
from stacks.errors import (
    EngineUnavailableError,
    HomeMissingError,
    OtherTreeError,
    ProgramError,
    StacksError,
)
from stacks.missing import explained
from stacks.power import Container
from stacks.programs.inputs import LABEL_HOME, LABEL_PREFIX, LABEL_TREE, LABEL_WORKSPACE
from tests.stacks.fakes import FakePower

VOLUME = "x-w-home-1"
MISSING = HomeMissingError.of("w", VOLUME, "it is not there", step="here")


def volume(
    name: str = VOLUME, labels: dict[str, str] | None = None, *, ours: bool = True
) -> Leftover:
    """A labelled home, with labels of the workspace `w` unless told otherwise."""
    told = {LABEL_WORKSPACE: "w", LABEL_HOME: "1", LABEL_PREFIX: "x-"} | (labels or {})
    return Leftover(kind="volume", id=name, name=name, labels=told, ours=ours)


async def told(*things: Leftover, error: StacksError = MISSING) -> StacksError:
    return await explained(error, FakePower(things=things))


@pytest.mark.parametrize(
    "things",
    [
        (),
        (volume(),),
        (volume("x-w-home-2", {LABEL_HOME: "2"}),),
        (volume("y-w-home-1", {LABEL_PREFIX: "y-"}, ours=False),),
        (volume("y-v-home-1", {LABEL_PREFIX: "y-", LABEL_WORKSPACE: "v"}),),
        (Leftover(kind="container", id="c", name="y-w", labels={LABEL_WORKSPACE: "w"}),),
    ],
    ids=["nothing", "back", "another number", "another tree's", "another's", "a container"],
)
async def test_where_there_is_no_more_to_say_the_error_stays(things: tuple[Leftover, ...]) -> None:
    assert await told(*things) is MISSING


@pytest.mark.parametrize(
    "error", [ProgramError("a bug"), HomeMissingError("Pulumi says: resource 'x' does not exist")]
)
async def test_what_names_no_volume_is_not_looked_into(error: StacksError) -> None:
    power = FakePower()
    assert await explained(error, power) is error
    assert power.calls == []


async def test_an_engine_that_does_not_answer_hides_nothing() -> None:
    power = FakePower(failures={"named": [EngineUnavailableError("gone")]})
    assert await explained(MISSING, power) is MISSING


async def test_another_trees_home_of_that_name_is_not_missing() -> None:
    error = await told(volume(labels={LABEL_TREE: "lost"}, ours=False))
    assert isinstance(error, OtherTreeError)
    assert f"the volume {VOLUME} is that of another data tree, lost" in error.message
    assert "append the line lost to /data/tree," in error.remedy


async def test_a_home_under_another_prefix_names_that() -> None:
    error = await told(volume("y-w-home-3", {LABEL_PREFIX: "y-"}))
    assert isinstance(error, HomeMissingError)
    assert (error.workspace, error.volume, error.step) == ("w", VOLUME, "here")
    assert error.message == (
        "it is not there; this data tree made y-w-home-3 for it, under another name prefix"
    )
    assert error.remedy == "Set CODEHUB_NAME_PREFIX back to y- and try again."


@pytest.mark.parametrize(
    "labels", [{}, {LABEL_WORKSPACE: "v", LABEL_HOME: "1", LABEL_PREFIX: "x-"}]
)
@pytest.mark.parametrize("held", [True, False])
async def test_what_only_has_the_name_is_to_be_removed_first(
    labels: dict[str, str], held: bool
) -> None:
    holder = Container(
        id="c", name="x-w", workspace="w", state="created", image="i", home=VOLUME if held else ""
    )
    there = Leftover(kind="volume", id=VOLUME, name=VOLUME, labels=labels)
    error = await explained(MISSING, FakePower(things=(there,), containers={"w": holder}))
    assert isinstance(error, HomeMissingError)
    by = ", mounted by the container x-w (created)" if held else ""
    assert error.message == f"it is not there; a volume without a home's labels has that name{by}"
    assert (
        f"remove it: {'docker rm x-w; ' if held else ''}docker volume rm {VOLUME}." in error.remedy
    )
    assert error.remedy.endswith(MISSING.default_remedy)
