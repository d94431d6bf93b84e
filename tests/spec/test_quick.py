"""The quick way of reading says what the whole one says, or nothing."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spec import quick, reader
from spec.defaults import read_defaults
from spec.files import File, read_one

PLAIN = "owner: alice\nimage: codehub/light\n"


def agree(text: str) -> None:
    raw = text.encode()
    found, whole = quick.read(raw, file="w/aa.yaml"), reader.read(raw, file="w/aa.yaml")
    if found is not None:
        assert whole.spec == found
        assert (whole.problems, whole.owner, whole.claim) == ((), found.owner, None)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f"# a comment: with {{all}} 'sorts'\n\n{PLAIN}  # indented\n",
        f"{PLAIN}resources: {{cpu: 2, memory: 4Gi, pids: 99}}  # limits\nstate: warm\n",
        f"{PLAIN}resources:\n  cpu: 0.5\n\n  # between\n  memory: 512Mi\ndrift: report",
        f"{PLAIN}env:\n    TZ: Asia/Seoul\n    PORT: \"8080\"\n    E: ''\n",
        f"{PLAIN}env: {{}}\n",
        "owner: 'alice'\nimage: \"host.example:5000/a:1@sha256:" + "0" * 64 + '"\n',
        "owner: alice\nimage: host.example:5000/a:1  \n",
    ],
)
def test_plain_files_are_read_quickly_and_alike(text: str) -> None:
    assert quick.read(text.encode(), file="aa.yaml") is not None
    agree(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "owner: alice\n", f"{PLAIN}owner: bob\n", f"{PLAIN}state: cold\n", f"{PLAIN}env:\n",
        f"{PLAIN}env:\nstate: auto\n", f"{PLAIN}resources: {{cpu: 2, cpu: 3}}\n",
        f"{PLAIN}formerly: bb\n", f"{PLAIN}env:\n  A: b\n    c\n", f"{PLAIN}state: auto\n  more\n",
        f"{PLAIN}env:\n  A: b\n C: d\n", f"{PLAIN}env:\n  A: {{b: c}}\n", f"{PLAIN}env: {{A: b:c}}\n",
        f"{PLAIN}env: {{A: 'b,c'}}\n", f"{PLAIN}  state: auto\n", f"{PLAIN}state: {{}}\n",
        f"{PLAIN}env: text\n", f"{PLAIN}env: {{A}}\n", f"{PLAIN}env:\n  A: \"b\\n\"\n",
        f"---\n{PLAIN}", f"%YAML 1.2\n{PLAIN}", PLAIN.replace("\n", "\r\n"), f"\ufeff{PLAIN}",
        f"{PLAIN}env:\n  A: é\n", f"{PLAIN}env: {{PORT: 8080}}\n", f"{PLAIN}state: &a auto\n",
        f"{PLAIN}env:\n\tA: b\n", f"owner: alice\nimage: a # b\n#{'x' * (64 * 1024)}\n",
        f"{PLAIN}id: aa\n", f"id: bb\n{PLAIN}",
    ],
)  # fmt: skip
def test_whatever_leaves_a_doubt_is_read_as_a_whole(text: str) -> None:
    assert quick.read(text.encode(), file="aa.yaml") is None


def test_a_long_line_is_not_remembered() -> None:
    quick._known.cache_clear()
    for n in range(3):
        assert quick.read(f"{PLAIN}env:\n  A{n}: {'x' * 5000}\n".encode(), file="aa.yaml")
    assert quick._known.cache_info().currsize == 3  # owner, image, env


@pytest.mark.parametrize("file", ["new.yaml", "A.yaml", ".yaml", "a--b.yaml"])
def test_names_that_are_no_ids_are_told_by_the_whole_reader(file: str) -> None:
    assert quick.read(PLAIN.encode(), file=file) is None
    assert read_one(File(name=file, raw=PLAIN.encode()), label="").reading.problems


SCALARS = st.one_of(
    st.sampled_from(
        ["1", "0x1f", "1e3", ".5", "1_0", "true", "null", "~", "no", "0o7", "1:30", "2020-01-01",
         ".inf", "a:b", "a#b", "a #b", "-", "--", "a-", "@a", "4Gi", "'a''b'", '"a"', "''", "b'c",
         "=", "<<", "a/b:c@d", "..", "...", "---", "a: b", "a:", ":a", "*a", "&a", "!a b", "1.0",
         "0.1", "99", "warm", "+1", "1,2", "`a`", "%a", "? a", "| ", ">", '"a', "'a", '"a: b"']
    ),
    st.text(st.sampled_from("ab1._/:@+-#'\" ,{}"), max_size=6),
)  # fmt: skip
LINES = st.one_of(
    st.tuples(
        st.sampled_from(["", "", "", " ", "  ", "    "]),
        st.sampled_from(["state", "drift", "env", "resources", "cpu", "memory", "A", "on", "x", "<<", "id"]),
        st.sampled_from([":", ": ", ":  ", " : "]),
        SCALARS,
        st.sampled_from(["", " ", " # b", "# b", "  #"]),
    ).map("".join),
    st.lists(
        st.tuples(st.sampled_from(["cpu", "pids", "A", "b"]), st.sampled_from([": ", ":"]), SCALARS),
        max_size=3,
    ).map(lambda items: f"env: {{{', '.join(map(''.join, items))}}}"),
    st.sampled_from(["", "#", " # x", "env:", "resources:", "env: {}", "- a", "  - a"]),
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(LINES, max_size=5), st.integers(0, 5))
@example(["env:", "  A: b", "  # c", "  B: 'd'"], 0)
@example(["env: {A: a-, B: .5}"], 0)
def test_both_ways_agree_on_whatever_is_near_to_plain(lines: list[str], place: int) -> None:
    agree("\n".join([*lines[:place], "owner: alice", "image: a", *lines[place:]]) + "\n")


def one_of(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts)


ENDS = one_of("", "", " ", "  # a: comment")
TEXTS = one_of("x", "'y z'", '"7"', "''", "a:b/c@1.0", "Asia/Seoul", '"a # b"')
ENV = st.dictionaries(one_of("A", "B", "C_1", "TZ"), TEXTS, max_size=3)
RESOURCES = st.fixed_dictionaries(
    {},
    optional={
        "cpu": one_of("2", "0.5", "1e1", "64"),
        "memory": one_of("1Gi", "'512Mi'"),
        "pids": one_of("99", "0x80"),
    },
)


@st.composite
def valid_lines(draw: st.DrawFn) -> list[str]:
    """The lines of what defaults, or a file without its owner, may say, in each form there is."""
    said: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "image": one_of("one", "'two:1'", "host.example:5000/a:1"),
                "state": one_of("auto", '"warm"'),
                "drift": one_of("heal", "report"),
                "resources": RESOURCES,
                "env": ENV,
            },
        )
    )
    lines = []
    for key in draw(st.permutations(sorted(said))):
        lines += draw(one_of("", "#", "  # x")).splitlines()
        lines += draw(written(key, said[key]))
    return lines


@st.composite
def written(draw: st.DrawFn, key: str, value: str | dict[str, str]) -> list[str]:
    end = draw(ENDS)
    if isinstance(value, str):
        return [f"{key}: {value}{end}"]
    in_block = not draw(st.booleans()) or any({*":#"} & {*one} for one in value.values())
    if value and in_block:
        indent = " " * draw(st.integers(1, 4))
        return [f"{key}:{end}", *(f"{indent}{name}: {one}{end}" for name, one in value.items())]
    return [f"{key}: {{{', '.join(f'{name}: {one}' for name, one in value.items())}}}{end}"]


ODD = st.tuples(st.integers(0, 3), LINES).map(lambda drawn: None if drawn[0] else drawn[1])
"""A line that may be none of a right file, in one file of four."""


@settings(max_examples=80)
@given(valid_lines(), valid_lines(), ODD, st.integers(0, 9))
def test_both_ways_agree_on_what_defaults_fill_up(
    own: list[str], shared: list[str], odd: str | None, place: int
) -> None:
    """Most of these files are right, and each that has no odd line is read both ways."""
    said = "\n".join(shared) if any(line[:1].isalpha() for line in shared) else "env: {}"
    defaults = read_defaults(said.encode(), file="d")
    assert not defaults.broken
    said_at_all = any(line.startswith("image:") for line in [*own, *shared])
    file = ["owner: alice", *own, *([] if said_at_all else ["image: one"])]
    file[place:place] = [] if odd is None else [odd]
    raw = "\n".join(file).encode()
    found = quick.read(raw, file="aa.yaml", defaults=defaults.values)
    whole = reader.read(raw, file="aa.yaml", defaults=defaults)
    assert found is not None or odd is not None
    if found is not None:
        assert (whole.spec, whole.problems, whole.owner) == (found, (), "alice")
        assert whole.spec is not None
        assert whole.spec.model_dump_json() == found.model_dump_json()
