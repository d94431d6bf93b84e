"""Pulumi's events, as we tell them and as they add up."""

from typing import Any

import pytest
from pulumi.automation import events as auto

from stacks.engine.events import Collector, to_wire, translate
from stacks.engine.model import EngineEvent, ResourceChange, name_of
from stacks.errors import Violation

CONTAINER = "docker:index/container:Container"


def urn(name: str, kind: str = CONTAINER) -> str:
    return f"urn:pulumi:s::codehub::{kind}::{name}"


def step(event: str, op: str, name: str = "container", **more: Any) -> auto.EngineEvent:
    kind = more.pop("type", CONTAINER)
    metadata = {"op": op, "urn": urn(name, kind), "type": kind, "provider": "p", **more}
    return auto.EngineEvent.from_json({event: {"metadata": metadata}})


def collected(*events: auto.EngineEvent) -> Collector:
    collector = Collector()
    for event in events:
        collector.add(event)
    return collector


def test_the_name_is_the_last_part_of_the_urn() -> None:
    assert name_of(urn("home")) == "home"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (step("resourcePreEvent", "create"), EngineEvent(kind="begin", op="create", resource="container")),
        (step("resOutputsEvent", "same"), EngineEvent(kind="done", op="same", resource="container")),
        (step("resOpFailedEvent", "create"), EngineEvent(kind="failed", op="create", resource="container")),
        (auto.EngineEvent.from_json({"preludeEvent": {"config": {}}}), EngineEvent(kind="prelude")),
        (auto.EngineEvent.from_json({"summaryEvent": {"x": 1}}), EngineEvent(kind="summary")),
        (auto.EngineEvent(1, 1, cancel_event=auto.CancelEvent()), EngineEvent(kind="end")),
        (
            auto.EngineEvent.from_json({"diagnosticEvent": {"message": " hi \n", "severity": "error", "urn": urn("home")}}),
            EngineEvent(kind="message", resource="home", message="hi"),
        ),
        (
            auto.EngineEvent.from_json({"policyEvent": {"message": "no", "policyName": "r"}}),
            EngineEvent(kind="policy", message="no"),
        ),
        (auto.EngineEvent.from_json({"diagnosticEvent": {"message": "x", "severity": "debug"}}), None),
        (auto.EngineEvent.from_json({"stdoutEvent": {"message": "x", "color": "never"}}), None),
    ],
)  # fmt: skip
def test_translate(event: auto.EngineEvent, expected: EngineEvent | None) -> None:
    assert translate(event) == expected


def test_only_filled_fields_go_over_the_wire() -> None:
    assert to_wire(EngineEvent(kind="done", op="same", resource="home")) == {
        "kind": "done",
        "op": "same",
        "resource": "home",
    }


@pytest.mark.parametrize(
    ("ops", "whole"),
    [
        (["same"], "same"),
        (["create"], "create"),
        (["refresh", "same"], "same"),
        (["refresh", "same", "update"], "update"),
        (["refresh", "delete", "create"], "create"),
        (["delete-replaced", "replace", "create-replacement"], "replace"),
        (["import"], "import"),
        (["import-replacement"], "replace"),
        (["refresh"], "same"),
    ],
)
def test_steps_of_one_resource_are_one_change(ops: list[str], whole: str) -> None:
    collector = collected(*(step("resourcePreEvent", op) for op in ops))
    assert [change.op for change in collector.changes()] == [whole]


def test_a_change_has_its_properties_and_what_forces_a_replacement() -> None:
    diff = {"labels[0].value": {"diffKind": "update-replace"}, "memory": {"diffKind": "update"}}
    collector = collected(
        step("resourcePreEvent", "replace", keys=["labels"], detailedDiff=diff),
        step("resOutputsEvent", "create-replacement"),
    )
    assert collector.changes() == (
        ResourceChange(
            op="replace",
            type=CONTAINER,
            name="container",
            properties={"labels[0].value": "update-replace", "memory": "update"},
            replace_keys=("labels",),
        ),
    )


def test_stack_and_providers_are_no_changes_but_the_stack_has_outputs() -> None:
    stack = "pulumi:pulumi:Stack"
    collector = collected(
        step("resourcePreEvent", "create", name="codehub-s", type=stack),
        step("resourcePreEvent", "create", name="default", type="pulumi:providers:docker"),
        step("resOutputsEvent", "create", name="codehub-s", type=stack, new={"outputs": {"home": "v"}}),
        step("resOutputsEvent", "same", name="codehub-s", type=stack, new={"outputs": {}}),
    )  # fmt: skip
    assert collector.changes() == ()
    assert collector.outputs == {"home": "v"}


def test_errors_policies_and_failed_steps_are_kept() -> None:
    told = {"message": "boom ", "severity": "error", "urn": urn("container")}
    quiet = {"message": "careful", "severity": "warning"}
    policy = {
        "message": "no ",
        "policyName": "limit-cpu",
        "enforcementLevel": "mandatory",
        "resourceUrn": urn("container"),
    }
    collector = collected(
        auto.EngineEvent.from_json({"diagnosticEvent": told}),
        auto.EngineEvent.from_json({"diagnosticEvent": quiet}),
        auto.EngineEvent.from_json({"policyEvent": policy}),
        auto.EngineEvent.from_json({"policyEvent": {**policy, "enforcementLevel": "advisory"}}),
        step("resOpFailedEvent", "create"),
    )
    assert collector.errors == [("container", "boom")]
    assert collector.failed == ["container"]
    violation = Violation(rule="limit-cpu", resource="container", message="no")
    assert collector.policies[0] == violation
    assert not collector.policies[1].mandatory
