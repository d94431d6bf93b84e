"""Which home is mounted: over every mix of volumes and proofs, never an empty one under an old id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks import homes
from stacks.errors import HomeMissingError
from stacks.homes import Proof
from stacks.power import HomeVolume
from stacks.programs.inputs import HomeInputs


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
