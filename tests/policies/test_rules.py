"""Every rule on what keeps it and on what breaks it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.rules import CONTAINER, RULES, VOLUME, Level, Resource, evaluate, labels

LABELS = [
    {"label": "codehub.workspace", "value": "alice-api"},
    {"label": "codehub.owner", "value": "alice"},
    {"label": "codehub.prefix", "value": "codehub-ws-"},
    {"label": "codehub.spec-hash", "value": "one"},
    {"label": "codehub.pids", "value": "100"},
]
HOME_LABELS = [*LABELS[:2], {"label": "codehub.home", "value": "1"}]
GOOD: Mapping[str, Any] = {
    "name": "codehub-ws-alice-api",
    "image": "codehub/light",
    "user": "1000:1000",
    "memory": 4096.0,
    "memorySwap": 4096.0,
    "cpus": "2",
    "capabilities": {"drops": ["ALL"]},
    "securityOpts": ["no-new-privileges:true"],
    "networkMode": "codehub-net",
    "labels": LABELS,
    "mounts": [
        {"type": "volume", "source": "codehub-ws-alice-api-home-1", "target": "/home/coder"},
        {"type": "bind", "source": "/data/run/alice-api", "target": "/run/codehub"},
    ],
}
HOME = Resource(
    type=VOLUME,
    name="home",
    properties={"labels": HOME_LABELS},
    protect=True,
    ignore_changes=("labels", "driver"),
)


def container(**change: Any) -> Resource:
    properties = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    return Resource(type=CONTAINER, name="container", properties=properties)


def bind(source: str, target: str = "/run/codehub") -> dict[str, Any]:
    return {"mounts": [{"type": "bind", "source": source, "target": target}]}


def broken(resource: Resource) -> list[str]:
    return [finding.rule.id for finding in evaluate(resource)]


def test_our_own_container_and_home_break_nothing() -> None:
    assert broken(container()) == []
    assert broken(HOME) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"memory": None, "memorySwap": None}, "limit-memory"),
        ({"memory": 0}, "limit-memory"),
        ({"memory": "lots"}, "limit-memory"),
        ({"memorySwap": None}, "limit-memory"),
        ({"memorySwap": -1}, "limit-memory"),
        ({"memorySwap": 8192}, "limit-memory"),
        ({"cpus": None}, "limit-cpu"),
        ({"cpus": "0"}, "limit-cpu"),
        ({"labels": LABELS[:-1]}, "limit-pids"),
        ({"labels": [*LABELS[:-1], {"label": "codehub.pids", "value": "-1"}]}, "limit-pids"),
        ({"privileged": True}, "no-privilege"),
        ({"capabilities": None}, "no-privilege"),
        ({"capabilities": {"drops": ["NET_RAW"]}}, "no-privilege"),
        ({"capabilities": {"drops": ["ALL"], "adds": ["SYS_ADMIN"]}}, "no-privilege"),
        ({"devices": [{"hostPath": "/dev/kvm"}]}, "no-privilege"),
        ({"deviceCgroupRules": ["a *:* rwm"]}, "no-privilege"),
        ({"gpus": "all"}, "no-privilege"),
        ({"user": None}, "no-privilege"),
        ({"user": "root"}, "no-privilege"),
        ({"user": "0:1000"}, "no-privilege"),
        ({"securityOpts": None}, "no-privilege"),
        ({"securityOpts": ["no-new-privileges:false"]}, "no-privilege"),
        ({"securityOpts": ["no-new-privileges", "seccomp=unconfined"]}, "no-privilege"),
        ({"networkMode": "host"}, "no-shared-namespace"),
        ({"networkMode": "container:other"}, "no-shared-namespace"),
        ({"pidMode": "host"}, "no-shared-namespace"),
        ({"ipcMode": "host"}, "no-shared-namespace"),
        ({"usernsMode": "host"}, "no-shared-namespace"),
        ({"cgroupnsMode": "host"}, "no-shared-namespace"),
        (bind("/var/run/docker.sock", "/var/run/docker.sock"), "no-host-mount"),
        (bind("/data/run/alice-api", "/elsewhere"), "no-host-mount"),
        (bind("/data/run/bob-api"), "no-host-mount"),
        (bind("/data/run/../run/alice-api"), "no-host-mount"),
        (bind("run/alice-api"), "no-host-mount"),
        (bind("/data/other/alice-api"), "no-host-mount"),
        (bind("/"), "no-host-mount"),
        ({"volumes": [{"hostPath": "/", "containerPath": "/host"}]}, "no-host-mount"),
    ],
)
def test_one_change_breaks_one_rule(change: dict[str, Any], rule: str) -> None:
    assert set(broken(container(**change))) == {rule}


@pytest.mark.parametrize(
    "change",
    [
        {"memorySwap": 2048},
        {"cpus": 0.5},
        {"securityOpts": ["no-new-privileges"]},
        {"networkMode": None},
        {"ipcMode": "private"},
        {"volumes": [{"volumeName": "v", "containerPath": "/v"}]},
        {"mounts": None},
        {"user": "coder"},
    ],
)
def test_what_keeps_the_rules_passes(change: dict[str, Any]) -> None:
    assert broken(container(**change)) == []


@pytest.mark.parametrize("change", [{"protect": False}, {"ignore_changes": ("driver",)}])
def test_a_home_must_be_protected_and_its_labels_left_alone(change: dict[str, Any]) -> None:
    assert broken(replace(HOME, **change)) == ["home-retained"]


def test_other_volumes_and_other_resources_are_not_spoken_of() -> None:
    assert broken(Resource(type=VOLUME, name="cache")) == []
    assert broken(Resource(type="docker:index/network:Network", name="network")) == []


def test_a_resource_with_nothing_set_breaks_every_rule_on_limits_and_privilege() -> None:
    found = set(broken(Resource(type=CONTAINER, name="container")))
    limits = {"limit-memory", "limit-cpu", "limit-pids"}
    assert found == limits | {"no-privilege", "labels-complete"}


def test_only_the_rules_asked_for_are_run() -> None:
    nothing = Resource(type=CONTAINER, name="container")
    assert [item.rule for item in evaluate(nothing, rules=RULES[:1])] == [RULES[0]]


def test_a_finding_says_what_why_and_what_to_do() -> None:
    (finding,) = evaluate(container(cpus=None))
    rule = finding.rule
    assert finding.resource == "container"
    for text in ("cpus is not limited", rule.reason, rule.remedy, rule.docs):
        assert text in finding.message


def test_labels_of_any_shape_are_read() -> None:
    odd = {"labels": [{"label": "a", "value": 1}, {"value": "x"}, "text", {"label": "b"}]}
    assert labels(Resource(type=VOLUME, name="v", properties=odd)) == {"a": "1", "b": ""}


def test_rules_have_ids_of_their_own_and_are_explained() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)
    page = (Path(__file__).resolve().parents[2] / RULES[0].docs.partition("#")[0]).read_text()
    for rule in RULES:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.id)
        assert rule.reason.endswith(".")
        assert rule.remedy.endswith(".")
        assert rule.level is Level.MANDATORY
        assert f"## {rule.id}\n" in page
        assert rule.remedy in page


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.sampled_from(["memory", "memorySwap", "cpus", "user", "networkMode", "pidMode"]), JSON)
def test_no_value_of_a_simple_property_makes_a_rule_fail_to_judge(name: str, value: Any) -> None:
    found = evaluate(container(**{name: value}))
    assert all(finding.message for finding in found)
