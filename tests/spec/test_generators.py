"""A generator's tree becomes one tree for each entry, and what is wrong stands at its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spec import filling
from spec.generators import MAX_EACH, Expansion, expand
from spec.nodes import Mapping
from spec.text import Flaw
from spec.tree import parse

CLASS = """\
id: class-{name}
each:
  - {name: alice}
  - {name: bob, memory: 8Gi, cpu: 4}
default: {memory: 2Gi, cpu: 1}
workspace:
  owner: "{name}"
  image: codehub/code-server
  resources: {cpu: "{cpu}", memory: "{memory}"}
  env: {GREETING: "hello {name}, {{really}}", PLAIN: {}}
"""


def expanded(text: str) -> tuple[Expansion, list[tuple[str, Flaw]]]:
    tree = parse(text)
    assert isinstance(tree.root, Mapping)
    told: list[tuple[str, Flaw]] = []
    found = expand(tree.root, lambda key, flaw: told.append((key, flaw)))
    own = [flaw for each in found.workspaces for flaw in each.flaws]
    return found, [*told, *found.strays, *own]


def test_each_entry_is_a_workspace() -> None:
    found, told = expanded(CLASS)
    assert told == []
    assert found.whole
    assert {each.id: each.root.value for each in found.workspaces if each.root} == {
        "class-alice": {
            "owner": "alice",
            "image": "codehub/code-server",
            "resources": {"cpu": 1, "memory": "2Gi"},
            "env": {"GREETING": "hello alice, {really}", "PLAIN": {}},
        },
        "class-bob": {
            "owner": "bob",
            "image": "codehub/code-server",
            "resources": {"cpu": 4, "memory": "8Gi"},
            "env": {"GREETING": "hello bob, {really}", "PLAIN": {}},
        },
    }


def test_values_have_the_places_where_they_are_written() -> None:
    found, _ = expanded(CLASS)
    bob = found.workspaces[1]
    assert bob.place == (4, 5)
    assert bob.root is not None
    resources = bob.root.entries["resources"].node
    assert isinstance(resources, Mapping)
    assert resources.entries["memory"].node.place == (4, 25)  # in the entry
    assert bob.root.entries["image"].node.place == (8, 10)  # under `workspace`


GOOD = {
    "id": "id: a-{name}",
    "each": "each: [{name: x}, {name: y}]",
    "workspace": 'workspace: {owner: "{name}"}',
}


@pytest.mark.parametrize(
    ("key", "line", "flaw"),
    [
        ("id", "", "id 1:1 `id` is missing | add id: class-a-{name}"),
        ("each", "", "each 1:1 `each` is missing | add each: [{name: alice}, {name: bob}]"),
        (
            "workspace",
            "",
            'workspace 1:1 `workspace` is missing | add workspace: {owner: "{name}", image: codehub/code-server}',
        ),
        ("id", "id: [a]", "id 1:5 must be text, not a list | write id: class-a-{name}"),
        ("each", "each: {}", "each 2:7 must be a list, not a mapping | write each: [{name: alice}, {name: bob}]"),
        ("each", "each: []", "each 2:7 is empty | remove the file"),
        ("each", "each: [alice]", "each.0 2:8 must be a mapping, not text | write {name: alice}"),
        (
            "each",
            "each: [{Name: x}]",
            "each.0.Name 2:9 `Name` is no name of a value | use lower case letters, digits and `_`, a letter first",
        ),
        (
            "each",
            "each: [{name: [x]}]",
            "each.0.name 2:15 must be text or a number, not a list | put lists and mappings under `workspace`",
        ),
        ("each", "each: [{nme: x}]", "each.0 2:8 `{name}` has no value here | did you mean {nme}?"),
        ("each", "each: [{other: x}]", "each.0 2:8 `{name}` has no value here | add name: ... to this entry"),
        (
            "each",
            "each: [{name: x}, {name: x}]",
            "each 2:8 `a-x` is the id of more than one entry | make `id` differ by a word of the entries",
        ),
        (
            "workspace",
            "workspace: x",
            'workspace 3:12 must be a mapping, not text | write workspace: {owner: "{name}", image: codehub/code-server}',
        ),
        (
            "workspace",
            'workspace: {owner: "{name"}',
            "each.0 2:8 a brace stands alone | write `{{` or `}}` for a brace",
        ),
        ("id", "id: a-{name}\ndefault: [x]", "default 2:10 must be a mapping, not a list | write default: {memory: 2Gi}"),
        ("id", "id: a-{name}\nfor: x", "for 2:1 `for` is not a key of a generator | the keys are id, each, workspace, default"),
        ("id", "id: a-{name}\neech: x", "eech 2:1 `eech` is not a key of a generator | did you mean each?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(key: str, line: str, flaw: str) -> None:
    text = "\n".join(part for part in {**GOOD, key: line}.values() if part) + "\n"
    found, told = expanded(text)
    shown = [f"{at} {it.place.line}:{it.place.column} {it.message} | {it.hint}" for at, it in told]
    assert flaw in shown
    assert found.whole is (flaw in WHOLE)
    assert all(each.flaws or each.root is not None for each in found.workspaces)


WHOLE = {
    "each 2:8 `a-x` is the id of more than one entry | make `id` differ by a word of the entries",
    "each.0 2:8 a brace stands alone | write `{{` or `}}` for a brace",
    "for 2:1 `for` is not a key of a generator | the keys are id, each, workspace, default",
    "eech 2:1 `eech` is not a key of a generator | did you mean each?",
}
"""What leaves the ids known."""


def test_one_bad_entry_leaves_the_others() -> None:
    found, told = expanded(CLASS.replace("{name: alice}", "{nam: alice}"))
    assert [each.id for each in found.workspaces] == ["class-bob"]
    assert [key for key, _ in told] == ["each.0"]
    assert not found.whole


def test_what_is_told_already_is_not_told_twice() -> None:
    found, told = expanded(CLASS.replace("owner: ", "owner: *nobody  # "))
    assert told == []
    root = found.workspaces[0].root
    assert root is not None
    assert root.value["owner"] is None
    assert expanded("id: *x\neach: *x\nworkspace: *x\n") == (Expansion(whole=False), [])
    assert expanded(CLASS.replace("{name: alice}", "*x"))[1] == []


def test_there_is_an_end_to_how_many() -> None:
    entries = ", ".join(f"{{name: n{index}}}" for index in range(MAX_EACH + 1))
    text = f"id: a-{{name}}\neach: [{entries}]\nworkspace: {{owner: x}}\n"
    found, told = expanded(text)
    assert found == Expansion(whole=False)
    assert [flaw.message for _, flaw in told] == [f"has more than {MAX_EACH} entries"]


@given(st.text(alphabet="ab{}{{}} 1", max_size=12))
def test_any_text_is_filled_or_refused(text: str) -> None:
    quoted = text.replace("\\", "")
    found, told = expanded(f"id: x\neach: [{{a: one, b: 2}}]\nworkspace: {{owner: '{quoted}'}}\n")
    (only,) = found.workspaces
    assert (only.root is None) is bool(told)
    if only.root is not None and "{" not in text and "}" not in text:
        assert only.root.value["owner"] == text


def test_a_wrong_word_leaves_the_id_known() -> None:
    found, told = expanded(CLASS.replace("memory: 8Gi", "memory: [8Gi]"))
    assert [key for key, _ in told] == ["each.1.memory"]
    assert [(each.id, each.root is None) for each in found.workspaces] == [
        ("class-alice", False),
        ("class-bob", True),
    ]
    assert found.whole


def test_there_is_an_end_to_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few lines may ask for gigabytes: each is refused before it is made."""
    word, text = "x" * 60_000, "{a}" * 20_000
    bomb = f"id: x\neach: [{{a: {word}}}]\nworkspace: {{owner: '{text}'}}\n"
    found, told = expanded(bomb)
    assert (found.workspaces, found.whole) == ((), False)
    assert [flaw.message for _, flaw in told] == ["makes more than 100000 values or 2 MiB of text"]
    monkeypatch.setattr(filling, "MAX_VALUES", 15)
    assert not expanded(CLASS)[0].whole
    monkeypatch.setattr(filling, "MAX_VALUES", 40)
    assert expanded(CLASS)[0].whole


def test_lists_are_filled_too() -> None:
    found, _ = expanded("id: x\neach: [{a: 1}]\nworkspace: {owner: ['{a}', 'n{a}', b]}\n")
    (only,) = found.workspaces
    assert only.root is not None
    assert only.root.value["owner"] == [1, "n1", "b"]


def hints(text: str) -> list[str]:
    return [flaw.hint for _, flaw in expanded(text)[1]]


def test_the_nearest_word_is_looked_up_among_few_and_not_for_ever() -> None:
    """Each search takes time for each word that there is, and a file may ask for a thousand."""
    near, add = "did you mean {name}?", "add {0}: ... to this entry".format
    wrong = "id: x{nme}\neach: [%s]\nworkspace: {}\n"
    most = filling.MAX_HINTS
    entries = ", ".join(f"{{name: a{index}}}" for index in range(most + 2))
    assert hints(wrong % entries) == [*[near] * most, *[add("nme")] * 2]
    known = ", ".join(f"w{index}: 1" for index in range(filling.MAX_KNOWN - 1))
    assert hints(wrong % f"{{name: a, {known}}}") == [near]
    assert hints(wrong % f"{{name: a, more: 1, {known}}}") == [add("nme")]
    assert hints("id: '{%s}'\neach: [{name: a}]\nworkspace: {}\n" % ("n" * 70)) == [
        add(f"{'n' * 60}...")
    ]


def test_what_can_not_be_filled_in_counts_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long text that ends in a word without a value would be read for each entry in vain."""
    monkeypatch.setattr(filling, "MAX_TEXT", 1 << 16)
    text, entries = "{a}" * 2_000 + "{b}", ", ".join(["{a: x}"] * 20)
    found, told = expanded(f"id: x\neach: [{entries}]\nworkspace: {{owner: '{text}'}}\n")
    assert (found.workspaces, found.whole) == ((), False)
    assert [flaw.message for _, flaw in told] == ["makes more than 100000 values or 2 MiB of text"]
