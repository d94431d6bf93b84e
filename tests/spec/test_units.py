"""Sizes to bytes and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spec.errors import RuleError
from spec.units import UNITS, format_size, parse_size


@pytest.mark.parametrize(("unit", "factor"), UNITS.items())
def test_each_unit(unit: str, factor: int) -> None:
    assert parse_size(f"3{unit}") == 3 * factor
    assert parse_size(f"0.5{unit}") == factor // 2


@given(st.integers(0, 2**50))
def test_formatted_sizes_parse_back(size: int) -> None:
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (4 * 1024**3, "4Gi"),
        (1536 * 1024**2, "1536Mi"),
        (5_000_000_000, "5G"),
        (1000, "1K"),
        (1001, "1.001K"),
        (1, "0.001K"),
        (0, "0G"),
    ],
)
def test_the_shortest_exact_text(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("4", "add a unit: 4Gi or 4Mi"),
        ("4gb", "write 4Gi"),
        ("4 kib", "write 4Ki"),
        ("512 megabytes", "the units are Ki, Mi, Gi, Ti, K, M, G, T: write 512Gi or 512Mi"),
        ("4Gi\n", "write 4Gi"),
        ("", "write a number and a unit, such as 512Mi or 4Gi"),
        ("0.0001K", "use a smaller unit"),
    ],
)
def test_what_is_not_a_size(text: str, hint: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_size(text)
    assert caught.value.hint == hint
