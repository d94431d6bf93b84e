"""What `doctor`, `status` and shown changes say of owners and rules."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli import changes, results
from cli.commands import doctor
from gateway.store import logins, open_store
from settings.load import load
from settings.model import GatewaySettings, RunnerSettings
from stacks.changes import WorkspaceChange
from stacks.errors import PolicyViolationError, Violation
from stacks.steps import Result
from tests.cli.conftest import Cli
from tests.cli.test_shown import printed, shown
from tools.doctor import Check

OWNERS = "people: {alice: {}, bob: {}}\n"
EXPIRED = "exemptions: [{rule: quota-owner, workspaces: [aa], reason: x, until: 2020-01-01}]\n"


def checks(place: Path) -> dict[str, Check]:
    env = {"CODEHUB_DATA": str(place / "data")}
    settings = load(RunnerSettings, env, cwd=place)
    found = [*doctor._rules(settings), *doctor._owners(settings, gateway(place))]
    return {check.name: check for check in found}


def gateway(place: Path) -> GatewaySettings:
    return load(GatewaySettings, {"CODEHUB_DATA": str(place / "data")}, cwd=place)


def test_doctor_lists_owners_without_a_login(place: Path) -> None:
    folder = place / "workspaces.d"
    assert checks(place) == {}
    (folder / "_owners.yaml").write_text(OWNERS)
    found = checks(place)
    assert found["owners"] == Check(
        "owners", True, "no login: alice, bob", "`codehub user add NAME` makes one"
    )
    assert not gateway(place).paths.store_db.exists(), "it looks and makes nothing"
    gateway(place).paths.make()
    with open_store(gateway(place)) as store:
        store.users.add("alice", "correct horse battery")
        store.users.add("carol", "correct horse battery")
        store.users.disable("carol")
        assert logins(gateway(place)) == {"alice"}
        assert checks(place)["owners"].detail == "no login: bob"
        store.users.add("bob", "correct horse battery")
    assert checks(place)["owners"] == Check("owners", True, "all 2 have a login")
    assert checks(place)["rules"] == Check("rules", True, "owners and rules are read")


def test_doctor_tells_of_broken_files_and_of_exemptions_that_ended(place: Path) -> None:
    folder = place / "workspaces.d"
    (folder / "_policies.yaml").write_text(EXPIRED)
    found = checks(place)
    assert (found["rules"].ok, list(found)) == (True, ["rules"])
    assert found["rules"].detail == "the exemption of aa from quota-owner ended on 2020-01-01: x"
    (folder / "_owners.yaml").write_text("people: 5\n")
    broken = checks(place)["rules"]
    assert not broken.ok
    assert "workspaces.d/_owners.yaml:1:9" in broken.detail
    folder.rename(place / "elsewhere")
    assert checks(place) == {}


def test_a_store_that_can_not_be_read_is_told(place: Path) -> None:
    (place / "workspaces.d/_owners.yaml").write_text(OWNERS)
    gateway(place).paths.make()
    gateway(place).paths.store_db.write_text("no database " * 1000)
    assert not checks(place)["owners"].ok


def test_status_tells_of_broken_rules(cli: Cli, place: Path) -> None:
    (place / "workspaces.d/_policies.yaml").write_text("rules: 5\n")
    result = cli("status")
    assert result.exit_code == 0
    assert (
        "workspaces.d/_policies.yaml:1:8: rules: must be a mapping, not a number" in result.stderr
    )
    assert "the rules can't be read: nothing new or changed is applied" in result.stderr
    assert json.loads(cli("status", "-o", "json").stdout) == {"workspaces": []}


WORDS = "alice uses 2 of 2 CPU, and aa asks for 1 more. Why. What helps. (docs#quota-owner)"


def change(action: str, *violations: Violation, **more: Any) -> WorkspaceChange:
    told = {"id": "aa", "action": action, "sync": "OutOfSync", "violations": violations} | more
    return WorkspaceChange(**told)


def violation(*, mandatory: bool = True) -> Violation:
    return Violation(rule="quota-owner", resource="", message=WORDS, mandatory=mandatory)


def test_a_refusal_is_shown_once_in_the_rule_s_words() -> None:
    error = PolicyViolationError((violation(),))
    assert str(error) == f"quota-owner: {WORDS}"
    told = change("blocked", violation(), reason="refused by quota-owner", error=error.to_json())
    assert shown([told]) == (
        f"! blocked  aa  refused by quota-owner\n    refused by policy quota-owner: {WORDS}\n"
    )
    assert changes.exit_code([told]) == 1


def test_advice_is_shown_also_where_nothing_changes() -> None:
    told = change("nothing", violation(mandatory=False), reason="")
    assert shown([told]) == f"· nothing  aa\n    advice of policy quota-owner: {WORDS}\n"
    assert changes.exit_code([told]) == 0


@pytest.mark.parametrize(("others", "code"), [((), 2), (("ENGINE_UNAVAILABLE",), 1)])
def test_rules_that_can_not_be_read_are_bad_input(others: tuple[str, ...], code: int) -> None:
    unread = {"reason": "RULES_UNREADABLE", "message": "m"}
    told = [change("blocked", error=unread)]
    told += [change("blocked", id="bb", error={"reason": each}) for each in others]
    assert changes.exit_code(told) == code
    done = [
        Result(id=each.id, action="blocked", reason=str((each.error or {})["reason"]))
        for each in told
    ]
    assert printed(lambda: results.show(done, "table")).exit_code == code
