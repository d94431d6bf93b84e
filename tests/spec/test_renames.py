"""Former ids: two files never have one home, whoever wrote which of them first."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from spec import WorkspaceSpec, read_folder
from spec.problems import Problem
from spec.renames import Claim, disputes
from spec.text import Place

GOOD = "owner: alice\nimage: a\n"
IDS = ("aa", "bb", "cc", "dd")


def write(folder: Path, **files: str) -> Path:
    for name, more in files.items():
        (folder / f"{name}.yaml").write_text(GOOD + more)
    return folder


def told(problems: list[Problem]) -> list[tuple[str, int, int, str, str]]:
    return [(Path(one.file).name, one.line, one.column, one.key, one.message) for one in problems]


def test_a_renamed_workspace_names_what_it_was(tmp_path: Path) -> None:
    read = read_folder(write(tmp_path, bb="formerly: aa\n", cc=""))
    assert read.problems == []
    assert read.specs["bb"].formerly == "aa"
    assert read.specs["cc"].formerly is None
    assert read.formerly == {"bb": "aa"}


def test_a_file_under_a_former_id_is_invalid_and_its_heir_is_not(tmp_path: Path) -> None:
    read = read_folder(write(tmp_path, aa="", bb="state: warm\nformerly: aa\n"), label="w")
    assert list(read.specs) == ["bb"]
    assert told(read.invalid["aa"]) == [
        ("aa.yaml", 1, 1, "", "w/bb.yaml:4 says that it was formerly `aa`")
    ]
    assert (
        read.invalid["aa"][0].hint == "remove this file, or that line: the home has one workspace"
    )
    assert read.owners == {"aa": "alice"}


def test_of_two_that_claim_one_home_neither_gets_it(tmp_path: Path) -> None:
    read = read_folder(write(tmp_path, bb="formerly: aa\n", cc="env: {}\nformerly: aa\n"), label="")
    assert read.specs == {}
    assert told(read.problems) == [
        ("bb.yaml", 3, 11, "formerly", "cc.yaml:4 names `aa` too"),
        ("cc.yaml", 4, 11, "formerly", "bb.yaml:3 names `aa` too"),
    ]


def test_a_wrong_file_still_claims_against_another_claim(tmp_path: Path) -> None:
    read = read_folder(write(tmp_path, bb="formerly: aa\n", cc="formerly: aa\nstate: x\n"))
    assert read.specs == {}
    assert [len(read.invalid[id_]) for id_ in ("bb", "cc")] == [1, 2]


def test_a_wrong_file_claims_nothing_from_a_file_that_stands(tmp_path: Path) -> None:
    read = read_folder(write(tmp_path, aa="", bb="formerly: aa\nstate: x\n"))
    assert list(read.specs) == ["aa"]
    assert read.formerly == {"bb": "aa"}


def test_two_that_swap_their_ids_both_wait(tmp_path: Path) -> None:
    read = read_folder(write(tmp_path, aa="formerly: bb\n", bb="formerly: aa\n"))
    assert read.specs == {}
    assert sorted(read.invalid) == ["aa", "bb"]


def test_a_name_that_is_no_id_claims_nothing(tmp_path: Path) -> None:
    read = read_folder(write(tmp_path, Bad="formerly: aa\n", aa=""))
    assert list(read.specs) == ["aa"]
    assert read.formerly == {}


def test_a_model_made_by_hand_is_not_its_own_former_self_either() -> None:
    with pytest.raises(ValidationError, match="can't have been itself"):
        WorkspaceSpec(id="aa", owner="alice", image="a", formerly="aa")


def test_a_spec_survives_json() -> None:
    for former in (None, "aa"):
        spec = WorkspaceSpec(id="bb", owner="alice", image="a", formerly=former)
        assert WorkspaceSpec.model_validate_json(spec.model_dump_json()) == spec


@given(
    claims=st.dictionaries(st.sampled_from(IDS), st.sampled_from(IDS)),
    valid=st.sets(st.sampled_from(IDS)),
)
def test_what_is_left_after_disputes_gives_each_home_to_one(
    claims: dict[str, str], valid: set[str]
) -> None:
    made = [
        Claim(id=id_, former=former, file=f"{id_}.yaml", place=Place(3, 11))
        for id_, former in claims.items()
        if id_ != former
    ]
    found = disputes(made, {id_: f"{id_}.yaml" for id_ in valid})
    left = valid - found.keys()
    claimed = [claim.former for claim in made if claim.id in left]
    assert len(claimed) == len(set(claimed))
    assert not left & set(claimed)
    for id_, problems in found.items():
        assert {problem.file for problem in problems} == {f"{id_}.yaml"}
        assert id_ in valid or id_ in claims
