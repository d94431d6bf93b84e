"""Durations and sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.errors import UnitError
from settings.units import format_duration, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("1s", 1),
        ("1.5s", 1.5),
        ("30m", 1800),
        ("1h30m", 5400),
        ("7d", 604800),
        ("1d1h1m1s1ms", 90061.001),
        ("0s", 0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30",
        "m",
        "-1s",
        "1 s",
        "1w",
        "1s ",
        "1H",
        "1m30",
        "1e3s",
        "\u0661s",
        "s1",
        "1.s",
        "1s\n",
    ],
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UnitError, match=r"not a duration: .* such as 30m"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("65536", 65536),
        ("1k", 1000),
        ("10M", 10_000_000),
        ("1G", 10**9),
        ("2T", 2 * 10**12),
        ("4Ki", 4096),
        ("512Mi", 512 * 2**20),
        ("1.5Gi", 3 * 2**29),
        ("1Ti", 2**40),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "Gi", "-1Gi", "4 Gi", "4GB", "4gi", "4K", "1e3", "4Gi\n"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UnitError, match=r"not a size: .* such as 4Gi"):
        parse_size(text)


def test_a_size_is_whole_bytes() -> None:
    with pytest.raises(UnitError, match="whole number"):
        parse_size("1.0001Ki")


@given(st.integers(min_value=0, max_value=10**10))
def test_a_written_duration_reads_back(milliseconds: int) -> None:
    text = format_duration(milliseconds / 1000)
    assert parse_duration(text) == pytest.approx(milliseconds / 1000)


def test_durations_are_written_short() -> None:
    assert [format_duration(value) for value in (0, 0.25, 90, 5400, 604800)] == [
        "0s",
        "250ms",
        "1m30s",
        "1h30m",
        "7d",
    ]
