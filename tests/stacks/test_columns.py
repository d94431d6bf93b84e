"""A workspace in three columns: what differs is told, what may be a secret is not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from spec import Problem, WorkspaceSpec
from stacks import drift
from stacks.columns import HIDDEN, HIDDEN_OTHER, compare
from stacks.looks import Comparison, Line
from stacks.observed import Observed
from stacks.plan import plan_one
from stacks.planned import Known, Wish
from stacks.power import Container, HomeVolume
from stacks.rendering import Facts, render
from stacks.source import Snapshot
from state_index.models import Published
from state_index.phases import Phase, Sync
from tests.stacks.test_reconciler import spec_of

FACTS = Facts(name_prefix="x-", network="x-net", run="/run/x")
HOME = HomeVolume(workspace="aa", number=2, name="x-aa-home-2", owner="alice")
IMAGE = {"command": "serve", "env.PATH": "/bin", "env.IMAGE_TOKEN": "s3cr3t"}


def seen(
    spec: WorkspaceSpec, changed: Mapping[str, str | None] | None = None, *, image: bool = True
) -> Container:
    """A container as an `up` of a file leaves it, and as another hand changed it."""
    given = IMAGE if image else None
    inputs = render(spec, facts=FACTS, home=_inputs_home(spec))
    values = {**drift.wanted(inputs, IMAGE), **(changed or {})}
    kept = {key: value for key, value in values.items() if value is not None}
    labels = {k.removeprefix("label."): v for k, v in kept.items() if k.startswith("label.")}
    return Container(
        id="c" * 64,
        name="x-aa",
        workspace="aa",
        state="running",
        image=spec.image,
        labels=labels,
        home=HOME.name,
        observed=Observed(values=kept, image=given),
    )


def _inputs_home(spec: WorkspaceSpec) -> Any:
    known = Known(id="aa", spec=spec, homes=(HOME,), row=row(spec), container=None)
    change = plan_one(known, snapshot=Snapshot(specs={"aa": spec}), facts=FACTS, wish=Wish())
    assert change.inputs is not None
    return change.inputs.home


def row(spec: WorkspaceSpec, **more: Any) -> Published:
    values = {
        "id": "aa",
        "owner": spec.owner,
        "phase": Phase.RUNNING,
        "sync": Sync.SYNCED,
        "applied_hash": "h",
        "desired_hash": "h",
        "spec_json": spec.model_dump_json(),
        **more,
    }
    return Published(**values)


def told(
    file: WorkspaceSpec | None,
    applied: WorkspaceSpec | None,
    container: Container | None,
    *,
    message: str = "",
    homes: tuple[HomeVolume, ...] = (HOME,),
    **more: Any,
) -> Comparison:
    published = row(applied, **more) if applied else None
    known = Known(id="aa", spec=file, row=published, container=container, homes=homes)
    specs = {"aa": file} if file else {}
    change = plan_one(known, snapshot=Snapshot(specs=specs), facts=FACTS, wish=Wish())
    return compare(change, facts=FACTS, message=message)


def differing(found: Comparison) -> dict[str, tuple[str | None, str | None, str | None]]:
    return {line.key: (line.file, line.applied, line.engine) for line in found.differing}


def test_one_that_is_as_its_file_says_differs_in_nothing() -> None:
    spec = spec_of("aa", env={"TZ": "UTC"})
    found = told(spec, spec, seen(spec))
    assert found.differing == ()
    assert (found.phase, found.sync, found.message) == ("RUNNING", "Synced", "")
    lines = {line.key: line for line in found.lines}
    assert lines["memory"] == Line(key="memory", file="4Gi", applied="4Gi", engine="4Gi")
    assert lines["owner"].engine == "alice"
    assert lines["state"] == Line(key="state", file="auto", applied="auto", engine="running")
    assert lines["env.TZ"].engine == "UTC"


def test_a_file_that_waits_differs_from_what_was_applied() -> None:
    before, after = spec_of("aa"), spec_of("aa", image="heavy", resources={"memory": "8Gi"})
    found = differing(told(after, before, seen(before)))
    assert found == {
        "image": ("heavy", "light", "light"),
        "memory": ("8Gi", "4Gi", "4Gi"),
        "memory and swap": ("8Gi", "4Gi", "4Gi"),
    }


def test_another_hand_s_change_differs_on_the_engine_alone() -> None:
    spec = spec_of("aa")
    hand = {"memory": "1Gi", "network": "none", "env.EXTRA": "1", "ports": "80/tcp"}
    assert differing(told(spec, spec, seen(spec, hand))) == {
        "memory": ("4Gi", "4Gi", "1Gi"),
        "network": ("x-net", "x-net", "none"),
        "ports": ("none", "none", "80/tcp"),
        "env.EXTRA": (None, None, "1"),
    }


def test_what_the_engine_itself_does_is_told_and_counts_for_nothing() -> None:
    spec = spec_of("aa")
    stays = {"field": "memory", "wanted": "4Gi", "found": "1Gi", "stays": True}
    found = told(spec, spec, seen(spec, {"memory": "1Gi"}), drift=(stays,))
    assert found.differing == ()
    assert [line.key for line in found.lines if line.differs and line.stays] == ["memory"]


@pytest.mark.parametrize(
    ("name", "one", "two"),
    [
        ("API_KEY", "a", "b"),
        ("PLAIN", "https://me:secret@example.org", "https://me:other@example.org"),
    ],
)
def test_secrets_are_never_told(name: str, one: str, two: str) -> None:
    before, after = spec_of("aa", env={name: one}), spec_of("aa", env={name: two})
    found = told(after, before, seen(before))
    assert differing(found) == {f"env.{name}": (HIDDEN, HIDDEN_OTHER, HIDDEN_OTHER)}
    words = str(found.to_json())
    assert "secret@" not in words
    assert "other@" not in words
    assert "s3cr3t" not in words, "nor those of the image"
    lines = {line.key: line for line in found.lines}
    assert lines["env.IMAGE_TOKEN"].engine == HIDDEN


def test_a_secret_is_not_told_under_another_name() -> None:
    before, after = spec_of("aa", env={"TOKEN": "s3cr3t-1"}), spec_of("aa", env={"A": "s3cr3t-1"})
    found = told(after, before, seen(after, {"env.B": "is s3cr3t-1"}))
    assert "s3cr3t-1" not in str(found.to_json())
    assert differing(found)["env.A"] == (HIDDEN, None, HIDDEN)


def test_labels_and_commands_of_others_are_hidden() -> None:
    spec = spec_of("aa")
    hand = {"label.theirs": "password", "command": "serve --token x", "logs": "splunk token=x"}
    found = told(spec, spec, seen(spec, hand))
    assert differing(found) == {
        "label.theirs": (None, None, HIDDEN),
        "command": (HIDDEN, HIDDEN, HIDDEN_OTHER),
        "logs": ("json-file", "json-file", "splunk"),
    }
    assert "token" not in str([line for line in found.lines if line.key != "env.IMAGE_TOKEN"])


def test_values_are_cut_and_printable() -> None:
    spec = spec_of("aa")
    found = differing(told(spec, spec, seen(spec, {"env.A": "\x1b[31m\nred " + "x" * 900})))
    value = found["env.A"][2]
    assert value is not None
    assert (len(value), value[:9], value[-1]) == (200, "?[31m red", "…")


def test_a_container_that_is_gone() -> None:
    spec = spec_of("aa")
    found = told(spec, spec, None)
    assert differing(found) == {"container": ("there", "there", "gone")}
    assert {line.engine for line in found.lines if line.key != "container"} == {None}


def test_a_file_that_is_gone() -> None:
    spec = spec_of("aa")
    found = told(None, spec, seen(spec))
    assert differing(found) == {"container": (None, "there", "there")}


def test_a_new_file() -> None:
    found = told(spec_of("aa"), None, None, homes=())
    assert differing(found) == {"container": ("there", None, "gone")}
    assert (found.phase, found.sync) == ("", "OutOfSync")


def test_a_wrong_file_says_so_and_the_rest_is_told() -> None:
    spec = spec_of("aa")
    problem = Problem("w/aa.yaml", 1, 1, "", "is wrong", "mend it")
    found = told(None, spec, seen(spec, {"memory": "1Gi"}), message=str(problem))
    assert found.message == str(problem)
    assert ("memory" in differing(found), found.sync) == (True, "Synced")


def test_a_home_that_is_gone_is_told_and_the_rest_too() -> None:
    spec = spec_of("aa")
    found = told(spec, spec, seen(spec), homes=())
    assert "home" in found.message
    assert {line.key for line in found.lines} >= {"memory", "image", "state"}


def test_a_pin_that_does_not_hold_differs() -> None:
    spec = spec_of("aa", state="running")
    off = replace(seen(spec), state="exited")
    assert differing(told(spec, spec, off))["state"] == ("running", "running", "exited")
    assert "state" not in differing(told(spec, spec, seen(spec)))


def test_one_that_another_hand_stopped_differs() -> None:
    spec = spec_of("aa", drift="report")
    stopped = {"field": "state", "wanted": "running", "found": "exited", "stays": False}
    found = told(spec, spec, replace(seen(spec), state="exited"), drift=(stopped,))
    assert differing(found)["state"] == ("auto", "auto", "exited")


def test_of_an_image_that_is_gone_nobody_knows_what_came_from_it() -> None:
    spec = spec_of("aa")
    found = told(spec, spec, seen(spec, image=False))
    assert found.differing == ()
    assert "env.PATH" not in {line.key for line in found.lines}


def test_an_applied_file_of_another_release_is_no_column() -> None:
    spec = spec_of("aa")
    found = told(spec, spec, seen(spec), spec_json='{"melted": 1}')
    assert {line.applied for line in found.lines} == {None}
    assert found.differing == ()


def test_it_goes_over_the_socket() -> None:
    spec = spec_of("aa")
    found = told(spec, spec, seen(spec, {"memory": "1Gi"}))
    assert Comparison.from_json(found.to_json()) == found
