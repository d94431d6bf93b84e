"""One list of all rules: the page, the ids that files may name, and what reaches the pack."""

import re
import subprocess
import sys
from datetime import date

import pytest

from policies.catalogue import BY_ID, CATALOGUE, pack_rules
from policies.model import Exemption, Policies
from policies.pack.pack import policies as pack_policies
from policies.reference import PAGE, page
from policies.rules import CONTAINER, IMAGE_ALLOWED, RULES, Resource, configured, evaluate
from policies.words import Level
from spec.policies import FIXED, SETTABLE
from tests.policies.test_rules import container

TODAY = date(2030, 6, 30)
LISTED = Policies(images=("codehub/*",))


def test_the_committed_page_is_the_catalogue_s() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
    command = [sys.executable, "-m", "policies.reference"]
    done = subprocess.run(
        command, cwd=PAGE.parents[2], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == f"{PAGE}\n"


def test_files_may_name_exactly_the_rules_that_there_are() -> None:
    assert {rule.id for rule in CATALOGUE if rule.settable} == set(SETTABLE)
    assert {rule.id for rule in CATALOGUE if not rule.settable} == set(FIXED)
    assert len(BY_ID) == len(CATALOGUE)


@pytest.mark.parametrize("rule", CATALOGUE, ids=lambda rule: rule.id)
def test_each_rule_has_words(rule: object) -> None:
    found = BY_ID[getattr(rule, "id", "")]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", found.id)
    assert found.reason.endswith(".")
    assert found.remedy.endswith(".")
    assert f"## {found.id}\n\n{found.reason} {found.remedy}\n" in page()
    assert found.docs == f"docs/reference/policies.md#{found.id}"


def exemption(until: date) -> Policies:
    found = Exemption(
        rule=IMAGE_ALLOWED, workspaces=frozenset({"ws"}), reason="why not", until=until
    )
    return Policies(images=("codehub/*",), exemptions=(found,))


@pytest.mark.parametrize(
    ("policies", "told"),
    [
        (None, {}),
        (Policies(), {}),
        (LISTED, {"level": "mandatory", "images": ["codehub/*"]}),
        (Policies(images=("x",), levels={IMAGE_ALLOWED: Level.OFF}), {}),
        (
            Policies(images=("x",), levels={IMAGE_ALLOWED: Level.ADVISORY}),
            {"level": "advisory", "images": ["x"]},
        ),
        (exemption(TODAY), {}),
        (
            exemption(date(2030, 6, 29)),
            {
                "level": "mandatory",
                "images": ["codehub/*"],
                "note": "its exemption ended on 2030-06-29: why not",
            },
        ),
    ],
)
def test_what_the_pack_is_told(policies: Policies | None, told: dict[str, object]) -> None:
    found = pack_rules("ws", policies=policies, today=TODAY)
    assert found == ({IMAGE_ALLOWED: told} if told else {})


def test_the_list_refuses_in_the_pack_s_own_rules() -> None:
    assert configured({}) == RULES
    rules = configured(pack_rules("ws", policies=exemption(date(2030, 6, 29)), today=TODAY))
    assert evaluate(container(image="codehub/x:1"), rules=rules) == ()
    (finding,) = evaluate(container(image="other"), rules=rules)
    assert finding.rule.id == IMAGE_ALLOWED
    assert finding.mandatory
    assert finding.detail == (
        "the image other is not on the list of allowed images; "
        "its exemption ended on 2030-06-29: why not"
    )
    nothing = Resource(type=CONTAINER, name="container")
    assert IMAGE_ALLOWED in {each.rule.id for each in evaluate(nothing, rules=rules)}


def test_an_advisory_list_is_advisory_in_pulumi_too() -> None:
    policies = Policies(images=("x",), levels={IMAGE_ALLOWED: Level.ADVISORY})
    settings = pack_rules("ws", policies=policies, today=TODAY)
    found = {each.name: each.enforcement_level for each in pack_policies(settings)}
    assert str(getattr(found[IMAGE_ALLOWED], "value", "")) == "advisory"
    assert set(found) == {rule.id for rule in RULES}
