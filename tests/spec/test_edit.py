"""Changing a file key by key: what it says then, and that nothing else of it moves."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spec import InvalidSpecError, read_text
from spec.edit import edited, nested, patched, values_of, written
from spec.splices import merged, same

FILE = "alice-demo.yaml"
WHOLE = """\
# The team's machine.
owner:   alice  # me
image: 'codehub/code-server'
resources: {cpu: 2, memory: 4Gi, pids: 4096}   # big

env:
  # the zone
  TZ: Asia/Seoul # of the office
  "A": &shared "b"
  B: *shared
state: auto
# the end
"""
MINIMAL = "owner: alice\nimage: a\n"


def change(raw: str, changes: dict[str, Any]) -> str:
    return edited(raw.encode(), changes, file=FILE).decode()


def refusal(raw: str, changes: dict[str, Any]) -> str:
    with pytest.raises(InvalidSpecError) as caught:
        change(raw, changes)
    return str(caught.value)


def test_keys_are_set_added_and_removed_and_the_rest_stays() -> None:
    changes = {
        "owner": "bob", "resources.cpu": 0.5, "resources.pids": None, "env.TZ": None,
        "env.NEW": "yes", "drift": "report",
    }  # fmt: skip
    assert change(WHOLE, changes) == (
        WHOLE.replace("alice  #", "bob  #")
        .replace("{cpu: 2, memory: 4Gi, pids: 4096}", "{cpu: 0.5, memory: 4Gi}")
        .replace("  TZ: Asia/Seoul # of the office\n", "")
        .replace("*shared\n", '*shared\n  NEW: "yes"\n')
        .replace("state: auto\n", "state: auto\ndrift: report\n")
    )


def test_who_shared_a_value_keeps_it_when_another_key_changes() -> None:
    assert change(WHOLE, {"env.A": "c"}) == WHOLE.replace('&shared "b"', '"c"').replace(
        "*shared", "b"
    )
    assert change(WHOLE, {"env.B": "c"}) == WHOLE.replace("*shared", "c")
    assert change(WHOLE, {"env.A": None, "env.B": "c"}) == WHOLE.replace(
        '  "A": &shared "b"\n', ""
    ).replace("*shared", "c")
    shared = "owner: alice\nimage: a\nenv: &e\n  A: '1'\n  B: &b {}\n"
    assert "a second" not in refusal(shared, {"env.A": "2"})  # env.B is no text: nothing hidden


def test_a_mapping_that_others_take_in_is_copied_for_them_first() -> None:
    raw = "owner: alice\nimage: a\nenv:\n  <<: &base {A: '1', B: '2'}\n  C: '3'\n"
    assert change(raw, {"env.A": "9"}) == raw + '  A: "9"\n'
    assert change(raw, {"env.C": None}) == raw.replace("  C: '3'\n", "")
    assert change(raw, {"env.A": "1"}) == raw
    assert "env.A: it comes from elsewhere" in refusal(raw, {"env.A": None})
    two = MINIMAL + "env:\n  <<: [{A: '1'}, {A: '2', B: '3'}]\n  C: '4'\n"
    assert change(two, {"env.C": "5", "env.A": "1"}) == two.replace("'4'", "'5'")
    assert change(two, {"env.A": "2"}) == two + '  A: "2"\n'
    alias = "owner: alice\nimage: &i a\nenv: {X: *i, Y: *i}\n"
    assert change(alias, {"image": "b"}) == "owner: alice\nimage: b\nenv: {X: a, Y: a}\n"


@pytest.mark.parametrize(
    ("raw", "changes", "expected"),
    [
        ("{owner: alice, image: a}", {"state": "warm"}, "{owner: alice, image: a, state: warm}"),
        ("{owner: alice, image: a,}", {"state": "warm"}, "{owner: alice, image: a, state: warm,}"),
        (
            MINIMAL + "env: {}",
            {"env.A": "1", "env.B": "r:5"},
            MINIMAL + 'env: {A: "1", B: "r:5"}',
        ),
        (MINIMAL + "env: {A: x, B: y, C: z}", {"env.A": None}, MINIMAL + "env: {B: y, C: z}"),
        (MINIMAL + "env: {A: x, B: y, C: z}", {"env.B": None}, MINIMAL + "env: {A: x, C: z}"),
        (
            MINIMAL + "env: {A: x, B: y, C: z}",
            {"env.B": None, "env.C": None, "env.D": "d"},
            MINIMAL + "env: {A: x, D: d}",
        ),
        (MINIMAL + "env: {A: x, B: y}", {"env.A": None, "env.B": None}, MINIMAL + "env: {}"),
        (MINIMAL + "env: {A: x, B: y,}", {"env.A": None, "env.C": "c"}, MINIMAL + "env: {B: y, C: c,}"),
        (MINIMAL + "env: {A: x}", {"env.A": None, "env.B": "b"}, MINIMAL + "env: {B: b}"),
        (
            MINIMAL + "env: {\n  A: x, # first\n  B: y # last\n}\n",
            {"env.B": None},
            MINIMAL + "env: {\n  A: x # first\n # last\n}\n",
        ),
        (MINIMAL + "env:\n  A: x\n", {"env.A": None}, MINIMAL + "env: {}\n"),
        (MINIMAL + "env: # mine\n  A: x\n", {"env.A": None}, MINIMAL + "env: {} # mine\n"),
        (MINIMAL + "env: &e\n  A: x\n", {"env.A": None}, MINIMAL + "env: &e {}\n"),
        (MINIMAL + "env:\n  A: x\n", {"env.A": None, "env.B": "b"}, MINIMAL + "env:\n  B: b\n"),
        (MINIMAL + "env:\n  A: x\n", {"env": None}, MINIMAL),
        (MINIMAL + "env:\n    A: x", {"env.B": "b", "state": "warm"},
         MINIMAL + "env:\n    A: x\n    B: b\nstate: warm\n"),
        (MINIMAL + "env:\n  A: | # note\n    x\n    y\n\n# end\n", {"env.A": "z"},
         MINIMAL + "env:\n  A: z # note\n\n# end\n"),
        (MINIMAL + "env:\n  A: |+\n    x\n\n", {"env.B": "b", "state": "warm"},
         MINIMAL + "env:\n  A: |+\n    x\n\n  B: b\nstate: warm\n"),
        (MINIMAL + "env:\n  A: >-\n    x\n\n    y\n", {"env.A": None, "state": "warm"},
         MINIMAL + "env: {}\nstate: warm\n"),
        ("owner:\nimage: a\n", {"owner": "alice"}, "owner: alice\nimage: a\n"),
        ("{owner, image: a}", {"owner": "alice"}, "{owner: alice, image: a}"),
        ('{"owner":"bob","image":"a"}', {"owner": "alice"}, '{"owner":"alice","image":"a"}'),
        ("--- # doc\nowner: bob\nimage: a\n...\n", {"owner": "alice", "state": "warm"},
         "--- # doc\nowner: alice\nimage: a\nstate: warm\n...\n"),
        (MINIMAL, {"resources.cpu": 4, "env.A": None}, MINIMAL + "resources:\n  cpu: 4\n"),
        (MINIMAL + "resources:\n", {"resources.memory": "2Gi"}, MINIMAL + "resources: {memory: 2Gi}\n"),
        ("owner: alice\r\nimage: a\r\n", {"state": "warm", "env.A": "1"},
         'owner: alice\r\nimage: a\r\nstate: warm\r\nenv:\r\n  A: "1"\r\n'),
        (MINIMAL, {"env.A": 'say "hi" \\ it\'s', "env.B": "two\nlines\u2028", "env.C": "\u00fcber"},
         MINIMAL + "env:\n  A: 'say \"hi\" \\ it''s'\n  B: \"two\\nlines\\u2028\"\n  C: \"\u00fcber\"\n"),
        ('{"owner":"bob","image":"a","env":{"A":null}}', {"env.A": "x"},
         '{"owner":"bob","image":"a","env":{"A": x}}'),
        ("owner: alice\nimage: 0x10\n", {"image": "a"}, "owner: alice\nimage: a\n"),
    ],
)  # fmt: skip
def test_many_ways_to_write_the_same(raw: str, changes: dict[str, Any], expected: str) -> None:
    assert change(raw, changes) == expected


@pytest.mark.parametrize(
    ("raw", "changes", "told"),
    [
        (WHOLE, {"owner": None}, "alice-demo.yaml:2:1: owner: `owner` is missing"),
        (WHOLE, {"resources.pids": "x"}, "alice-demo.yaml:4:40: resources.pids: must be a whole"),
        (WHOLE, {"colour": "red"}, "colour"),
        (WHOLE, {"env.A": 5}, "env.A"),
        (WHOLE, {"image": ["a", True, None, {"b": 1}]}, "image: must be text, not a list"),
        (MINIMAL.replace("a\n", "[a]\n"), {"image": ["a"]}, "image: must be text, not a list"),
        (MINIMAL, {"owner": None, "image": None}, "the file is empty"),
        (WHOLE, {"env.A": "\ud800"}, "half of a surrogate pair"),
        (WHOLE, {"resources.cpu": float("nan")}, "must be text, a number, true or false"),
        (WHOLE, {"resources.cpu": 10**400}, "must be text, a number, true or false"),
        (WHOLE, {"env.X": object()}, "must be text, a number, true or false"),
        ("owner: alice\nimage: [\n", {"owner": "bob"}, "alice-demo.yaml:3:1: a value is missing"),
        ("owner: alice\nowner: bob\nimage: a\n", {"owner": "bob"}, "given twice"),
        ("# nothing\n", {"owner": "bob"}, "the file is empty"),
        ("\ufeffowner: alice\nimage: a\n", {"owner": "bob"}, "byte order mark"),
        ("? owner\n: alice\nimage: a\n", {"owner": None}, "it is not written as `key: value`"),
        ("? owner\n: alice\nimage: a\n", {"state": "warm"}, "it is not written as `key: value`"),
        (MINIMAL + "? env\n: A: x\n", {"env.A": None}, "it is not written as `key: value`"),
        (MINIMAL + "env: {A: &a .nan, B: *a}\n", {"env.A": "x"}, "3:22: env.A: must be text, a"),
        (MINIMAL + "env: &e {A: .inf}\nresources: *e\n", {"env.A": "x"}, "4:12: env: must be"),
        (MINIMAL, {"env.A": "x" * 70_000}, "more than 64 KiB"),
        (MINIMAL, {"formerly": "alice-demo"}, "a workspace can't have been itself"),
    ],
)
def test_what_can_t_be_is_told_with_its_place(raw: str, changes: dict[str, Any], told: str) -> None:
    assert told in refusal(raw, changes)


def test_the_id_is_checked_by_the_file_s_name() -> None:
    with pytest.raises(InvalidSpecError, match="reserved"):
        edited(MINIMAL.encode(), {"state": "warm"}, file="admin.yaml")


def test_changes_may_not_be_nested_without_end() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = {"a": deep}
    for call in (patched, lambda _raw, values, file: written(values, file=file)):
        with pytest.raises(InvalidSpecError, match="too deep"):
            call(MINIMAL.encode(), {"env": deep}, file=FILE)


def test_a_new_file_has_the_reference_s_order_and_is_right() -> None:
    values = {"state": "warm", "env": {"A": "1"}, "image": "a", "owner": "alice", "resources": {}}
    assert written(values, file=FILE) == b'owner: alice\nimage: a\nenv:\n  A: "1"\nstate: warm\n'
    with pytest.raises(InvalidSpecError, match="owner"):
        written({"image": "a"}, file=FILE)
    with pytest.raises(InvalidSpecError, match="colour"):
        written({"owner": "alice", "image": "a", "colour": "red"}, file=FILE)
    with pytest.raises(InvalidSpecError, match="surrogate"):
        written({"owner": "alice", "image": "\udc00"}, file=FILE)


def test_an_image_that_all_workspaces_have_need_not_be_said() -> None:
    assert change("owner: alice # me\n", {"state": "warm"}) == "owner: alice # me\nstate: warm\n"
    assert change(MINIMAL, {"image": None}) == "owner: alice\n"
    assert written({"owner": "alice"}, file=FILE) == b"owner: alice\n"


def test_values_are_given_also_of_a_file_that_is_wrong() -> None:
    values, problems = values_of(b"owner: alice\nresources: {cpu: many}\n", file=FILE)
    assert values == {"owner": "alice", "resources": {"cpu": "many"}}
    assert [problem.key for problem in problems] == ["resources.cpu"]
    assert values_of(b"[", file=FILE)[0] == {}


def test_words_that_other_tools_take_for_something_else_are_quoted() -> None:
    words = ["yes", "off", "~", "null", "1", "1.5", "12:30", "0x1", "1_000", "2026-11-22", "", "-",
             "a: b", "a #b", "#a", "*a", "&a", "!a", "- a", "a:", "{a}", "[a", "%a", "@a", "`a", " a",
             "a ", ".inf", "=", "<<", "|", ">", "'", '"', "n"]  # fmt: skip
    found = change(MINIMAL, {f"env.V{number}": word for number, word in enumerate(words)})
    assert list(read_text(found.encode(), file=FILE).env.values()) == words
    assert all(line.endswith(('"', "'")) for line in found.splitlines()[3:])


# -- any file, any changes -----------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
WORDS = st.sampled_from(["a", "Asia/Seoul", "yes", "x y", "it's", 'say "hi"', "r:5", "1", "", "#"])
NAMES = [f"V{number}" for number in range(6)]
COMMENTS = st.sampled_from(["", "", "  # why: {x} 'y'", " # * & <<"])
LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "owner": st.sampled_from(["alice", "bob"]),
    "image": st.sampled_from(["codehub/light", "registry.example.org:5000/a:1"]),
    "state": st.sampled_from(["auto", "warm", "running"]),
    "drift": st.sampled_from(["heal", "report"]),
}
RESOURCES: dict[str, st.SearchStrategy[Any]] = {
    "cpu": st.sampled_from([1, 0.5, 4]),
    "memory": st.sampled_from(["1Gi", "512Mi"]),
    "pids": st.sampled_from([100, 4096]),
}


def quoted(value: Any, style: str) -> str:
    if not isinstance(value, str):
        return str(value)
    simple = value.replace("/", "").replace(".", "").isalpha() and value != "yes"
    if style == "plain" and simple:
        return value
    if style == "single":
        return "'" + value.replace("'", "''") + "'"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Author:
    """Writes one right file, as many people would."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.lines: list[tuple[str, str]] = []

    def write(self) -> None:
        for key in self.draw(st.permutations([*LEAVES, "resources", "env"])):
            if key in {"owner", "image"} or self.draw(st.booleans()):
                self.remarks("")
                if key in LEAVES:
                    self.leaf(key, key, self.draw(LEAVES[key]), "")
                else:
                    self.mapping(
                        key, RESOURCES if key == "resources" else dict.fromkeys(NAMES, WORDS)
                    )
        self.remarks("")

    def quoted(self, value: Any) -> str:
        return quoted(value, self.draw(st.sampled_from(["plain", "single", "double"])))

    def remarks(self, indent: str) -> None:
        some = st.lists(st.sampled_from(["", "# own line", "  # odd: [", "#"]), max_size=2)
        self.lines += [("", f"{indent}{one}" if one else "") for one in self.draw(some)]

    def leaf(self, dotted: str, key: str, value: Any, indent: str, mark: str = "") -> None:
        name = self.draw(st.sampled_from([key, f'"{key}"']))
        space = self.draw(st.sampled_from([" ", "   "]))
        text = f"{indent}{name}:{space}{mark}{self.quoted(value)}{self.draw(COMMENTS)}"
        self.lines.append((dotted, text))

    def mapping(self, key: str, kinds: dict[str, st.SearchStrategy[Any]]) -> None:
        chosen = self.draw(st.lists(st.sampled_from(list(kinds)), unique=True, max_size=4))
        values = {name: self.draw(kinds[name]) for name in chosen}
        if values and self.draw(st.booleans()):
            self.lines.append((f"{key}:", f"{key}:{self.draw(COMMENTS)}"))
            self.block(key, values, self.draw(st.sampled_from(["  ", "    "])))
            return
        pairs = ", ".join(f"{name}: {self.quoted(one)}" for name, one in values.items())
        comma = "," if values and self.draw(st.booleans()) else ""
        self.lines.append((f"{key}.*", f"{key}: {{{pairs}{comma}}}{self.draw(COMMENTS)}"))

    def block(self, key: str, values: dict[str, Any], indent: str) -> None:
        shared = ""
        for name, value in values.items():
            self.remarks(indent)
            dotted = f"{key}.{name}"
            way = self.draw(st.sampled_from(["plain", "anchor", "alias"])) if key == "env" else ""
            if way == "alias" and shared:
                text = f"{indent}{name}: *{shared}{self.draw(COMMENTS)}"
                self.lines.append((dotted, text))
                continue
            if way == "anchor":
                shared = f"anchor{name}"
            self.leaf(dotted, name, value, indent, f"&{shared} " if way == "anchor" else "")


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]]]:
    """A right file, and its lines, each with the dotted key that it holds; "" for none."""
    author = Author(draw)
    author.write()
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    end = draw(st.sampled_from(["", newline]))
    return newline.join(text for _, text in author.lines) + end, author.lines


@st.composite
def changes_of(draw: st.DrawFn) -> dict[str, Any]:
    values: dict[str, st.SearchStrategy[Any]] = {
        **LEAVES,
        **{f"resources.{key}": one for key, one in RESOURCES.items()},
        **{f"env.{name}": WORDS | TEXTS for name in [*NAMES, "NEW"]},
    }
    keys = draw(st.lists(st.sampled_from(list(values)), unique=True, max_size=6))
    return {
        key: None if key not in {"owner", "image"} and draw(st.booleans()) else draw(values[key])
        for key in keys
    }


def is_touched(key: str, line: str, changes: dict[str, Any]) -> bool:
    """Whether a line may change: its own key does, or it shares a value, or is emptied."""
    if not key:
        return False
    inner = [one for one in changes if one.startswith(f"{key[:-1]}")]
    if key.endswith((".*", ":")):
        return bool(inner)
    return key in changes or "*anchor" in line


@settings(max_examples=80)
@given(files(), changes_of())
@example(("owner: alice\nimage: a\n", []), {"env.NEW": "\x85\ufeff\U0001f600\x7f"})
def test_any_file_and_any_changes(
    written_file: tuple[str, list[tuple[str, str]]], changes: dict[str, Any]
) -> None:
    raw, lines = written_file
    before, problems = values_of(raw.encode(), file=FILE)
    assert not problems
    found = change(raw, changes)
    after, problems = values_of(found.encode(), file=FILE)
    assert not problems
    assert same(after, merged(before, nested(changes)))
    assert change(found, changes) == found, "once is enough"
    rest = iter(found.replace("\r\n", "\n").split("\n"))
    for key, line in lines:
        if not is_touched(key, line, changes):
            assert any(line == one for one in rest), (line, found)
    assert ("\r\n" in raw) is ("\r\n" in found) or "\n" not in raw
    assert found.count("\n") - found.count("\r\n") == (0 if "\r\n" in raw else found.count("\n"))
