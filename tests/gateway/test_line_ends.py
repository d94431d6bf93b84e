"""Line ends outlive a browser: those of lines that nobody touched stay, whatever they are."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.line_ends import with_line_ends_of

TEXTS = st.lists(st.sampled_from(["a", "b", "\n", "\r\n", "\r"]), max_size=30).map("".join)
MIXED = "a\r\nb\nc\rd\r\n"


def test_line_ends_are_those_of_the_file() -> None:
    assert with_line_ends_of("a\r\nb\r\n", "x\n") == "a\nb\n"
    assert with_line_ends_of("a\r\nb\rc", "x\r\n") == "a\r\nb\r\nc"
    assert with_line_ends_of("a\r\nb\r\n", "x\r") == "a\rb\r"
    assert with_line_ends_of("a\r\nb", "x") == "a\nb"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\nc\nd\n", MIXED),
        ("a\nb\nc\nd\ne\n", MIXED + "e\r\n"),
        ("a\nb\nc\nd", "a\r\nb\nc\rd"),
        ("b\nc\nd\n", "b\nc\rd\r\n"),
        ("A\nb\nc\nD\n", "A\r\nb\nc\rD\r\n"),
        ("a\nx\nb\ny\nc\nd\n", "a\r\nx\r\nb\ny\r\nc\rd\r\n"),
        ("", ""),
    ],
)
def test_each_line_keeps_its_own_end(text: str, expected: str) -> None:
    assert with_line_ends_of(text.replace("\n", "\r\n"), MIXED) == expected


@given(TEXTS)
@example("\r\r\n\n")
def test_what_nobody_changed_comes_back_as_it_was(text: str) -> None:
    assert with_line_ends_of(with_line_ends_of(text, ""), text) == text


@given(TEXTS, TEXTS)
def test_only_line_ends_change(text: str, model: str) -> None:
    assert with_line_ends_of(with_line_ends_of(text, model), "") == with_line_ends_of(text, "")


def test_of_very_many_lines_the_ends_around_the_changes_stay() -> None:
    model = "a\n" + "b\r\n" * 1000 + "c\r"
    found = with_line_ends_of("a\nX\n" + "b\n" * 998 + "X\nc\n", model)
    assert found == "a\n" + "X\n" + "b\n" * 998 + "X\nc\r"
