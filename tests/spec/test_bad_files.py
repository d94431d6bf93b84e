"""Every row of the table: each problem of the file, its exact place, its key and its hint."""

import pytest

from spec import InvalidSpecError, read_text
from spec.problems import SHOWN_LENGTH
from tests.spec.bad import encoding, env, keys, names, resources, text_keys, yaml
from tests.spec.bad.case import Case

CASES = [
    case
    for table in (text_keys, resources, env, keys, names, yaml, encoding)
    for case in table.CASES
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_each_problem_is_told_with_its_place_and_hint(case: Case) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        read_text(case.raw, file=case.file)
    problems = caught.value.problems
    told = [(one.line, one.column, one.key, one.hint) for one in problems]
    assert told == list(case.told)
    for problem in problems:
        assert problem.file == case.file
        assert problem.message.isprintable()
        assert problem.hint.isprintable()
        assert len(problem.message) < 3 * SHOWN_LENGTH


def test_the_table_is_large_and_its_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 100


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"owner: 5\nimage: a\n", "must be text, not a number"),
        (b"owner: alice\nimage: a\nresources: {pids: 1.5}\n", "must be a whole number, not 1.5"),
        (b"owner: alice\nimage: a\nimage: b\n", "`image` is given twice"),
        (b"owner: alice\nimage: a\nstate: cold\n", "`cold` is not supported yet"),
        (b"owner: alice\nimage: a\nrepo: x\n", "`repo` is not supported yet"),
        (b"owner: alice\nimage: a\nenv: {A: \xff}\n", "byte 0xff is not UTF-8"),
        (b"owner: alice\nimage: a\nenv: {A: !!int 5}\n", "a tag, such as !name, is not supported"),
    ],
)
def test_messages_say_what_is_wrong(raw: bytes, message: str) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        read_text(raw, file="x-y.yaml")
    assert message in [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize(
    "line",
    [
        "env: {DB_PASSWORD: !canary x}", "env: {DB_PASSWORD: *canary}", "env: {A: !canary!x b}",
        "env: &canary {A: *canary}", "env: {A: !<canary> b}", "state: *canary", "!canary x: y",
        "image: https://me:canary@host.example/a", "image: me:can?canary@host.example/a@sha256:0",
        "image: me:canary@https://host/a", "image: host.example/a?key=canary", "image: host.example/a?key=a@canary",
    ],
)  # fmt: skip
def test_what_may_be_a_secret_is_not_quoted(line: str) -> None:
    text = f"owner: alice\n{'' if line.startswith('image') else 'image: a'}\n{line}\n"
    with pytest.raises(InvalidSpecError) as caught:
        read_text(text.encode(), file="x-y.yaml")
    assert "canary" not in str(caught.value.problems)
    assert any(problem.line == 3 for problem in caught.value.problems)


def test_of_a_wrong_image_the_rest_is_told() -> None:
    with pytest.raises(InvalidSpecError) as caught:
        read_text(b"owner: alice\nimage: me:pw@host.example/A:1\n", file="x-y.yaml")
    (problem,) = caught.value.problems
    assert problem.message == "`...@host.example/A:1` is not an image reference"


def test_a_problem_prints_as_compilers_print() -> None:
    with pytest.raises(InvalidSpecError) as caught:
        read_text(b"owner: alice\nimage: a\nstate: cold\n", file="workspaces.d/x-y.yaml")
    assert str(caught.value) == (
        "workspaces.d/x-y.yaml:3:8: state: `cold` is not supported yet "
        "(hint: one of auto, running, warm)"
    )
    assert caught.value.problems[0].as_dict() == {
        "file": "workspaces.d/x-y.yaml",
        "line": 3,
        "column": 8,
        "key": "state",
        "message": "`cold` is not supported yet",
        "hint": "one of auto, running, warm",
    }
