"""A file as a form, what a sent form changes in it, and two changes of one file."""

import pytest

from gateway.conflicts import Conflict, conflict_of, diff
from gateway.edit_checks import revision_of
from gateway.errors import InvalidInputError
from gateway.forms import BLANK_ROWS, MOST_ROWS, FormView, Variable, drafted, form_of, sent_form

NAME = "alice-a.yaml"
FILE = """\
owner: alice
image: codehub/light # small
resources: {cpu: 1.50, memory: 4Gi}
env:
  A: 'one'   # first
  B: two
"""
FIELDS = {
    "owner": "alice", "image": "codehub/light", "state": "", "drift": "", "cpu": "1.5",
    "memory": "4Gi", "pids": "",
}  # fmt: skip
ROWS = [("A", "one"), ("B", "two"), ("", "")]


def text_of(fields: dict[str, str], rows: list[tuple[str, str]], text: str = FILE) -> str:
    draft = drafted(text, sent_form(FIELDS | fields, rows), file=NAME)
    assert draft.problems == ()
    return draft.text


def test_a_file_is_shown_as_fields() -> None:
    form = form_of(FILE, file=NAME)
    assert form.values == FIELDS | {"formerly": ""}
    assert form.variables == (Variable("A", "one"), Variable("B", "two"))
    assert form.rows[2:] == (Variable("", ""),) * BLANK_ROWS


@pytest.mark.parametrize(
    "text", ["", "[", "a", "owner: [a]\n", "env: 5\n", "env: {A: {}}\n", "resources: [1]\n"]
)
def test_what_has_no_fields_is_shown_as_text_only(text: str) -> None:
    assert not form_of(text, file=NAME).shown


def test_odd_values_are_shown_as_they_are_written() -> None:
    form = form_of("owner: alice\nimage: true\nenv: {A: 1, B: null}\n", file=NAME)
    assert form.values["image"] == "true"
    assert form.variables == (Variable("A", "1"), Variable("B", ""))


def test_a_form_that_nobody_touched_changes_nothing() -> None:
    assert text_of({}, ROWS) == FILE
    assert text_of({"image": " codehub/light "}, [(" A ", "one"), ("B", "two")]) == FILE


def test_a_form_changes_what_was_touched() -> None:
    changed = text_of(
        {"cpu": "2", "memory": "", "pids": "100", "state": "warm"},
        [("A", "1"), ("C", "two\r\nlines")],
    )
    assert changed == (
        FILE.replace("{cpu: 1.50, memory: 4Gi}", "{cpu: 2, pids: 100}")
        .replace("'one'", "'1'")
        .replace("  B: two\n", '  C: "two\\nlines"\nstate: warm\n')
    )
    assert text_of({"cpu": "0.25"}, ROWS) == FILE.replace("1.50", "0.25")


def test_fields_that_are_not_on_the_form_stay() -> None:
    form = sent_form({"image": "b"}, ROWS)
    assert drafted(FILE, form, file=NAME).text == FILE.replace("codehub/light", "b")


def test_an_empty_text_becomes_a_new_file() -> None:
    form = sent_form({"owner": "alice", "image": "a"}, [])
    assert drafted(" \n", form, file=NAME).text == "owner: alice\nimage: a\n"


@pytest.mark.parametrize(
    ("fields", "rows", "key"),
    [
        ({"cpu": "many"}, ROWS, "resources.cpu"),
        ({"pids": "9" * 30}, ROWS, "resources.pids"),
        ({"owner": ""}, ROWS, "owner"),
        ({}, [("A", "1"), ("A", "2")], "env.A"),
        ({}, [("", "orphan")], "env"),
        ({}, [(f"V{n}", "x") for n in range(MOST_ROWS + 1)], "env"),
        ({}, [("NOT OK", "x")], "env.NOT OK"),
        ({}, [("A", "\ud800")], "env.A"),
        ({"image": "\x00"}, ROWS, "image"),
    ],
)
def test_what_is_wrong_is_told_by_key_and_the_text_stays(
    fields: dict[str, str], rows: list[tuple[str, str]], key: str
) -> None:
    draft = drafted(FILE, sent_form(FIELDS | fields, rows), file=NAME)
    assert draft.text == FILE
    assert key in {problem.key for problem in draft.problems}


@pytest.mark.parametrize(("more", "shown"), [(0, True), (1, False)])
def test_a_file_of_more_variables_than_rows_is_no_form(more: int, *, shown: bool) -> None:
    env = "".join(f"  V{number}: x\n" for number in range(MOST_ROWS + more))
    form = form_of(f"owner: alice\nimage: a\nenv:\n{env}", file=NAME)
    assert form.shown is shown


def test_a_text_that_is_not_unicode_is_told() -> None:
    draft = drafted("owner: \ud800\n", FormView({"image": "a"}), file=NAME)
    assert draft.problems != ()


def conflict(base: str | None, theirs: str | None, yours: str) -> Conflict:
    return conflict_of(base=base, theirs=theirs, revision="r", yours=yours, file=NAME)


def test_changes_of_different_keys_can_be_put_together() -> None:
    theirs = FILE.replace("'one'", "'ONE'")
    found = conflict(FILE, theirs, FILE + "state: warm\n")
    assert (found.they_changed, found.you_changed, found.both_changed) == (
        ("env.A",),
        ("state",),
        (),
    )
    assert found.together == theirs + "state: warm\n"
    assert found.hint == "While you changed state, somebody else changed env.A."


def test_changes_of_the_same_key_are_shown_and_left() -> None:
    found = conflict(FILE, FILE.replace("two", "2"), FILE.replace("two", "zwei"))
    assert (found.both_changed, found.together) == (("env.B",), None)
    assert found.hint == "Somebody else changed env.B too while you edited the file."


def test_what_is_not_known_is_not_put_together() -> None:
    assert conflict(None, FILE, FILE + "#\n").together is None
    gone = conflict(FILE, None, FILE)
    assert (gone.theirs, gone.hint) == (None, "The file was removed while you edited it.")
    broken = conflict(FILE, "owner: [\n", FILE + "state: warm\n")
    assert broken.together is None
    comments = conflict(FILE, "# new\n" + FILE, FILE + "# end\n")
    assert comments.together is None
    assert "comments or how it is written" in comments.hint


def test_a_mapping_that_came_or_went_is_one_change() -> None:
    bare = "owner: alice\nimage: a\n"
    found = conflict(bare + "env: {}\n", bare + "env: {}\nstate: warm\n", bare + "env: {A: b}\n")
    assert found.you_changed == ("env", "env.A")
    assert found.together == bare + "env: {A: b}\nstate: warm\n"


def test_a_diff_has_an_end() -> None:
    assert diff("a\n", "b\n", names=("x", "y")) == ["--- x", "+++ y", "@@ -1 +1 @@", "-a", "+b"]
    long = diff("", "a\n" * 1000, names=("x", "y"))
    assert (len(long), long[-1]) == (401, "... and 603 more lines")


def test_a_revision_is_named_once() -> None:
    assert revision_of(None, None) is None
    assert revision_of(None, "a") == "a"
    assert revision_of('"a"', "a") == "a"
    assert revision_of(" a ", None) == "a"
    for header in ("*", '"a", "b"', 'W/"a"', '"b"'):
        with pytest.raises(InvalidInputError):
            revision_of(header, "a")
