"""Plan rules: quotas, listed owners, exemptions, and who comes first where there is not enough."""

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.model import Amount, Exemption, Owners, Person, Policies, Quota, Team, Workspace
from policies.plan import Judgement, judge
from policies.quotas import Holder, size
from policies.words import Level

GI = 1 << 30
TODAY = date(2030, 6, 30)
LATER = date(2030, 7, 1)


def ws(
    id_: str, owner: str = "alice", cores: float = 1, memory: int = GI, **more: Any
) -> Workspace:
    return Workspace(id=id_, owner=owner, millicores=round(cores * 1000), memory=memory, **more)


def fleet(*workspaces: Workspace) -> dict[str, Workspace]:
    return {each.id: each for each in workspaces}


def owners(**quotas: Quota) -> Owners:
    return Owners(people={name: Person(name=name, quota=quota) for name, quota in quotas.items()})


def exempt(rule: str, *workspaces: str, until: date = TODAY) -> Policies:
    found = Exemption(rule=rule, workspaces=frozenset(workspaces), reason="why not", until=until)
    return Policies(exemptions=(found,))


def said(
    desired: Mapping[str, Workspace],
    standing: Mapping[str, Workspace] | None = None,
    *,
    owners: Owners | None = None,
    policies: Policies | None = None,
    today: date = TODAY,
) -> Judgement:
    return judge(desired, standing or {}, owners=owners, policies=policies, today=today)


def refused(judgement: Judgement) -> dict[str, list[str]]:
    return {
        id_: [each.rule.id for each in judgement.refused(id_)]
        for id_ in judgement.findings
        if judgement.refused(id_)
    }


CORES = owners(alice=Quota(millicores=2000))


def test_without_files_nothing_is_said() -> None:
    judgement = said(fleet(ws("aa", cores=64), ws("bb", owner="x")))
    assert judgement == Judgement()


@pytest.mark.parametrize(
    ("quota", "words"),
    [
        (Quota(millicores=2500), "alice uses 2 of 2.5 CPU, and cc asks for 1 more"),
        (Quota(memory=2 * GI), "alice uses 2Gi of 2Gi memory, and cc asks for 1Gi more"),
        (Quota(workspaces=2), "alice has 2 of 2 workspaces, and cc would be one more"),
    ],
)
def test_what_is_too_much_says_used_asked_and_limit(quota: Quota, words: str) -> None:
    judgement = said(fleet(ws("aa"), ws("bb"), ws("cc")), owners=owners(alice=quota))
    assert refused(judgement) == {"cc": ["quota-owner"]}
    (finding,) = judgement.findings["cc"]
    assert finding.detail == words
    assert finding.message.startswith(f"{words}. ")
    assert finding.message.endswith("(docs/reference/policies.md#quota-owner)")


def test_what_stands_is_never_refused_and_comes_first() -> None:
    standing = fleet(ws("zz", cores=2))
    judgement = said(fleet(ws("aa"), ws("zz", cores=2)), standing, owners=CORES)
    assert refused(judgement) == {"aa": ["quota-owner"]}
    lowered = owners(alice=Quota(millicores=500))
    assert refused(said(standing, standing, owners=lowered)) == {}


def test_who_grows_comes_before_who_is_new_and_then_ids_decide() -> None:
    three = owners(alice=Quota(millicores=3000))
    desired = fleet(ws("aa"), ws("bb"), ws("zz", cores=2))
    assert refused(said(desired, fleet(ws("zz")), owners=three)) == {"bb": ["quota-owner"]}


def test_growth_that_is_refused_leaves_what_stands_counted() -> None:
    standing = fleet(ws("aa", cores=1, memory=2 * GI))
    desired = fleet(ws("aa", cores=3, memory=GI), ws("bb", cores=1, memory=GI))
    both = owners(alice=Quota(millicores=2000, memory=3 * GI))
    judgement = said(desired, standing, owners=both)
    assert refused(judgement) == {"aa": ["quota-owner"]}
    (use,) = judgement.uses
    assert use.used == Amount(2000, 3 * GI, 2)


def test_what_shrinks_or_goes_makes_room_at_once() -> None:
    standing = fleet(ws("aa", cores=2), ws("gone", cores=2))
    del standing["gone"]  # its file is gone: whoever asks leaves it out
    desired = fleet(ws("aa", cores=1), ws("bb", cores=1))
    assert refused(said(desired, standing, owners=CORES)) == {}


def test_one_whose_file_cannot_be_read_counts_as_it_stands() -> None:
    standing = fleet(ws("broken", cores=2))
    assert refused(said(fleet(ws("aa")), standing, owners=CORES)) == {"aa": ["quota-owner"]}


def test_a_new_owner_takes_of_the_new_one_s_quota() -> None:
    two = owners(alice=Quota(millicores=2000), bob=Quota(millicores=1000))
    standing = fleet(ws("aa"), ws("bb", owner="bob"))
    desired = fleet(ws("aa", owner="bob"), ws("bb", owner="bob"), ws("cc", cores=2))
    judgement = said(desired, standing, owners=two)
    assert refused(judgement) == {"aa": ["quota-owner"], "cc": ["quota-owner"]}
    assert judgement.uses[0].used == Amount(1000, GI, 1), "it is still alice's"


def test_teams_share() -> None:
    team = Team(name="data", members=frozenset({"alice", "bob"}), quota=Quota(millicores=3000))
    people = {name: Person(name=name) for name in ("alice", "bob", "carol")}
    shared = Owners(people=people, teams={"data": team})
    desired = fleet(
        ws("aa", cores=2), ws("bb", owner="bob", cores=2), ws("cc", owner="carol", cores=9)
    )
    judgement = said(desired, owners=shared)
    assert refused(judgement) == {"bb": ["quota-team"]}
    told = judgement.findings["bb"][0].detail
    assert told == "team data uses 2 of 3 CPU, and bb asks for 2 more"
    assert [each.holder for each in judgement.uses] == [Holder("team", "data")]


def test_a_quota_of_everybody_fills_what_one_s_own_leaves_out() -> None:
    policies = Policies(owner_quota=Quota(millicores=1000, workspaces=1))
    desired = fleet(ws("aa", cores=2), ws("bb", cores=0.5), ws("cc", owner="bob", cores=2))
    judgement = said(
        desired, owners=owners(alice=Quota(millicores=4000), bob=Quota()), policies=policies
    )
    assert refused(judgement) == {"bb": ["quota-owner"], "cc": ["quota-owner"]}
    alone = said(desired, policies=policies)
    assert set(refused(alone)) == {"aa", "cc"}, "also without _owners.yaml"
    teams = Policies(team_quota=Quota(workspaces=1))
    team = Owners(
        people={"alice": Person(name="alice")},
        teams={"data": Team(name="data", members=frozenset({"alice"}))},
    )
    two = fleet(ws("aa"), ws("bb"))
    assert refused(said(two, owners=team, policies=teams)) == {"bb": ["quota-team"]}


@pytest.mark.parametrize(
    ("level", "told", "mandatory"),
    [(Level.MANDATORY, True, True), (Level.ADVISORY, True, False), (Level.OFF, False, False)],
)
def test_levels(level: Level, told: bool, mandatory: bool) -> None:
    for rule, desired in (
        ("quota-owner", fleet(ws("aa", cores=3))),
        ("owner-listed", fleet(ws("aa", owner="x"))),
    ):
        policies = Policies(levels={rule: level})
        judgement = said(desired, owners=CORES, policies=policies)
        assert bool(judgement.findings) is told
        assert bool(refused(judgement)) is mandatory


def test_what_is_only_advised_counts_all_the_same() -> None:
    policies = Policies(levels={"quota-owner": Level.ADVISORY})
    judgement = said(fleet(ws("aa", cores=3), ws("bb")), owners=CORES, policies=policies)
    assert judgement.uses[0].used.millicores == 4000
    assert not any(each.mandatory for found in judgement.findings.values() for each in found)


def test_an_owner_must_be_listed_unless_nothing_changes() -> None:
    stands = ws("aa", owner="x", digest="1")
    assert refused(said(fleet(stands), owners=CORES)) == {"aa": ["owner-listed"]}
    unchanged = said(fleet(stands), fleet(stands), owners=CORES)
    assert refused(unchanged) == {}
    assert unchanged.findings["aa"][0].detail == "its owner x is not in `_owners.yaml`"
    changed = ws("aa", owner="x", digest="2")
    assert refused(said(fleet(changed), fleet(stands), owners=CORES)) == {"aa": ["owner-listed"]}


def test_who_is_refused_for_another_rule_takes_no_quota() -> None:
    policies = Policies(owner_quota=Quota(workspaces=1))
    desired = fleet(ws("aa", owner="x"), ws("bb", owner="x"))
    judgement = said(desired, owners=CORES, policies=policies)
    assert refused(judgement) == {"aa": ["owner-listed"], "bb": ["owner-listed"]}


def test_an_exemption_holds_through_its_last_day() -> None:
    for rule, desired in (
        ("quota-owner", fleet(ws("aa", cores=3))),
        ("owner-listed", fleet(ws("aa", owner="x"))),
    ):
        policies = exempt(rule, "aa")
        held = said(desired, owners=CORES, policies=policies)
        assert refused(held) == {}
        assert "exempt until 2030-06-30: why not" in held.findings["aa"][0].detail
        over = said(desired, owners=CORES, policies=policies, today=LATER)
        assert refused(over) == {"aa": [rule]}
        told = over.findings["aa"][0].detail
        assert told.endswith("; its exemption ended on 2030-06-30: why not")
        assert policies.expired(LATER) == policies.exemptions
        assert policies.expired(TODAY) == ()


def test_of_several_exemptions_the_longest_counts() -> None:
    found = [
        Exemption(rule="quota-owner", workspaces=frozenset({"aa"}), reason=str(day), until=day)
        for day in (TODAY, LATER)
    ]
    policies = Policies(exemptions=tuple(found))
    assert policies.exemption("quota-owner", "aa", TODAY) == found[1]
    assert policies.ended("quota-owner", "aa", LATER) is None
    assert policies.ended("quota-owner", "aa", date(2031, 1, 1)) == found[1]
    assert policies.exemption("quota-team", "aa", TODAY) is None


def test_who_is_exempt_from_a_quota_takes_nothing_of_it() -> None:
    policies = exempt("quota-owner", "aa")
    judgement = said(fleet(ws("aa", cores=9), ws("bb", cores=2)), owners=CORES, policies=policies)
    assert refused(judgement) == {}
    assert judgement.findings["aa"][0].detail.startswith("it is not counted in the quota of alice")


@pytest.mark.parametrize(
    ("policies", "told"),
    [
        (Policies(images=("codehub/*",)), False),
        (Policies(images=("other",)), False),
        (Policies(images=("codehub/*",), levels={"image-allowed": Level.ADVISORY}), True),
    ],
)
def test_images_are_told_where_the_pack_does_not_refuse(policies: Policies, told: bool) -> None:
    judgement = said(fleet(ws("aa", image="other")), policies=policies)
    assert refused(judgement) == {}, "the policy pack's to refuse"
    assert bool(judgement.findings) is told


def test_sizes_are_exact() -> None:
    shown = [size(number) for number in (0, 1, 1024, 3 << 29, 4 << 40, 5 * GI)]
    assert shown == ["0 bytes", "1 bytes", "1Ki", "1536Mi", "4Ti", "5Gi"]


NAMES = st.sampled_from(["alice", "bob"])
AMOUNTS = st.integers(0, 6)
SHAPES = st.tuples(NAMES, AMOUNTS, AMOUNTS)
FLEETS = st.dictionaries(st.sampled_from("abcdef"), SHAPES, max_size=6)
LIMITS = st.none() | st.integers(0, 12)
QUOTAS = st.tuples(LIMITS, LIMITS, LIMITS)


def made(shapes: Mapping[str, tuple[str, int, int]]) -> dict[str, Workspace]:
    return {
        id_: Workspace(id=id_, owner=owner, millicores=cores, memory=memory)
        for id_, (owner, cores, memory) in shapes.items()
    }


Limits = tuple[int | None, int | None, int | None]


def quota(limits: Limits) -> Quota:
    return Quota(millicores=limits[0], memory=limits[1], workspaces=limits[2])


@given(FLEETS, FLEETS, st.tuples(QUOTAS, QUOTAS, QUOTAS))
def test_the_arithmetic_of_quotas(
    wanted: dict[str, tuple[str, int, int]],
    stands: dict[str, tuple[str, int, int]],
    limits: tuple[Limits, Limits, Limits],
) -> None:
    desired, standing = made(wanted), made(stands)
    team = Team(name="all", members=frozenset({"alice", "bob"}), quota=quota(limits[2]))
    every = Owners(
        people={
            name: Person(name=name, quota=quota(limit))
            for name, limit in zip(("alice", "bob"), limits[:2], strict=True)
        },
        teams={"all": team},
    )
    judgement = said(desired, standing, owners=every)
    stopped = refused(judgement)
    # Nothing that asks for no more is refused, and nothing that only stands.
    for id_ in stopped:
        before = standing.get(id_)
        after = desired[id_]
        grows = before is None or any(
            x > y for x, y in zip(after.amount, before.amount, strict=True)
        )
        assert grows or (before is not None and before.owner != after.owner)
    # What is used is exactly what stands and what was let in.
    settled = {
        **{id_: each for id_, each in standing.items() if id_ not in desired or id_ in stopped},
        **{id_: each for id_, each in desired.items() if id_ not in stopped},
    }
    for use in judgement.uses:
        mine = [
            each.amount
            for each in settled.values()
            if use.holder.kind == "team" or each.owner == use.holder.name
        ]
        assert use.used == Amount(
            *(sum(column) for column in zip(Amount(0, 0, 0), *mine, strict=True))
        )
        # A limit is passed only by what stood before: nothing let in lies beyond it.
        before_all = [
            each.amount
            for each in standing.values()
            if use.holder.kind == "team" or each.owner == use.holder.name
        ]
        stood = Amount(*(sum(column) for column in zip(Amount(0, 0, 0), *before_all, strict=True)))
        for used, limit, was in zip(use.used, use.quota.limits, stood, strict=True):
            assert limit is None or used <= max(limit, was)
    # The order in which files are read says nothing.
    turned = said(dict(reversed(desired.items())), dict(reversed(standing.items())), owners=every)
    assert turned == judgement
    # Once it is as was decided, nobody is refused any more who was let in.
    again = said({**desired}, settled, owners=every)
    assert set(refused(again)) <= set(stopped)


@given(FLEETS, st.lists(st.integers(0, 12), min_size=2, max_size=4))
def test_a_larger_quota_refuses_no_lone_workspace_more(
    wanted: dict[str, tuple[str, int, int]], limits: list[int]
) -> None:
    for id_, each in made(wanted).items():
        found = [
            bool(
                refused(
                    said(
                        {id_: each},
                        owners=owners(alice=Quota(millicores=limit), bob=Quota(memory=limit)),
                    )
                )
            )
            for limit in sorted(limits)
        ]
        assert all(not later or sooner for sooner, later in pairwise(found))
