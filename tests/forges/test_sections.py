"""Each writer has a section of the one comment: it stays, goes with its commit, and can't be forged."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forges.markup import CUT_NOTE, hidden
from forges.sections import ORDER, Name, Section, joined, read, written
from tests.forges.said import said

NEW, OLD = "a" * 40, "b" * 64
PIECES = [
    "<!-- codehub:end files -->",
    f"<!-- codehub:section live {NEW} -->",
    hidden("preview"),
    *("\n", "\n\n", "\r", "\r\n", "\u2028", "\x00", "```", "<!--", "-->", " codehub:end ", "x "),
]
NASTY = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


def whole(*parts: Section, limit: int = 65_536) -> str:
    return written(parts, marker="preview", limit=limit)


def files(body: str, head: str = NEW) -> Section:
    return Section("files", head, body)


def live(body: str, head: str = NEW) -> Section:
    return Section("live", head, body)


def test_a_comment_is_its_marker_and_its_sections_in_their_order() -> None:
    told = whole(*joined([said("there", section="live", head=NEW)], files("**said**")))
    assert told == (
        "<!-- codehub:preview -->\n"
        f"<!-- codehub:section files {NEW} -->\n**said**\n<!-- codehub:end files -->\n"
        f"<!-- codehub:section live {NEW} -->\nthere\n<!-- codehub:end live -->"
    )
    assert read(told.replace("\n", "\r\n")) == [files("**said**"), live("there")]


def test_what_others_said_of_the_same_commit_stays() -> None:
    before = whole(files("one"), live("two"))
    assert joined([before], files("three")) == [files("three"), live("two")]
    assert joined([before], live("three")) == [files("one"), live("three")]


def test_what_was_said_of_another_commit_goes() -> None:
    before = whole(files("one", OLD), live("two", OLD))
    assert joined([before], live("three")) == [live("three")]


def test_of_two_comments_of_ours_the_later_one_counts() -> None:
    first = whole(files("one"), live("there"))
    later = whole(live("still there"))
    assert joined([first, later], files("two")) == [files("two"), live("still there")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words of a former version",
        f"<!-- codehub:section files {NEW} -->\nwithout an end",
        f"<!-- codehub:section files {NEW} -->\nx\n<!-- codehub:end live -->",
        f"> <!-- codehub:section files {NEW} -->\nquoted\n<!-- codehub:end files -->",
        f"<!-- codehub:section other {NEW} -->\nx\n<!-- codehub:end other -->",
        "<!-- codehub:section files main -->\nx\n<!-- codehub:end files -->",
    ],
)
def test_what_is_no_section_is_left_out(text: str) -> None:
    assert read(text) == []
    assert joined([text], files("new")) == [files("new")]


def test_one_that_begins_again_lost_its_end() -> None:
    begun = f"<!-- codehub:section files {NEW} -->\n"
    assert read(f"{begun}one\n{begun}two\n<!-- codehub:end files -->") == [files("two")]


@given(NASTY, NASTY)
def test_no_text_ends_or_begins_a_section(one: str, two: str) -> None:
    told = whole(files(one), live(two))
    found = read(told)
    assert [(part.name, part.head) for part in found] == [("files", NEW), ("live", NEW)]
    # What was read is written as it was: a section of others does not change by being kept.
    assert whole(*found) == told


def test_a_body_that_begins_with_the_marker_gets_no_second_one() -> None:
    told = whole(files(f"{hidden('preview')}\nsaid"))
    assert told.count(hidden("preview")) == 1
    assert read(told) == [files("said")]


@given(st.integers(0, 400), st.integers(0, 400), st.integers(700, 1200))
def test_the_whole_is_as_long_as_it_may_be(one: int, two: int, limit: int) -> None:
    told = whole(files("first\n" * one), live("second\n" * two), limit=limit)
    assert len(told) <= limit
    assert [part.name for part in read(told)] == ["files", "live"]


def test_the_first_section_has_the_room() -> None:
    told = whole(files("kept\n" * 400), live("cut\n" * 400), limit=2400)
    first, second = read(told)
    assert first.body == ("kept\n" * 400).strip()
    assert second.body.endswith(CUT_NOTE.strip())
    assert len(told) <= 2400


def test_a_long_first_section_leaves_a_note_in_the_second() -> None:
    told = whole(files("kept\n" * 900), live("cut\n" * 400), limit=2400)
    first, second = read(told)
    assert first.body.endswith(CUT_NOTE.strip())
    assert second.body.endswith(CUT_NOTE.strip())


@pytest.mark.parametrize("head", ["", "main", "A" * 40, "a" * 39, f"{'a' * 40} -->"])
def test_a_section_is_of_a_commit(head: str) -> None:
    with pytest.raises(ValueError, match="not a section"):
        Section("files", head, "x")


def test_a_section_has_a_known_name() -> None:
    assert get_args(Name) == ORDER == ("files", "live")
    with pytest.raises(ValueError, match="not a section"):
        Section("other", NEW, "x")  # type: ignore[arg-type]
