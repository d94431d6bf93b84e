"""What a review says of each kind of change; pure, from texts as they stand in files."""

import pytest
from hypothesis import given, settings

from stacks.review import properties
from stacks.review.compare import review
from stacks.review.golden import Effect
from stacks.review.model import (
    Action,
    Asked,
    Fleet,
    Level,
    RuleResult,
    Severity,
    Total,
)
from tests.stacks.review.fleets import FOLDERS, compared, of, one, text

PLAIN = text()


@settings(max_examples=30)
@given(FOLDERS)
def test_nothing_differs_from_itself(files: dict[str, str]) -> None:
    found = compared(files, files)
    assert (found.workspaces, found.totals, found.rules) == ((), (), ())
    assert found.unchanged == len(files)


@settings(max_examples=30)
@given(FOLDERS, FOLDERS)
def test_every_workspace_is_told_once(base: dict[str, str], head: dict[str, str]) -> None:
    found = compared(base, head)
    told = [each.id for each in found.workspaces]
    former = [each.formerly for each in found.workspaces if each.formerly]
    assert len(told) == len(set(told))
    let_go = set(told) - (base.keys() | head.keys())
    assert let_go <= set(of(base).formerly.values())
    assert set(former) <= base.keys() | head.keys()
    assert len(told) - len(let_go) + len(former) + found.unchanged == len(base.keys() | head.keys())
    places = [each.destructive for each in found.workspaces]
    assert places == sorted(places, reverse=True)


def test_a_new_file_makes_a_workspace() -> None:
    found = one({}, {"new-1": PLAIN})
    assert (found.action, found.severity, found.destructive) == (
        Action.CREATE,
        Severity.MAKES,
        False,
    )
    assert "empty home" in found.data
    assert {change.path: change.after for change in found.changes}["owner"] == '"alice"'


@pytest.mark.parametrize(
    ("keys", "path", "effect", "action", "severity"),
    [
        ({"image": "other"}, "image", Effect.REPLACE, Action.REPLACE, Severity.REPLACES),
        ({"env": "{A: b}"}, "env.A", Effect.REPLACE, Action.REPLACE, Severity.REPLACES),
        (
            {"resources": "{cpu: 3}"},
            "resources.cpu",
            Effect.REPLACE,
            Action.REPLACE,
            Severity.REPLACES,
        ),
        (
            {"resources": "{pids: 99}"},
            "resources.pids",
            Effect.REPLACE,
            Action.REPLACE,
            Severity.REPLACES,
        ),
        (
            {"resources": "{memory: 8Gi}"},
            "resources.memory",
            Effect.UPDATE,
            Action.UPDATE,
            Severity.MAKES,
        ),
        ({"state": "warm"}, "state", Effect.NONE, Action.UPDATE, Severity.STOPS),
        ({"state": "running"}, "state", Effect.NONE, Action.UPDATE, Severity.MAKES),
        ({"drift": "report"}, "drift", Effect.NONE, Action.UPDATE, Severity.MAKES),
        ({"owner": "bob"}, "owner", Effect.REPLACE, Action.REPLACE, Severity.HANDS_OVER),
    ],
)
def test_each_key_has_its_effect(
    keys: dict[str, str], path: str, effect: Effect, action: Action, severity: Severity
) -> None:
    found = one({"aa": PLAIN}, {"aa": text(**keys)})
    assert [(change.path, change.effect) for change in found.changes] == [(path, effect)]
    assert (found.action, found.severity) == (action, severity)


def test_every_key_of_a_file_is_compared() -> None:
    """A key that the format gets must not be overlooked here: `key_changes` knows it by itself."""
    other = text(
        "bob", "other", state="warm", drift="report", formerly="old",
        env="{A: b}", resources="{cpu: 1, memory: 1Gi, pids: 99}",
    )  # fmt: skip
    base, head = of({"aa": PLAIN}).specs["aa"], of({"aa": other}).specs["aa"]
    changed = {change.path.partition(".")[0] for change in properties.key_changes(base, head)}
    assert changed == set(type(base).model_fields) - {"id"}
    inner = {change.path for change in properties.key_changes(base, head)}
    assert {f"resources.{name}" for name in type(base.resources).model_fields} <= inner


def test_less_memory_says_what_it_means() -> None:
    found = one({"aa": PLAIN}, {"aa": text(resources="{memory: 1Gi}")})
    assert "more memory is in use" in found.data


def test_keys_have_the_effect_that_they_have_alone() -> None:
    base = {"aa": text(env="{A: b, C: d}")}
    found = one(base, {"aa": text(env="{A: c}", resources="{memory: 8Gi}", state="warm")})
    assert {change.path: (change.kind, change.effect) for change in found.changes} == {
        "env.A": ("update", Effect.REPLACE),
        "env.C": ("delete", Effect.REPLACE),
        "resources.memory": ("update", Effect.UPDATE),
        "state": ("update", Effect.NONE),
    }
    assert found.action is Action.REPLACE


def test_a_comment_changes_nothing() -> None:
    assert compared({"aa": PLAIN}, {"aa": f"# hello\n{PLAIN}"}).workspaces == ()


def test_an_owner_who_loses_a_home_is_told() -> None:
    found = one({"aa": PLAIN}, {"aa": text("bob")})
    assert (found.owner, found.former_owner, found.destructive) == ("bob", "alice", True)
    assert "goes from alice to bob" in found.data


def test_a_file_that_goes_is_a_deletion() -> None:
    (found,) = compared({"aa": PLAIN, "bb": PLAIN}, {"bb": PLAIN}).workspaces
    assert (found.id, found.action, found.owner) == ("aa", Action.DELETE, "alice")
    assert (found.severity, found.held) == (Severity.REMOVES, False)
    assert "home is kept until" in found.data


def test_a_wrong_file_that_goes_is_a_deletion_too() -> None:
    (found,) = compared({"aa": "owner: bob\n", "bb": PLAIN}, {"bb": PLAIN}).workspaces
    assert (found.action, found.owner) == (Action.DELETE, "bob")


@pytest.mark.parametrize("head", [{}, {"bb": "owner: alice\n"}])
def test_a_folder_without_a_valid_file_deletes_nothing(head: dict[str, str]) -> None:
    found = compared({"aa": PLAIN}, head).workspaces
    gone = next(each for each in found if each.id == "aa")
    assert (gone.action, gone.held) == (Action.DELETE, True)
    assert "nothing is deleted while" in gone.data


def test_folders_that_are_not_there_are_told() -> None:
    there = of({"aa": PLAIN})
    first = review(Fleet(absent="no folder"), there)
    assert [each.action for each in first.workspaces] == [Action.CREATE]
    assert "base has no folder" in first.notes[0]
    gone = review(there, Fleet(absent="no folder"))
    assert [each.held for each in gone.workspaces] == [True]
    assert "head has no folder" in gone.notes[0]


def test_more_deletions_than_an_hour_allows_are_told() -> None:
    base = {f"w{n}": PLAIN for n in range(10)}
    head = {id_: base[id_] for id_ in ("w0", "w1", "w2", "w3", "w4", "w5")}
    assert compared(base, head).notes == (
        "4 workspaces go; no more than 3 are deleted in an hour unless allowed",
    )
    assert compared(base, head | {"w6": PLAIN}).notes == ()


def test_a_rename_is_one_change() -> None:
    found = one({"old": PLAIN}, {"aa": text(formerly="old")})
    assert (found.id, found.formerly, found.action) == ("aa", "old", Action.RENAME)
    assert (found.severity, found.destructive) == (Severity.HANDS_OVER, True)
    assert "the container of old goes" in found.data
    handed = one({"old": PLAIN}, {"aa": text("bob", formerly="old")})
    assert handed.former_owner == "alice"
    assert "from alice to bob" in handed.data


def test_a_rename_of_a_file_that_base_changed_too_is_told() -> None:
    (found,) = compared({"old": PLAIN}, {"aa": text(formerly="old")}, moved={"old"}).workspaces
    assert found.moved
    (found,) = compared({"old": PLAIN}, {"aa": text(formerly="old")}, moved={"bb"}).workspaces
    assert not found.moved


def test_further_renames_and_the_way_back_are_renames() -> None:
    base = {"bb": text(formerly="aa")}
    on = one(base, {"cc": text(formerly="aa")})
    back = one(base, {"aa": PLAIN})
    assert [(each.action, each.formerly) for each in (on, back)] == [(Action.RENAME, "bb")] * 2


def test_a_former_id_that_base_does_not_have_is_adopted_or_missing() -> None:
    found = one({}, {"aa": text(formerly="old")})
    assert (found.action, found.severity, found.home) == (
        Action.CREATE,
        Severity.HANDS_OVER,
        "old",
    )
    assert "the home of old is mounted" in found.data


def test_a_former_id_that_still_has_a_file_makes_nothing() -> None:
    found = compared({"old": PLAIN}, {"old": PLAIN, "aa": text(formerly="old")}).workspaces
    (claimant,) = [each for each in found if each.id == "aa"]
    assert "nothing is made while old" in claimant.data


def test_a_workspace_that_takes_another_ones_home_is_told_of_its_own() -> None:
    found = one({"old": PLAIN, "aa": PLAIN}, {"aa": text(formerly="old")})
    assert (found.action, found.formerly) == (Action.RENAME, "old")
    assert "HOME_CONFLICT" in found.reason


def test_another_former_id_is_another_home() -> None:
    found = one({"aa": text(formerly="one-1")}, {"aa": text(formerly="two-2")})
    assert found.severity is Severity.HANDS_OVER
    assert "that of two-2 instead of that of one-1" in found.data


def test_what_was_wrong_is_renamed_too() -> None:
    found = one({"old": "owner: alice\n"}, {"aa": text(formerly="old")})
    assert (found.action, found.formerly) == (Action.RENAME, "old")


def test_two_files_that_claim_one_former_id_stop_each_other_only() -> None:
    base = {"old": PLAIN, "cc": PLAIN}
    head = {"aa": text(formerly="old"), "bb": text(formerly="old"), "cc": text(image="two")}
    found = {each.id: each for each in compared(base, head).workspaces}
    assert {id_: each.action for id_, each in found.items()} == {
        "aa": Action.INVALID, "bb": Action.INVALID, "cc": Action.REPLACE, "old": Action.UNCHANGED,
    }  # fmt: skip
    assert "names `old` too" in found["aa"].problems[0].message
    assert "the file of aa, which is wrong" in found["old"].data
    assert "until that file is right or gone; then it is removed" in found["old"].data


def test_a_claimed_id_that_has_a_file_is_wrong_though_nobody_touched_it() -> None:
    found = compared({"old": PLAIN}, {"old": PLAIN, "aa": text(formerly="old")})
    assert {each.id: each.action for each in found.workspaces}["old"] is Action.INVALID


def test_one_bad_file_of_fifty_hides_none_of_the_others() -> None:
    base = {f"w{n:02}": PLAIN for n in range(50)}
    head = {id_: text(image="two") for id_ in base} | {"w25": "owner: alice\nimage: a\nstate: x\n"}
    found = compared(base, head)
    assert [each.action for each in found.workspaces].count(Action.REPLACE) == 49
    (bad,) = [each for each in found.workspaces if each.action is Action.INVALID]
    problem = bad.problems[0]
    assert (problem.file, problem.line, problem.column) == ("workspaces.d/w25.yaml", 3, 8)
    assert "stays as it is" in bad.data
    assert found.invalid


def test_a_file_that_becomes_right_may_change_anything() -> None:
    found = one({"aa": "owner: alice\n"}, {"aa": PLAIN})
    assert (found.action, found.severity) == (Action.REPLACE, Severity.HANDS_OVER)
    assert "can't be told" in found.data
    assert "at worst its home goes to alice" in found.data
    named = one({"aa": "owner: alice\n"}, {"aa": text("bob", formerly="old")})
    assert "goes to bob, that of old is mounted instead" in named.data


def test_what_is_wrong_on_base_already_is_only_counted() -> None:
    found = compared({"aa": "", "bb": PLAIN}, {"aa": "", "bb": PLAIN})
    assert found.workspaces == ()
    assert found.notes == ("1 file is wrong on base already, and stay so",)


def test_totals_are_by_owner_and_only_of_those_that_change() -> None:
    base = {"aa": PLAIN, "bb": text("bob"), "cc": text("carol")}
    head = {"aa": text(resources="{cpu: 4, memory: 8Gi}"), "dd": PLAIN, "bb": text("bob")}
    gib = 1 << 30
    assert compared(base, head).totals == (
        Total(
            owner="alice",
            before=Asked(workspaces=1, cpu=2.0, memory=4 * gib),
            after=Asked(workspaces=2, cpu=6.0, memory=12 * gib),
        ),
        Total(
            owner="carol",
            before=Asked(workspaces=1, cpu=2.0, memory=4 * gib),
            after=Asked(),
        ),
    )


@pytest.mark.parametrize("head", [{"aa": "owner: alice\n", "bb": PLAIN}, {}])
def test_what_stays_as_it_is_asks_for_what_it_did(head: dict[str, str]) -> None:
    assert compared({"aa": PLAIN, "bb": PLAIN}, head).totals == ()


def test_rules_see_both_sides_and_can_refuse() -> None:
    def rules(base: Fleet, head: Fleet) -> list[RuleResult]:
        new = head.ids - base.ids
        return [
            RuleResult(rule="no-new", level=Level.MANDATORY, message="new", workspace=id_)
            for id_ in sorted(new)
        ]

    found = compared({"aa": PLAIN}, {"aa": PLAIN, "bb": PLAIN}, rules=rules)
    assert [result.workspace for result in found.rules] == ["bb"]
    assert found.refused
    assert not compared({"aa": PLAIN}, {"aa": PLAIN}, rules=rules).refused
