"""The pack: one policy for each rule, with its level and words, judging like the rule."""

from typing import Any

import pytest
from pulumi_policy import PolicyResourceOptions, ResourceValidationArgs, ResourceValidationPolicy

from policies.pack.pack import policies
from policies.rules import CONTAINER, RULES, VOLUME

HOME_LABELS = [
    {"label": f"codehub.{name}", "value": value}
    for name, value in (("workspace", "alice-api"), ("owner", "alice"), ("home", "1"))
]


def validation(kind: str, properties: dict[str, Any], *, protect: bool = False) -> list[str]:
    """Run all policies on one resource; gives (rule, message) as one text each."""
    said: list[str] = []
    options = PolicyResourceOptions(protect, ["labels"], None, [], None, [])  # type: ignore[arg-type]
    args = ResourceValidationArgs(kind, properties, "urn:x", "name", options, None, {}, {})
    for policy in policies():
        assert isinstance(policy, ResourceValidationPolicy)

        def report(message: str, _: str | None, name: str = policy.name) -> None:
            said.append(f"{name}: {message}")

        policy.validate(args, report)
    return said


def test_there_is_one_policy_for_each_rule() -> None:
    found = {policy.name: policy for policy in policies()}
    assert set(found) == {rule.id for rule in RULES}
    for rule in RULES:
        assert found[rule.id].description == rule.reason
        level = found[rule.id].enforcement_level
        assert level is not None
        assert level.value == rule.level.value


@pytest.mark.parametrize(
    ("kind", "properties", "rules"),
    [
        (
            CONTAINER,
            {},
            {"limit-memory", "limit-cpu", "limit-pids", "no-privilege", "labels-complete"},
        ),
        (VOLUME, {"labels": HOME_LABELS}, {"home-retained"}),
        (VOLUME, {}, set()),
        ("docker:index/network:Network", {}, set()),
    ],
)
def test_policies_judge_like_the_rules(
    kind: str, properties: dict[str, Any], rules: set[str]
) -> None:
    said = validation(kind, properties)
    assert {text.partition(":")[0] for text in said} == rules
    for rule in RULES:
        assert all(rule.remedy in text for text in said if text.startswith(f"{rule.id}:"))


def test_protection_reaches_the_rule() -> None:
    properties = {"labels": HOME_LABELS}
    assert validation(VOLUME, properties, protect=True) == []
