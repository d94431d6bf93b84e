"""Rules of base hold for what a branch changes; those of the branch never do."""

from datetime import date
from pathlib import Path

import pytest

from spec.rule_files import read_rules
from stacks.review import commits
from stacks.review.compare import review
from stacks.review.model import Level, Review
from stacks.review.ruled import UNREADABLE, rules_of
from tests.stacks.git.repository import Repository
from tests.stacks.review.fleets import compared, text

TODAY = date(2026, 11, 22)
OWNERS = b"people:\n  alice: {quota: {cpu: 4}}\n  bob: {}\nadmins: [bob]\n"
POLICIES = b"rules:\n  image-allowed: {images: [codehub/*]}\n"
PLAIN = text()
PATH = "workspaces.d"


def ruled(
    base: dict[str, str],
    head: dict[str, str],
    owners: bytes | None = OWNERS,
    policies: bytes | None = None,
) -> list[tuple[str, str, Level]]:
    files = read_rules(owners, policies, folder=PATH)
    found = compared(base, head, rules=rules_of(files, today=TODAY))
    return [(each.rule, each.workspace, each.level) for each in found.rules]


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ({"aa": PLAIN}, []),
        ({"aa": PLAIN, "bb": PLAIN}, []),
        ({"aa": PLAIN, "bb": PLAIN, "cc": PLAIN}, [("quota-owner", "cc", Level.MANDATORY)]),
        ({"aa": PLAIN, "bb": text("carol")}, [("owner-listed", "bb", Level.MANDATORY)]),
    ],
)
def test_plan_rules_hold_for_what_changes(
    head: dict[str, str], found: list[tuple[str, str, Level]]
) -> None:
    assert ruled({"aa": PLAIN}, head) == found


def test_images_are_held_against_the_list_and_containers_against_the_pack() -> None:
    base = {"aa": text(image="other"), "bb": PLAIN}
    head = {"aa": text(image="other"), "bb": text(image="third")}
    assert ruled(base, head, policies=POLICIES) == [("image-allowed", "bb", Level.MANDATORY)]
    assert ruled(base, base, policies=POLICIES) == []


def test_what_stands_is_not_told_again() -> None:
    base = {"aa": text("carol")}
    assert ruled(base, base) == []
    assert ruled(base, {**base, "bb": PLAIN}) == []


def test_rules_that_can_not_be_read_let_nothing_change() -> None:
    broken = b"people: 3\n"
    base = {"aa": PLAIN}
    assert ruled(base, {"aa": text(image="codehub/two")}, owners=broken) == [
        (UNREADABLE, "", Level.MANDATORY)
    ]
    assert ruled(base, base, owners=broken) == []


def test_rules_of_the_branch_do_not_hold(tmp_path: Path) -> None:
    """Alone proves that a branch can't allow itself anything."""
    repository = Repository(tmp_path / "repository")
    repository.commit({f"{PATH}/aa.yaml": PLAIN.encode(), f"{PATH}/_owners.yaml": OWNERS})
    repository.call("checkout", "-q", "-b", "pr")
    free = OWNERS.replace(b"cpu: 4", b"cpu: 64") + b"# " + b"x" * 300_000
    many = {f"{PATH}/w{n}.yaml": PLAIN.encode() for n in range(3)}
    repository.commit({**many, f"{PATH}/_owners.yaml": free})
    assert [each.rule for each in reviewed(repository, "main").rules] == ["quota-owner"] * 2
    # Once it is base, it is too long to be read, and nothing may change.
    repository.commit({f"{PATH}/w3.yaml": PLAIN.encode()})
    assert [each.rule for each in reviewed(repository, "pr~").rules] == [UNREADABLE]


def reviewed(repository: Repository, base: str) -> Review:
    sides = commits.read(repository.git, base=base, head="pr", path=PATH)
    rules = rules_of(sides.rules, today=TODAY)
    return review(sides.base, sides.head, rules=rules, notes=sides.notes)
