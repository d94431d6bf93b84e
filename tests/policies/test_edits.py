"""Who may change what: allow and deny."""

import pytest

from policies.edits import may_approve, may_edit, may_edit_rules
from policies.model import Owners, Person, Team, Workspace

PEOPLE = ("alice", "bob", "carol", "dave", "erin")
OWNERS = Owners(
    people={name: Person(name=name) for name in PEOPLE}
    | {"frank": Person(name="frank", logins={"github": "Frank-GH"})},
    teams={
        "data": Team(
            name="data", members=frozenset({"alice", "bob"}), maintainers=frozenset({"bob"})
        )
    },
    approvers=frozenset({"carol"}),
    admins=frozenset({"dave"}),
)
ALICES = Workspace(id="ws", owner="alice")
BOBS = Workspace(id="ws", owner="bob")
ERINS = Workspace(id="ws", owner="erin")


@pytest.mark.parametrize(
    ("actor", "before", "after", "allowed"),
    [
        ("alice", ALICES, ALICES, True),
        ("alice", None, ALICES, True),
        ("alice", ALICES, None, True),
        ("alice", None, BOBS, False),
        ("alice", BOBS, None, False),
        ("alice", BOBS, ALICES, False),
        ("alice", ALICES, BOBS, False),
        ("bob", ALICES, ALICES, True),
        ("bob", ALICES, BOBS, True),
        ("bob", BOBS, ALICES, True),
        ("bob", ALICES, ERINS, False),
        ("bob", ERINS, ERINS, False),
        ("carol", ERINS, ALICES, True),
        ("dave", ERINS, None, True),
        ("erin", None, ALICES, False),
        ("stranger", None, Workspace(id="ws", owner="stranger"), False),
        ("", ALICES, ALICES, False),
        ("", None, Workspace(id="ws", owner=""), False),
    ],
)
def test_who_may_edit(
    actor: str, before: Workspace | None, after: Workspace | None, allowed: bool
) -> None:
    verdict = may_edit(OWNERS, actor, before, after)
    assert verdict.allowed is allowed
    assert may_edit(None, actor, before, after).allowed
    assert bool(verdict.message) is not allowed
    if verdict.finding is not None:
        assert verdict.finding.rule.id == "edit-allowed"
        assert f"{actor or 'nobody'} may not change a workspace of" in verdict.message
        assert "docs/reference/policies.md#edit-allowed" in verdict.message


def test_who_may_change_the_rules() -> None:
    allowed = [
        actor
        for actor in (*PEOPLE, "")
        if may_edit_rules(OWNERS, actor, file="_owners.yaml").allowed
    ]
    assert allowed == ["dave"]
    assert "may not change _owners.yaml" in may_edit_rules(OWNERS, "", file="_owners.yaml").message
    assert may_edit_rules(Owners(), "alice", file="_owners.yaml").allowed, "the forge decides"
    assert may_edit_rules(None, "alice", file="_owners.yaml").allowed


def test_who_may_approve() -> None:
    allowed = [
        actor for actor in (*PEOPLE, "") if may_approve(OWNERS, actor, workspace="ws").allowed
    ]
    assert allowed == ["carol", "dave"]
    assert not may_approve(None, "carol", workspace="ws").allowed, "nobody is named"
    assert "nobody may not approve" in may_approve(OWNERS, "", workspace="ws").message


def test_logins() -> None:
    assert OWNERS.by_login("github", "frank-gh") == "frank"
    assert OWNERS.by_login("github", "frank") is None
    assert OWNERS.by_login("gitlab", "Frank") == "frank"
    assert OWNERS.by_login("github", "nobody") is None
