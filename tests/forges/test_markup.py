"""Words of others in a comment are words: rendered by CommonMark, they are what they were."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from forges.markup import (
    BREAK,
    block,
    code,
    cut,
    hidden,
    is_marked,
    one_line,
    plain,
    visible,
)

RENDER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
NASTY = st.text(
    st.sampled_from("`|\\<>&*_~[]()#@!/-+.:\n\r\t ab1\u202e\u200b\x00\x1b") | st.characters(),
    max_size=60,
)


def inline(markdown: str) -> list[tuple[str, str]]:
    """Kind and content of what one paragraph is made of."""
    found = RENDER.parse(markdown)
    kinds = [token.type for token in found]
    assert kinds == ["paragraph_open", "inline", "paragraph_close"], (markdown, kinds)
    return [(one.type, one.content) for one in found[1].children or []]


@given(NASTY)
def test_a_value_is_one_code_span_whatever_it_holds(value: str) -> None:
    _, *found = inline(f"x {code(value)}")
    shown = " ".join(visible(value.replace("\r\n", "\n").replace("\r", "\n")).split())
    if shown:
        assert [one for one in found if one != ("text", "")] == [("code_inline", shown)]
    else:
        assert ("text", "(empty)") in found


@given(NASTY)
def test_a_value_stays_in_its_cell(value: str) -> None:
    tokens = RENDER.parse(f"| a | b |\n| --- | --- |\n| {code(value, cell=True)} | end |")
    cells = [tokens[i + 1] for i, one in enumerate(tokens) if one.type == "td_open"]
    assert len(cells) == 2
    assert cells[1].content == "end"


@given(NASTY)
def test_several_lines_are_one_block_that_they_do_not_end(value: str) -> None:
    (fence,) = RENDER.parse(block(value, language="diff"))
    assert (fence.type, fence.info) == ("fence", "diff")
    shown = visible(value.replace("\r\n", "\n").replace("\r", "\n")).rstrip("\n")
    assert fence.content.rstrip("\n") == shown


@given(NASTY)
def test_words_are_words(value: str) -> None:
    line = plain(value)
    assert "\n" not in line
    found = inline(f"x {line}")
    assert {kind for kind, _ in found} <= {"text", "text_special"}
    text = "".join(content for _, content in found).removeprefix("x").replace(BREAK, "")
    shown = " ".join(visible(value.replace("\r\n", "\n").replace("\r", "\n")).split())
    assert text.strip() == shown.replace(BREAK, "")


@given(NASTY.filter(lambda value: value.strip()))
def test_words_at_the_start_of_a_line_are_words_too(value: str) -> None:
    assert {kind for kind, _ in inline(plain(value))} <= {"text", "text_special"}
    assert not plain(value).startswith("/")


@pytest.mark.parametrize(
    ("written", "reference"),
    [
        ("ping @alice and @acme/team", r"@\w"),
        ("closes #12, acme/fleet#12 and !7", r"[#!]\d"),
        ("GH-12 and gh-12", r"(?i)gh-\d"),
        ("see https://evil.example/x or www.evil.example", r"://\w|www\."),
        ("mail a@b.example", r"@\w"),
        ("6dcb09b5b57875f334f61aebed695e2e4193db5e 6dcb09b", r"[0-9a-f]{7}"),
        ("~label %milestone $12 &3 ^alert", r"[~%$&^]\w"),
        ("[vulnerability:12]", r"\[vul"),
    ],
)
def test_nothing_is_a_reference(written: str, reference: str) -> None:
    """As the forges look for them: in what is left when Markdown is rendered."""
    assert re.search(reference, written)
    rendered = "".join(content for _, content in inline(f"x {plain(written)}"))
    assert not re.search(reference, rendered)
    assert rendered.replace(BREAK, "") == f"x {written}"


def test_what_cannot_be_seen_is_spelled_out() -> None:
    assert visible("a\u202eb\x1b[31m\ud800") == "a\\u{202e}b\\u{1b}[31m\\u{d800}"
    assert visible("äß 日本\n\t✓") == "äß 日本\n\t✓"


def test_a_comment_is_known_by_its_first_line() -> None:
    body = f"{hidden('preview')}\nhello"
    assert body == "<!-- codehub:preview -->\nhello"
    assert is_marked(body, "preview")
    assert is_marked(body.replace("\n", "\r\n"), "preview")
    assert not is_marked(body, "previe")
    assert not is_marked(f"> {body}", "preview")
    assert not is_marked(f"\n{body}", "preview")
    assert not is_marked("", "preview")


@pytest.mark.parametrize("marker", ["", "a", "A1", "a--b", "a-->", "a b", "-a", "a-", "x" * 65])
def test_what_is_no_marker(marker: str) -> None:
    with pytest.raises(ValueError, match="not a marker"):
        hidden(marker)


def test_a_body_that_fits_is_left_alone() -> None:
    assert cut("x" * 100, 100) == "x" * 100


def test_what_is_open_where_it_is_cut_is_closed() -> None:
    body = "<details><summary>a</summary>\n\n<details>\n</details>\n\n````diff\n" + "+ line\n" * 100
    short = cut(body, 300)
    assert len(short) <= 300
    assert "+ line\n````\n\n</details>\n\n*This comment is cut here" in short
    assert short.count("<details>") == short.count("</details>")


def test_a_fence_that_is_closed_is_not_closed_again() -> None:
    body = "~~~~\n~~~\n<details>\n~~~~ x\n~~~~\n" + "words\n" * 100
    assert cut(body, 200).endswith(
        "words\n\n*This comment is cut here: it is longer than the forge takes.*\n"
    )


def test_a_long_body_of_open_parts_is_cut_in_one_go() -> None:
    """A line at a time from the end, with all of it read again, this would take hours."""
    short = cut("<details>\n" * 200_000, 1_000_000)
    assert short.count("<details>") == short.count("</details>") > 40_000


@given(st.text("`~<details>/\n x", max_size=400), st.integers(60, 300))
def test_a_cut_body_is_short_enough_and_says_so(body: str, limit: int) -> None:
    short = cut(body, limit)
    assert len(short) <= limit
    assert short == body or "is cut here" in short


def test_one_line_of_a_length() -> None:
    assert one_line("a\n b\t\tc", 10) == "a b c"
    assert one_line("x" * 141, 140) == "x" * 139 + "…"
