"""Deletions that one review could only call held, and the next one has to tell."""

import pytest

from stacks.review.model import Action, Severity
from tests.stacks.review.fleets import compared, text

PLAIN = text()
CLAIMING = text(formerly="old", state="cold")


@pytest.mark.parametrize("head", [{"aa": PLAIN}, {"aa": text(formerly="other-one")}, {}])
def test_a_deletion_that_a_wrong_file_held_back_is_told_when_that_lets_go(
    head: dict[str, str],
) -> None:
    base = {"aa": CLAIMING, "bb": PLAIN}
    found = {each.id: each for each in compared(base, head | {"bb": PLAIN}).workspaces}
    assert (found["old"].action, found["old"].severity) == (Action.DELETE, Severity.REMOVES)
    assert found["old"].destructive
    assert "aa" in found["old"].reason
    assert compared(base, {"aa": CLAIMING, "bb": text(image="two")}).workspaces[0].id == "bb"


@pytest.mark.parametrize(
    "head",
    [
        {"aa": text(formerly="old")},
        {"aa": text(image="x", formerly="old", state="cold")},
        {"cc": text(formerly="old")},
    ],
)
def test_what_a_file_still_claims_is_not_removed(head: dict[str, str]) -> None:
    found = compared({"aa": CLAIMING, "bb": PLAIN}, head | {"bb": PLAIN})
    assert "old" not in {each.id for each in found.workspaces}


def test_removals_that_no_right_file_held_back_begin_with_the_first() -> None:
    wrong = {"aa": "owner: alice\n"}

    def told(base: dict[str, str], head: dict[str, str]) -> bool:
        return any("removals held so far begin now" in note for note in compared(base, head).notes)

    assert told(wrong, {"aa": PLAIN})
    # Nobody sees of an empty folder whether it is a new one.
    assert told({}, {"aa": PLAIN})
    assert not told(wrong, {"aa": ""})
    assert not told(wrong | {"bb": PLAIN}, {"aa": PLAIN, "bb": PLAIN})
