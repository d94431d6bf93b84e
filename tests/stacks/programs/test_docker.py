"""The small decisions of rendering; the whole is checked on real containers and volumes."""

import ast
import inspect
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.programs import docker, resources
from stacks.programs.docker import _adopted
from stacks.programs.resources import decimal


def read_back(text: str) -> str:
    """The provider's ``nanoInt64ToDecimalString`` of what it was given, in its own words."""
    nanos = int(Decimal(text) * 1_000_000_000)
    whole = f"{nanos // 1_000_000_000}.{nanos % 1_000_000_000:09d}"
    return f"{Decimal(whole):.1f}" if whole.count("0") == 9 else whole.rstrip("0")


@pytest.mark.parametrize(
    ("cores", "text"),
    [
        (2, "2.0"), (2.0, "2.0"), (0.5, "0.5"), (0.25, "0.25"), (1.05, "1.05"), (10.0, "10."),
        (101, "101."), (0.05, "0.050000001"), (0.01, "0.010000001"), (10.05, "10.050000001"),
    ],
)  # fmt: skip
def test_cores_are_written_as_the_provider_reads_them_back(cores: float, text: str) -> None:
    assert decimal(cores) == text


@given(st.decimals("0.001", "256", places=3))
def test_what_is_written_is_what_is_read_and_means_the_same(cores: Decimal) -> None:
    text = decimal(float(cores))
    assert read_back(text) == text
    assert abs(Decimal(text) - cores) <= Decimal("1e-9")


def test_what_is_adopted_comes_with_its_id() -> None:
    assert _adopted(frozenset({"network:abc"}), "network") == "abc"
    assert _adopted(frozenset({"home"}), "network") is None


def test_a_home_is_retained_whatever_happens_to_it() -> None:
    """Policies do not see `retain_on_delete`: the program itself is looked at."""
    tree = ast.parse(inspect.getsource(docker))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    volumes = [call for call in calls if ast.unparse(call.func) == "docker.Volume"]
    assert len(volumes) == 1
    (options,) = [word.value for word in volumes[0].keywords if word.arg == "opts"]
    assert isinstance(options, ast.Call)
    found = {word.arg: ast.unparse(word.value) for word in options.keywords}
    assert found["protect"] == found["retain_on_delete"] == "True"
    assert "labels" in found["ignore_changes"]


def test_containers_are_never_switched_on_by_pulumi() -> None:
    source = Path(resources.__file__).read_text()
    assert '"start": False' in source
    assert '"mustRun": False' in source
