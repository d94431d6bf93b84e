"""The comment, the terminal's lines and the JSON: nobody's file writes into them, nothing leaks."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from forges import sections
from stacks.review import markdown, plain, safe, text
from stacks.review.model import Fleet, Level, Review, RuleResult
from tests.stacks.review.fleets import FOLDERS, compared
from tests.stacks.review.fleets import text as file

CANARY = "canary-7f3a"
HOSTILE = [
    "</details><script>alert(1)</script>", "`", "``` `", "@admin", "#1", "| a | b |", "[x](http://x)",
    "![x](http://x/y.png)", "<!-- codehub:preview -->", "\u202etxt.exe", "\u200b", "a\nb", "\x1b[31m",
    "&lt;b&gt;", "www.example.org", "*b* _i_", "\\", "x" * 5000, "\U0001f600", "~~~", "---", "  ",
]  # fmt: skip
HTML = {"<details>", "</details>", "<sub>", "</sub>", markdown.MARKER}


def tokens(told: str) -> list[Token]:
    def walk(found: list[Token]) -> list[Token]:
        return [each for token in found for each in [token, *walk(token.children or [])]]

    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return walk(parser.parse(told))


def html(told: str) -> set[str]:
    """Give the lines of raw HTML that a forge would see."""
    found = [token.content for token in tokens(told) if token.type.startswith("html")]
    return {line for each in found for line in each.splitlines() if line}


def prose(told: str) -> str:
    """Give what is neither in a code span nor in a fenced block."""
    return "\n".join(token.content for token in tokens(told) if token.type == "text")


def check(found: Review) -> None:
    told = markdown.markdown(found)
    assert told.startswith(f"{markdown.MARKER}\n<!-- codehub-change-set: {found.hash} -->\n")
    assert told.count(markdown.MARKER) <= 1 + told.count("+ env") + told.count("- env") + 50
    allowed = {*HTML, markdown.change_set_line(found)}
    extra = {line for line in html(told) if not re.fullmatch(r"<summary>\d+ keys?</summary>", line)}
    assert extra <= allowed
    assert "@" not in prose(told)
    assert not [token for token in tokens(told) if token.type in {"link_open", "image"}]
    assert all(char.isprintable() or char == "\n" for char in told)
    assert len(told) <= markdown.LENGTH
    for line in text.lines(found):
        assert line.isprintable()
    json.dumps(plain.plain(found))


@settings(max_examples=60)
@given(FOLDERS, FOLDERS)
def test_whatever_files_say_is_told_safely(base: dict[str, str], head: dict[str, str]) -> None:
    check(compared(base, head))


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_words_stay_words(word: str) -> None:
    env = json.dumps({"A": word})
    head = {
        "aa": file(env=env),
        "bb": f"owner: alice\nimage: {json.dumps(word)}\n",
        "cc": f"{json.dumps(word)}: x\nowner: alice\nimage: a\n",
        "dd": f"owner: {json.dumps(word)}\nimage: a\nstate: {json.dumps(word)}\n",
    }
    result = RuleResult(
        rule=word, level=Level.ADVISORY, message=word, remedy=word, workspace=word, docs=word
    )
    check(compared({"aa": file()}, head, rules=lambda _base, _head: [result]))


@settings(max_examples=300)
@given(st.text())
@example("`")
@example("``a` ")
def test_a_code_span_holds_any_text(word: str) -> None:
    found = [token for token in tokens(f"a {safe.code(word)} b") if token.type == "code_inline"]
    assert [token.content.strip() for token in found] == [safe.line(word).strip()]


@given(st.lists(st.text().map(safe.line), max_size=4))
def test_a_fence_holds_any_lines(lines: list[str]) -> None:
    told = "\n".join(safe.fence(lines, "diff"))
    (found,) = tokens(told)
    assert (found.type, found.content) == ("fence", "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("name", ["DB_PASSWORD", "TOKEN", "API_KEY"])
def test_no_form_tells_a_secret(name: str) -> None:
    base = {"aa": file(env=f"{{{name}: {CANARY}-1}}"), "bb": file(env=f"{{{name}: {CANARY}-2}}")}
    head = {"aa": file(env=f"{{{name}: {CANARY}-3}}"), "cc": file(env=f"{{{name}: {CANARY}-4}}")}
    found = compared(base, head)
    told = [
        markdown.markdown(found),
        *text.lines(found),
        json.dumps(plain.plain(found)),
        repr(found),
    ]
    assert CANARY not in "".join(told)
    assert f"env.{name}" in told[0]


def test_the_worst_comes_first_and_words_before_properties() -> None:
    base = {"aa": file(), "bb": file(), "cc": file()}
    head = {"aa": file(resources="{memory: 8Gi}"), "bb": file(image="two"), "dd": "owner: alice\n"}
    told = markdown.markdown(compared(base, head))
    order = ["delete `cc`", "replace `bb`", "invalid `dd`", "update `aa`", "Asked for, by owner"]
    assert [told.index(word) for word in order] == sorted(told.index(word) for word in order)
    assert "**⚠️ 2 of these are destructive.**" in told
    assert told.index("its container is made anew") < told.index("+ image")
    assert "`workspaces.d/dd.yaml:1:1`" in told
    assert "| `alice` | 3 → 2 | 6 → 4 | 12Gi |" in told


def test_owner_changes_and_held_deletions_are_told() -> None:
    told = markdown.markdown(compared({"aa": file()}, {"aa": file("bob")}))
    assert "Owner: `alice` → `bob`" in told
    held = compared({"aa": file()}, {})
    assert "**held back**" in markdown.markdown(held)
    assert "destructive.**" not in markdown.markdown(held)
    assert "held back" in "\n".join(text.lines(held))


def test_files_that_base_changed_too_are_told() -> None:
    found = compared({"aa": file()}, {"aa": file(image="two")}, moved={"aa"})
    assert "base has changed this file too" in markdown.markdown(found)
    assert "base has changed this file too" in "\n".join(text.lines(found))


def test_rules_come_after_the_destructive_mandatory_first() -> None:
    def result(rule: str, level: Level) -> RuleResult:
        return RuleResult(
            rule=rule, level=level, message=f"it {CANARY}", remedy="do", workspace="aa"
        )

    results = [result("b-advice", Level.ADVISORY), result("a-refusal", Level.MANDATORY)]
    results += [result(f"more-{n:03}", Level.ADVISORY) for n in range(200)]
    found = compared(
        {"bb": file(), "cc": file()}, {"aa": file(), "cc": file()}, rules=lambda *_: results * 2
    )
    assert len(found.rules) == len(results)
    told = markdown.markdown(found)
    assert "**❌ Refused by** `a-refusal`, below" in told
    assert told.index("delete `bb`") < told.index("refused by** `a-refusal`")
    assert told.index("refused by** `a-refusal`") < told.index("advice of `b-advice`")
    assert told.index("b-advice") < told.index("create `aa`")
    assert told.count("advice of") == 201
    short = markdown.markdown(found, most=10_000)
    left = re.search(r"^- and (\d+) more: ", short, re.MULTILINE)
    assert left is not None
    assert short.count("advice of") + 1 + int(left[1]) == len(results)
    assert "delete `bb`" in short
    assert len(short) < 10_000
    assert "refused by a-refusal for aa: it" in "\n".join(text.lines(found))


def test_a_comment_that_would_be_too_long_says_what_it_leaves_out() -> None:
    base = {f"w{n:04}": file(env=f"{{A: '{'x' * 150}'}}") for n in range(1500)}
    found = compared({id_: file() for id_ in base}, base)
    told = markdown.markdown(found)
    assert len(told) <= markdown.LENGTH
    shown = len(re.findall(r"^#### ", told, re.MULTILINE))
    left = re.search(r"\*\*(\d+) more workspaces are left out here:", told)
    assert left is not None
    assert shown + int(left[1]) == 1500
    two = compared({}, {"aa": file(), "bb": file()})
    cut = [markdown.markdown(two, most=most) for most in range(1500, 3000, 20)]
    assert any("**1 more workspace is left out here:" in each for each in cut)
    assert any("<details>" in each and each.count("####") > each.count("<details>") for each in cut)
    assert any(
        "A new, empty home" in each and each.count("#### 🆕") > each.count("empty home")
        for each in cut
    )


def test_files_that_are_wrong_all_over_hide_nothing() -> None:
    wrong = "owner: alice\nimage: a\n" + "".join(f"{'k' * 100}{n}: x\n" for n in range(300))
    head = {"zz": file(image="two")} | {f"w{n}": wrong for n in range(20)}
    told = markdown.markdown(compared({"zz": file(), "yy": file()}, head))
    assert len(re.findall(r"^#### ", told, re.MULTILINE)) == 22 + 1
    assert "- and 91 more problems" in told


def test_long_lists_of_owners_are_cut() -> None:
    found = compared({}, {f"w{n}": file(f"u{n}") for n in range(105)})
    assert "| and 5 more | | | |" in markdown.markdown(found)


def test_forges_find_the_comment_by_its_own_first_line() -> None:
    told = markdown.markdown(compared({}, {"aa": file()}))
    section = sections.Section("files", "a" * 40, told)
    comment = sections.written([section], marker="preview", limit=65_536)
    assert comment.count(markdown.MARKER) == 1
    (kept,) = sections.read(comment)
    assert f"{markdown.MARKER}\n{kept.body}" == told.strip()


def test_nothing_to_tell_is_told() -> None:
    found = compared({"aa": file()}, {"aa": file()})
    assert "### Workspaces: 1 not touched" in markdown.markdown(found)
    assert list(text.lines(found)) == []
    assert text.summary(found) == f"1 not touched; change set {found.hash}"
    noted = replace(found, notes=("a note",), base="a" * 40, head="b" * 40)
    assert "- `a note`" in markdown.markdown(noted)
    assert "`aaaaaaaaaaaa` → `bbbbbbbbbbbb`" in markdown.markdown(noted)
    assert "note: a note" in list(text.lines(noted))


def test_json_has_all_of_it() -> None:
    told = plain.plain(compared({"aa": file()}, {"aa": file("bob"), "bb": "owner: alice\n"}))
    assert {each["id"]: each["severity"] for each in told["workspaces"]} == {
        "aa": "hands_over",
        "bb": "none",
    }
    bad = next(each for each in told["workspaces"] if each["id"] == "bb")
    assert bad["problems"][0]["line"] == 1
    assert told["change_set"]["hash"].startswith("sha256:")
    assert "fingerprint" not in json.dumps(told)


def test_an_empty_review_can_be_told() -> None:
    assert markdown.markdown(Review(hash="sha256:0")).startswith(markdown.MARKER)
    assert Fleet().ids == frozenset()
