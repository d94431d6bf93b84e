"""Words of others as screens and terminals take them."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.controllers import logs
from telemetry import words
from telemetry.words import harmless, plain, printable

STEERING = [
    "\x1b[1;31mred\x1b[0m",
    "\x1b[2K\x1b[1Gred",
    "\x1b]0;a title\x07red",
    "\x1b]8;;http://a/\x1b\\red\x1b]8;;\x1b\\",
    "\x1b]52;c;Y29weQ==\x07red",
    "\x1bPq#0\x1b\\red",
    "\x1b(Bred\x1b7",
    "red\x1b",
    "\x1b\x1b[1mred",
]
odd = st.text(alphabet="\x1b[]P0;m\\\x07\x9b\r\n\t a\0\ud800")


@pytest.mark.parametrize("text", STEERING)
def test_nothing_steers_a_terminal(text: str) -> None:
    assert plain(text) == harmless(text) == "red"


def test_lines_that_were_drawn_over_each_other_are_lines() -> None:
    assert plain("10 %\r50 %\r100 %\r\r\nready\r\n") == "10 %\n50 %\n100 %\nready\n"


def test_what_is_not_ended_takes_no_other_line_with_it() -> None:
    assert plain("\x1b]0;a title without an end\nred") == "\nred"
    assert plain("\x1b]0;a title\rred") == "\nred"


@pytest.mark.parametrize("end", ["\x07", "\x18", "\x1a", "\x9c", "\x1b\\"])
def test_each_end_of_a_string_ends_it(end: str) -> None:
    assert plain(f"\x1b]0;title{end}red") == "red"


@given(odd)
def test_words_that_do_no_harm_have_no_controls(text: str) -> None:
    kept = harmless(text)
    assert not set(kept) - set(" \t\n[]P0;m\\a?")
    assert harmless(kept) == kept


@given(odd)
def test_a_line_shows_all_of_itself(text: str) -> None:
    assert printable(text).isprintable()
    assert len(printable(text)) == len(text)
    assert printable(text, mark="", keep="\t\n") == "".join(
        char for char in text if char in "\t\n" or char.isprintable()
    )


def test_what_prints_stays_as_it_was() -> None:
    assert printable("home é 家") == "home é 家"
    assert printable("a\tb\x1b[1m\u202ec") == "a?b?[1m?c"
    assert printable("a\tb\nc", mark=" ", keep="\t") == "a\tb c"


HARMFUL = [
    *(chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\r\x1b"),
    *"\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
]


@pytest.mark.parametrize("harm", HARMFUL, ids=ascii)
def test_each_control_is_marked(harm: str) -> None:
    assert harmless(f"a{harm}b") == printable(f"a{harm}b") == "a?b"


def test_the_page_of_logs_takes_out_the_same() -> None:
    script = Path(logs.__file__).parents[1] / "pages" / "static" / "logs.js"
    found = re.search(r"STEERING =\s*/(.+)/g;", script.read_text())
    assert found is not None
    assert found[1] == words.STEERING.pattern
