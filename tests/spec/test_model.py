"""The model by itself: what code may build, what it becomes as JSON, and that it can't change."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from spec import Resources, WorkspaceSpec, read_text
from spec.rules import CPU_MAX, MEMORY_MAX, MEMORY_MIN, PIDS_MAX, PIDS_MIN, STATES
from spec.units import format_size

ids = st.from_regex(r"[a-z]([a-z0-9]|-(?!-)){0,10}[a-z0-9]x9", fullmatch=True)
names = st.from_regex(r"[A-Z][A-Z0-9_]{0,10}", fullmatch=True).filter(
    lambda name: not name.startswith("CODEHUB_")
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
resources = st.builds(
    Resources,
    cpu=st.integers(100, CPU_MAX * 1000).map(lambda milli: milli / 1000),
    memory=st.integers(MEMORY_MIN, MEMORY_MAX),
    pids=st.integers(PIDS_MIN, PIDS_MAX),
)
specs = st.builds(
    WorkspaceSpec,
    id=ids,
    owner=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}[a-z0-9]", fullmatch=True),
    image=st.sampled_from(["a", "codehub/code-server:1", "registry.example.org/x/y"]),
    resources=resources,
    env=st.dictionaries(names, texts, max_size=5),
    state=st.sampled_from(STATES),
)


def quoted(text: str) -> str:
    """YAML's double quotes with everything odd escaped."""
    plain = "".join(
        char
        if char.isascii() and char.isprintable() and char not in '"\\'
        else f"\\U{ord(char):08x}"
        for char in text
    )
    return f'"{plain}"'


def written(spec: WorkspaceSpec) -> str:
    """A file that says the same."""
    env = "".join(f"\n  {name}: {quoted(value)}" for name, value in spec.env.items()) or " {}"
    limits = spec.resources
    return (
        f"owner: {quoted(spec.owner)}\nimage: {spec.image}\nstate: {spec.state}\n"
        f"resources: {{cpu: {limits.cpu}, memory: {format_size(limits.memory)}, "
        f"pids: {limits.pids}}}\nenv:{env}\n"
    )


@given(specs)
def test_a_written_spec_reads_back_equal(spec: WorkspaceSpec) -> None:
    assert read_text(written(spec).encode(), file=f"{spec.id}.yaml") == spec


@given(specs)
def test_json_round_trip(spec: WorkspaceSpec) -> None:
    assert WorkspaceSpec.model_validate_json(spec.model_dump_json()) == spec


def test_json_has_sizes_with_units() -> None:
    assert Resources().model_dump(mode="json") == {"cpu": 2.0, "memory": "4Gi", "pids": 4096}
    assert Resources().model_dump()["memory"] == 4 * 1024**3


def test_specs_do_not_change() -> None:
    spec = WorkspaceSpec(id="a-b", owner="alice", image="a")
    with pytest.raises(ValidationError, match="frozen"):
        spec.owner = "bob"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"id": "A"}, "can't be a workspace's id"),
        ({"id": "api"}, "reserved"),
        ({"owner": 5}, "must be text, for example alice"),
        ({"resources": {"memory": 5}}, "5 bytes is out of range"),
        ({"resources": {"memory": "5"}}, "add a unit"),
        ({"env": {"A": 5}}, "must be text"),
        ({"extra": 1}, "Extra inputs"),
    ],
)
def test_code_meets_the_same_rules(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        WorkspaceSpec.model_validate({"id": "a-b", "owner": "alice", "image": "a"} | change)
