"""Who merges may approve by a trailer; the pull request's own people can't."""

import pytest

from stacks.pulls.trailers import EVERY, approved

TITLE = "Merge pull request #7 from alice/clean\n\nClean up\n\n"


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("Codehub-Approve: one", {"one"}),
        ("codehub-approve:one, two ,\n", {"one", "two"}),
        ("Codehub-Approve: one\r\nReviewed-by: x\r\nCodehub-Approve: two", {"one", "two"}),
        ("Codehub-Approve: all", EVERY),
        ("Codehub-Approve: one, ALL".lower(), EVERY),
        ("Codehub-Approve:", set()),
        ("Codehub-Approve: ../x; rm", set()),
        ("I say Codehub-Approve: all", set()),
        ("Codehub-Approve: all\n\nand then other words", set()),
        ("", set()),
    ],
)
def test_the_last_paragraph_names_workspaces(end: str, expected: set[str]) -> None:
    assert approved(TITLE + end, theirs="Clean up") == expected


@pytest.mark.parametrize("theirs", ["Codehub-Approve: all", "x\nCODEHUB-APPROVE: one\n"])
def test_words_that_the_forge_proposes_from_others_count_for_nothing(theirs: str) -> None:
    assert approved(f"{TITLE}Codehub-Approve: all", theirs=theirs) == frozenset()


def test_no_more_are_read_than_one_would_name() -> None:
    names = ", ".join(f"w{number}" for number in range(400))
    assert len(approved(f"{TITLE}Codehub-Approve: {names}", theirs="")) == 50
