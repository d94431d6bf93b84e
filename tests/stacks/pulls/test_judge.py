"""What is worse than reviewed is held, workspace by workspace; what was said is not, whoever said it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.pulls import judge
from stacks.pulls.judge import Brought, Shown, Step, chosen, exceeded, harmful, ranges, united
from stacks.review.changeset import ChangeSet, Entry
from stacks.review.model import Severity
from state_index.reviews import Approval, Held

OLD, NEW, HEAD = "0" * 40, "1" * 40, "2" * 40
UPDATE = Entry(action="update", severity=Severity.MAKES, owner="alice")
REPLACE = Entry(action="replace", severity=Severity.REPLACES, owner="alice")
DELETE = Entry(action="delete", severity=Severity.REMOVES, owner="alice")
HELD = Held(workspace_id="one", base=OLD, commit=NEW, hash="h", message="why")


def would(**entries: Entry) -> ChangeSet:
    return ChangeSet(hash="sha256:x", workspaces=entries)


def shown(*sets: ChangeSet | None) -> tuple[Shown, ...]:
    return tuple(Shown(number=n, head=HEAD, change_set=each) for n, each in enumerate(sets, 5))


def once(now: ChangeSet, *sets: ChangeSet | None) -> Brought:
    """One commit did it, which came by pull requests of which this was said."""
    return Brought(steps=(Step(commit=NEW, changes=now, pulls=shown(*sets)),))


entries = st.builds(
    Entry,
    action=st.sampled_from(["delete", "replace", "update", "rename", "create"]),
    severity=st.sampled_from(Severity),
    owner=st.sampled_from(["alice", "bob"]),
    former_owner=st.sampled_from(["", "alice"]),
    formerly=st.sampled_from(["", "one"]),
    home=st.sampled_from(["", "one", "two"]),
)
change_sets = st.dictionaries(st.sampled_from(["one", "two", "three"]), entries).map(
    lambda found: ChangeSet(hash="", workspaces=found)
)


@given(change_sets, st.lists(change_sets, max_size=2), st.sampled_from(["all", "reviewed"]))
def test_what_was_said_is_never_held_by_itself(
    now: ChangeSet, others: list[ChangeSet], mode: str
) -> None:
    assert exceeded(now, once(now, now), mode=mode) == ()
    # What another one said of the same workspaces may be of another kind, and never of less harm.
    handed = Severity.HANDS_OVER in {each.severity for each in now.workspaces.values()}
    assert exceeded(now, once(now, *others, now), mode=mode) == () or handed


@given(change_sets)
def test_without_a_review_all_harm_is_held_and_nothing_else(now: ChangeSet) -> None:
    held = {each.id for each in exceeded(now, once(now), mode="all")}
    assert held == harmful(now) == {each.id for each in exceeded(now, Brought(), mode="all")}
    assert held == {
        id_
        for id_, entry in now.workspaces.items()
        if entry.severity >= Severity.STOPS and not entry.held
    }
    assert exceeded(now, once(now), mode="reviewed") == ()
    assert exceeded(now, once(now), mode="off") == ()
    ids = frozenset(now.workspaces)
    assert (
        exceeded(now, Brought(steps=(Step(commit=NEW, changes=now, vouched=ids),)), mode="all")
        == ()
    )
    signed = Brought(steps=(Step(commit=NEW, changes=now, approved=(("gitea:carol", ids),)),))
    assert {each.id for each in exceeded(now, signed, mode="all")} == held
    assert exceeded(now, signed, mode="all", may="gitea:carol".__eq__) == ()


def test_more_than_was_said_is_held_and_the_rest_goes_on() -> None:
    now = would(one=DELETE, two=REPLACE, three=UPDATE)
    found = exceeded(now, once(now, would(one=REPLACE, two=REPLACE)), mode="all")
    assert [(each.id, each.worse.reviewed, each.worse.now) for each in found] == [
        ("one", Severity.REPLACES, Severity.REMOVES)
    ]


def test_a_review_of_another_commit_than_was_merged_says_nothing() -> None:
    found = exceeded(would(one=REPLACE), once(would(one=REPLACE), None), mode="all")
    assert judge.message(found[0]) == (
        "it is kept as it is: replace: it was not part of what was reviewed; it came by #5, and of "
        "222222222222 of #5 nothing was said before the merge"
    )


def test_several_pull_requests_are_united_the_worst_of_each_workspace() -> None:
    held = replace(DELETE, held=True)
    both = united(shown(would(one=UPDATE, two=DELETE), would(one=REPLACE, two=held), None))
    assert both.workspaces == {"one": REPLACE, "two": DELETE}
    now = would(one=REPLACE, two=DELETE)
    assert exceeded(now, once(now, both), mode="all") == ()
    # A deletion that was only ever told as held back was not told as one that happens.
    assert exceeded(would(one=DELETE), once(would(one=held), would(one=held)), mode="all")


def test_a_making_that_was_said_stands_beside_a_later_update_of_it() -> None:
    made = Entry(action="create", severity=Severity.MAKES, owner="alice")
    now, rest = would(one=made), would(one=DELETE)
    remade = Brought(
        steps=(
            Step(commit=OLD, changes=rest, pulls=shown(rest)),
            Step(commit=NEW, changes=now, pulls=shown(now, would(one=UPDATE))),
        )
    )
    assert exceeded(would(one=REPLACE), remade, mode="all") == ()


def test_each_step_that_harms_needs_a_word_of_its_own() -> None:
    made = Entry(action="create", severity=Severity.MAKES, owner="alice")
    renamed = Entry(
        action="rename", severity=Severity.HANDS_OVER, owner="bob", formerly="one", home="one"
    )
    went = Step(commit=OLD, changes=would(one=DELETE), pulls=shown(would(one=DELETE)))

    def held(now: ChangeSet, *steps: Step) -> list[str]:
        found = exceeded(now, Brought(steps=steps), mode="all")
        return [each.step.commit if each.step else "" for each in found]

    assert held(would(one=DELETE), went) == []
    # What was made again after a removal gets its home, and was not reviewed.
    again = Step(commit=NEW, changes=would(one=made))
    assert held(would(one=REPLACE), went, again) == [NEW]
    told = replace(again, pulls=shown(would(one=made)))
    assert held(would(one=REPLACE), went, told) == []
    # By whatever name it went meanwhile.
    handed = Step(commit=NEW, changes=would(two=renamed))
    ended = Step(commit=HEAD, changes=would(two=DELETE), pulls=shown(would(two=DELETE)))
    assert held(would(one=DELETE), handed, ended) == [NEW]
    # And where no step tells of it, nobody said it.
    assert held(would(one=DELETE), ended) == [""]


def test_what_has_another_name_by_now_is_judged_from_where_it_was_held() -> None:
    entry = Entry(action="rename", severity=Severity.HANDS_OVER, formerly="one", home="one")
    now = would(two=entry, three=DELETE)
    assert set(chosen(now, frozenset({"one"}), {"one"}).workspaces) == {"two"}
    assert set(chosen(now, None, {"one"}).workspaces) == {"three"}


def test_the_words_name_few_pull_requests() -> None:
    now = would(one=DELETE)
    (worse,) = exceeded(now, once(now, *[would()] * 7), mode="all")
    assert "#5, #6, #7, #8, #9 and 2 more" in judge.message(worse)
    assert "; 111111111111 came by no pull request" in judge.message(
        exceeded(now, once(now), mode="all")[0]
    )
    assert "; it came by no pull request" in judge.message(replace(worse, step=None))


@pytest.mark.parametrize(
    ("attempted", "held", "expected"),
    [
        ("", [], {}),
        (NEW, [], {}),
        (OLD, [], {OLD: None}),
        (NEW, [HELD], {OLD: {"one"}}),
        (OLD, [HELD], {OLD: None}),
        (
            HEAD,
            [HELD, replace(HELD, workspace_id="two"), replace(HELD, workspace_id="x", base="3")],
            {OLD: {"one", "two"}, "3": {"x"}, HEAD: None},
        ),
    ],
)
def test_what_is_held_is_judged_from_where_it_was_held(
    attempted: str, held: list[Held], expected: dict[str, set[str] | None]
) -> None:
    assert ranges(NEW, attempted, held, lambda each: frozenset({each.workspace_id})) == expected


def test_each_workspace_is_judged_from_one_commit() -> None:
    now = would(one=DELETE, two=REPLACE)
    assert set(chosen(now, frozenset({"one"}), {"one"}).workspaces) == {"one"}
    assert set(chosen(now, None, {"one"}).workspaces) == {"two"}


def test_an_approval_is_of_what_happens_to_the_workspace() -> None:
    yes = Approval(commit=NEW, workspace_id="one", hash="h", who="carol", why="")
    others = [replace(yes, hash="other"), replace(yes, workspace_id="two")]
    assert judge.allowing(HELD, [*others, yes], is_of=NEW.__eq__) == (yes,)
    assert judge.allowing(HELD, [*others, yes], is_of=OLD.__eq__) == ()


def test_the_remedy_is_a_command_or_patience() -> None:
    assert "codehub approve 111111111111 one --why TEXT" in judge.remedy(HELD)
    passing = judge.remedy(replace(HELD, passing=True))
    assert passing.startswith("It is asked again by itself")
    assert "cannot wait: `codehub approve 111111111111 one --why TEXT`" in passing
