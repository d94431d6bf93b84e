"""Rules of base hold for what a branch changes; those of the branch never do."""

from datetime import date
from pathlib import Path

import pytest

from spec.rule_files import read_rules
from stacks.review import commits
from stacks.review.compare import review
from stacks.review.model import Level, Review
from stacks.review.ruled import UNREADABLE, person, rules_of
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


@pytest.mark.parametrize(
    ("author", "head", "changed", "told"),
    [
        ("github:eve", {"aa": PLAIN}, ("_owners.yaml",), True),
        ("github:eve", {"aa": text("bob")}, (), True),
        ("github:eve", {"aa": PLAIN, "bb": "owner: bob\n"}, (), True),
        ("github:eve", {"aa": PLAIN}, (), False),
        ("", {"aa": text("bob")}, ("_owners.yaml",), False),
    ],
)
def test_that_nobody_knows_who_may_edit_is_told(
    author: str, head: dict[str, str], changed: tuple[str, ...], told: bool
) -> None:
    files = read_rules(b"people: 3\n", None)
    rules = rules_of(files, today=TODAY, author=person(files, author), changed_rules=changed)
    advice = [
        each
        for each in compared({"aa": PLAIN}, head, rules=rules).rules
        if each.level is Level.ADVISORY
    ]
    assert ["who may change these files" in each.message for each in advice] == [True] * told


PEOPLE = b"people:\n  alice: {logins: {github: Alice-1}}\n  bob: {}\n  root: {}\nadmins: [root]\n"
BASE = {"aa": PLAIN, "bb": text("bob"), "cc": text("bob") + "state: x\n"}


def edited(author: str, head: dict[str, str], changed: tuple[str, ...] = ()) -> list[str]:
    files = read_rules(PEOPLE, None)
    rules = rules_of(files, today=TODAY, author=person(files, author), changed_rules=changed)
    found = compared(BASE, head, rules=rules).rules
    assert {each.level for each in found} <= {Level.MANDATORY}
    return [f"{each.rule} {each.workspace}" for each in found]


@pytest.mark.parametrize(
    ("author", "head", "found"),
    [
        ("", BASE | {"bb": PLAIN}, []),
        ("github:alice-1", BASE | {"aa": text(image="two")}, []),
        ("alice", BASE | {"aa": text(image="two")}, []),
        ("github:alice", BASE | {"aa": text(image="two")}, ["edit-allowed aa"]),
        ("gitlab:alice-1", BASE | {"aa": text(image="two")}, ["edit-allowed aa"]),
        ("gitlab:alice", BASE | {"aa": text(image="two")}, []),
        ("github:alice-1", BASE | {"bb": PLAIN}, ["edit-allowed bb"]),
        ("github:alice-1", BASE | {"aa": text("bob")}, ["edit-allowed aa"]),
        ("github:alice-1", {"aa": PLAIN}, ["edit-allowed bb", "edit-allowed cc"]),
        ("github:alice-1", BASE | {"dd": "owner: bob\n"}, ["edit-allowed dd"]),
        ("github:alice-1", BASE | {"dd": ""}, ["edit-allowed dd"]),
        ("github:root", {"aa": text("bob"), "dd": PLAIN}, []),
    ],
)
def test_who_may_edit_what_is_judged_by_base(
    author: str, head: dict[str, str], found: list[str]
) -> None:
    assert edited(author, head) == found


def test_rules_are_for_admins_to_edit() -> None:
    assert edited("alice", BASE, ("_owners.yaml",)) == ["rules-by-admins _owners.yaml"]
    assert edited("root", BASE, ("_owners.yaml",)) == []
    assert person(read_rules(None, None), "github:alice") == "github:alice"


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
