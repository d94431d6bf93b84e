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
        (b"owner: alice\nimage: a\nenv: {A: !!int 5}\n", "the tag `!!int` is not supported"),
    ],
)
def test_messages_say_what_is_wrong(raw: bytes, message: str) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        read_text(raw, file="x-y.yaml")
    assert message in [problem.message for problem in caught.value.problems]


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
