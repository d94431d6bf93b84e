"""Which home is mounted, never an empty one under an old id; and how one is removed."""

# ruff: noqa: ARG002 - what is told does not depend on the question

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks import homes
from stacks.engine.model import Leftover
from stacks.errors import (
    EngineUnavailableError,
    HomeKeptError,
    HomeMissingError,
    StacksError,
)
from stacks.grounds import Grounds
from stacks.homes import Proof
from stacks.power import HomeVolume
from stacks.programs.inputs import (
    LABEL_HOME,
    HomeInputs,
)
from stacks.source import Snapshot
from state_index.phases import Phase
from tests.stacks.test_grounds import BY_HAND, GOOD, VOLUME
from tests.waiting import until


def volume(number: int, owner: str = "alice") -> HomeVolume:
    return HomeVolume(workspace="w", number=number, name=f"x-w-home-{number}", owner=owner)


proofs = st.lists(
    st.builds(
        Proof,
        source=st.sampled_from(["index", "snapshots"]),
        had_home=st.booleans(),
        number=st.none() | st.integers(1, 4),
    )
)
volumes = st.lists(st.integers(1, 4), unique=True).map(lambda ns: [volume(n) for n in ns])


def test_the_very_first_home_is_made() -> None:
    nothing = [Proof(source="index", had_home=False)]
    decided = homes.decide("w", owner="alice", volumes=[], proofs=nothing)
    assert decided == HomeInputs(number=1, owner="alice", exists=False)


def test_the_newest_volume_is_used_with_its_own_owner() -> None:
    found = [volume(2, "bob"), volume(1)]
    decided = homes.decide("w", owner="alice", volumes=found, proofs=[])
    assert decided == HomeInputs(number=2, owner="bob", exists=True)


def test_a_known_home_that_is_gone_is_missing_not_made() -> None:
    known = [Proof(source="index", had_home=True, number=2)]
    with pytest.raises(HomeMissingError) as caught:
        homes.decide("w", owner="alice", volumes=[volume(1)], proofs=known, name_prefix="x-")
    assert caught.value.message == (
        "home 2 of w, the volume x-w-home-2, is not on this engine (known from: index)"
    )
    assert (caught.value.workspace, caught.value.volume) == ("w", "x-w-home-2")
    assert caught.value.step == "home"


@given(found=volumes, known=proofs)
def test_no_empty_home_is_made_when_anything_says_there_was_one(
    found: list[HomeVolume], known: list[Proof]
) -> None:
    earlier = bool(found) or any(proof.had_home for proof in known)
    try:
        decided = homes.decide("w", owner="alice", volumes=found, proofs=known)
    except HomeMissingError:
        assert any(proof.had_home for proof in known)
        return
    assert decided.exists == earlier
    assert not decided.exists or decided.number in {volume.number for volume in found}


@dataclass
class Hands:
    """What is seen of one workspace, and what was done; removing takes until it is let go on."""

    found: Grounds
    turn: asyncio.Lock
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    did: list[str] = field(default_factory=list)
    refuses: StacksError | None = None

    async def grounds(self, workspace_id: str) -> Grounds:
        return self.found

    async def begin(self, workspace_id: str) -> None:
        assert self.found.row is not None
        self.found = replace(self.found, row=replace(self.found.row, phase=Phase.DELETING))

    async def forget(self, workspace_id: str) -> None:
        self.did.append("forgotten")

    async def removing(self, workspace_id: str, volume: Leftover, *, engine: str) -> bool:
        self.did.append("marked")
        return True

    async def remove_volume(self, volume: Leftover) -> None:
        await self.let_go.wait()
        if self.refuses:
            raise self.refuses
        self.did.append("removed")

    async def refused(self, volume: Leftover) -> None:
        self.did.append("whole")

    async def removed(self, workspace_id: str, volume: Leftover) -> None:
        self.did.append("told")


async def test_a_home_whose_file_came_back_while_another_went_is_kept() -> None:
    turn = asyncio.Lock()
    first, second = Hands(GOOD, turn), Hands(GOOD, turn)
    async with asyncio.TaskGroup() as group:
        group.create_task(homes.remove("w", by_name=False, hands=first))
        waiting = group.create_task(refused("w", second))
        await until(lambda: first.did == ["forgotten", "marked"] and second.did == ["forgotten"])
        second.found = replace(second.found, snapshot=Snapshot(invalid={"w": ()}))
        first.let_go.set()
        assert "its file is there" in await waiting
    assert first.did == ["forgotten", "marked", "removed", "told"]
    assert second.did == ["forgotten"], "neither marked nor removed"


async def test_what_the_engine_would_not_remove_is_whole() -> None:
    hands = Hands(GOOD, asyncio.Lock(), refuses=HomeKeptError("in use"))
    hands.let_go.set()
    assert await refused("w", hands) == "in use"
    assert hands.did == ["forgotten", "marked", "whole"]


@pytest.mark.parametrize("untouched", [True, False])
async def test_what_the_engine_was_not_told_of_is_whole(untouched: bool) -> None:
    """Else a home that nobody touched would be held for half empty."""
    error = EngineUnavailableError("it does not answer")
    error.untouched = untouched
    hands = Hands(GOOD, asyncio.Lock(), refuses=error)
    hands.let_go.set()
    with pytest.raises(EngineUnavailableError):
        await homes.remove("w", by_name=False, hands=hands)
    assert hands.did == ["forgotten", "marked", *["whole"] * untouched]


class Returning(Hands):
    """Its file is back once one volume went."""

    async def removed(self, workspace_id: str, volume: Leftover) -> None:
        await super().removed(workspace_id, volume)
        self.found = replace(self.found, snapshot=Snapshot(invalid={"w": ()}))


async def test_whether_another_home_went_before_is_told() -> None:
    labels = {**VOLUME.labels, LABEL_HOME: "2"}
    second = replace(VOLUME, id="x-w-home-2", name="x-w-home-2", labels=labels)
    hands = Returning(replace(GOOD, volumes=(VOLUME, second)), asyncio.Lock())
    hands.let_go.set()
    with pytest.raises(HomeKeptError, match="its file is there") as kept:
        await homes.remove("w", by_name=False, hands=hands)
    assert kept.value.partly
    again = Hands(replace(GOOD, holders=(BY_HAND,)), asyncio.Lock())
    with pytest.raises(HomeKeptError) as kept:
        await homes.remove("w", by_name=False, hands=again)
    assert not kept.value.partly


async def refused(workspace: str, hands: Hands) -> str:
    with pytest.raises(HomeKeptError) as kept:
        await homes.remove(workspace, by_name=False, hands=hands)
    return kept.value.message
