"""The change set's hash, and what counts as more destructive than was reviewed."""

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks.review import changeset
from stacks.review.changeset import ChangeSet, worse
from stacks.review.model import Severity
from tests.stacks.review.fleets import FOLDERS, compared, text

PLAIN = text()
BASE = {"aa": PLAIN, "bb": PLAIN, "old": PLAIN}
SETS = {
    "nothing": BASE,
    "update": BASE | {"aa": text(resources="{memory: 8Gi}")},
    "stop": BASE | {"aa": text(state="warm")},
    "replace": BASE | {"aa": text(image="two")},
    "owner": BASE | {"aa": text("bob")},
    "other-owner": BASE | {"aa": text("carol")},
    "delete": {"bb": PLAIN, "old": PLAIN},
    "held": {},
    "rename": {"aa": PLAIN, "bb": PLAIN, "cc": text(formerly="old")},
    "create": BASE | {"cc": PLAIN},
    "adopt": BASE | {"cc": text(formerly="gone")},
    "adopt-other": BASE | {"cc": text(formerly="else")},
    "home": BASE | {"aa": text("bob", formerly="gone")},
    "other-home": BASE | {"aa": text("bob", formerly="else")},
}


def of(name: str) -> ChangeSet:
    return changeset.of(compared(BASE, SETS[name]))


@settings(max_examples=30)
@given(FOLDERS, FOLDERS, st.randoms())
def test_the_hash_knows_no_order(
    base: dict[str, str], head: dict[str, str], random: Random
) -> None:
    def shuffled(files: dict[str, str]) -> dict[str, str]:
        names = list(files)
        random.shuffle(names)
        return {name: files[name] for name in names}

    assert compared(base, head).hash == compared(shuffled(base), shuffled(head)).hash


@settings(max_examples=30)
@given(FOLDERS, FOLDERS)
def test_a_change_set_is_no_worse_than_itself_and_survives_json(
    base: dict[str, str], head: dict[str, str]
) -> None:
    made = changeset.of(compared(base, head))
    again = ChangeSet.from_json(json.loads(json.dumps(made.to_json())))
    assert again == made
    assert worse(made, again) == ()


def test_the_hash_is_of_what_happens_and_not_of_how_it_is_written() -> None:
    assert compared(BASE, BASE | {"aa": text(image="two") + "# why\n"}).hash == of("replace").hash
    reordered = BASE | {"aa": "image: two\nowner: alice\n"}
    assert compared(BASE, reordered).hash == of("replace").hash
    assert len({of(name).hash for name in SETS}) == len(SETS)


def test_values_are_part_of_the_hash_also_secret_ones_and_of_new_workspaces() -> None:
    for first, second in (
        (BASE | {"aa": text(env="{MY_TOKEN: one}")}, BASE | {"aa": text(env="{MY_TOKEN: two}")}),
        (BASE | {"cc": PLAIN}, BASE | {"cc": text(image="two")}),
    ):
        assert compared(BASE, first).hash != compared(BASE, second).hash
    kept = changeset.of(compared(BASE, BASE | {"aa": text(env="{MY_TOKEN: canary}")}))
    assert "canary" not in json.dumps(kept.to_json())


def test_the_hash_is_stable_between_versions() -> None:
    """A stored approval must go on to mean the same: change FORMAT when this has to change."""
    assert of("owner").hash == (
        "sha256:e0b87a352288c49496b8dbe5bade229fea6cd9581d4ff2b61b74fb8488e9e0a6"
    )


@pytest.mark.parametrize(
    ("reviewed", "now", "found"),
    [
        ("nothing", "create", []),
        ("nothing", "update", []),
        ("nothing", "stop", ["aa"]),
        ("update", "stop", ["aa"]),
        ("stop", "update", []),
        ("update", "replace", ["aa"]),
        ("replace", "update", []),
        ("replace", "owner", ["aa"]),
        ("owner", "other-owner", ["aa"]),
        ("owner", "replace", []),
        ("replace", "delete", ["aa"]),
        ("delete", "delete", []),
        ("held", "delete", ["aa"]),
        ("delete", "held", []),
        ("nothing", "rename", ["cc"]),
        ("rename", "nothing", []),
        ("create", "adopt", ["cc"]),
        ("nothing", "adopt", ["cc"]),
        ("adopt", "adopt-other", ["cc"]),
        ("adopt", "create", []),
        ("home", "other-home", ["aa"]),
        ("owner", "home", ["aa"]),
    ],
)
def test_more_destructive_than_reviewed(reviewed: str, now: str, found: list[str]) -> None:
    assert [each.id for each in worse(of(reviewed), of(now))] == found


def test_what_became_worse_is_told_worst_first() -> None:
    now = changeset.of(compared(BASE, {"bb": text(image="two"), "old": PLAIN}))
    first, second = worse(of("nothing"), now)
    assert (first.id, first.reviewed, first.now) == ("aa", Severity.NONE, Severity.REMOVES)
    assert (second.id, second.message) == ("bb", "replace: it was not part of what was reviewed")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"format": 2, "hash": "x", "workspaces": {}},
        {"format": 1, "hash": "x", "workspaces": {"aa": {"action": "x", "severity": "unknown"}}},
        {"format": 1, "hash": "x", "workspaces": {"aa": {"other": 1, "severity": "none"}}},
        {"format": 1, "hash": "x", "workspaces": []},
    ],
)
def test_what_is_no_change_set_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="change set"):
        ChangeSet.from_json(data)
