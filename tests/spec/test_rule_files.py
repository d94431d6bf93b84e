"""`_owners.yaml` and `_policies.yaml`: what they say, and every problem with its place."""

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from spec import (
    InvalidSpecError,
    SourceUnreadableError,
    read_folder,
    read_owners,
    read_policies,
    read_rule_files,
    read_rules,
)
from spec.files import File
from spec.rule_folder import is_rule_file, rules_in
from spec.rule_reference import PAGE, outputs
from spec.rule_schemas import SCHEMAS, schema
from spec.window_values import DAYS
from tests.spec.bad import owners, policies
from tests.spec.bad.case import Case

CASES = [*owners.CASES, *policies.CASES]
READERS = {"_owners.yaml": read_owners, "_policies.yaml": read_policies}
OWNERS = """
people:
  alice: {logins: {github: alice-gh}, quota: {cpu: 8, memory: 16Gi, workspaces: 3}}
  bob: {}
teams:
  data: {members: [alice, bob], maintainers: [alice], quota: {cpu: 1.5}}
approvers: [alice]
admins: [bob]
"""
POLICIES = """
rules:
  image-allowed: {images: ["codehub/*", "registry.example.org:5000/a@sha256:*"]}
  owner-listed: {level: advisory}
  quota-team: {level: off}
quotas: {owner: {workspaces: 0}}
exemptions:
  - {rule: image-allowed, workspaces: [alice-gpu], reason: " why not ", until: 2030-12-31}
windows:
  - {kind: allow, from: 22:00, to: 06:00, zone: Europe/Berlin}
  - {kind: deny, days: [fri], to: "24:00", zone: UTC, workspaces: ["class-*"], reason: exams}
"""


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_each_problem_is_told_with_its_place_and_hint(case: Case) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        READERS[case.file](case.raw, file=case.file)
    problems = caught.value.problems
    assert [(one.line, one.column, one.key, one.hint) for one in problems] == list(case.told)
    for problem in problems:
        assert problem.file == case.file
        assert problem.message.isprintable()


def test_the_table_s_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_owners() -> None:
    found = read_owners(OWNERS.encode(), file="_owners.yaml")
    assert set(found.people) == {"alice", "bob"}
    assert found.people["alice"].logins == {"github": "alice-gh"}
    quota = found.people["alice"].quota
    assert (quota.cpu, quota.memory, quota.workspaces) == (8.0, 16 << 30, 3)
    assert found.people["bob"].quota.cpu is None
    assert found.teams["data"].maintainers == ["alice"]
    assert (found.approvers, found.admins) == (["alice"], ["bob"])
    assert '"memory":"16Gi"' in found.model_dump_json()


def test_policies() -> None:
    found = read_policies(POLICIES.encode(), file="_policies.yaml")
    assert found.rules.image_allowed is not None
    assert found.rules.image_allowed.level == "mandatory"
    assert found.rules.owner_listed.level == "advisory"
    assert (found.rules.quota_owner.level, found.rules.quota_team.level) == ("mandatory", "off")
    assert found.quotas.owner.workspaces == 0
    (exemption,) = found.exemptions
    assert (exemption.reason, exemption.until) == ("why not", date(2030, 12, 31))
    nights, exams = found.windows
    assert (nights.begin, nights.end, nights.days) == ("22:00", "06:00", list(DAYS))
    assert (nights.workspaces, nights.reason, nights.zone) == (["*"], None, "Europe/Berlin")
    assert (exams.begin, exams.end, exams.days) == ("00:00", "24:00", ["fri"])
    assert (exams.kind, exams.workspaces, exams.reason) == ("deny", ["class-*"], "exams")


def test_both_together_with_every_problem() -> None:
    found = read_rules(b"people: 5\n", b"zzz: 1\n", folder="workspaces.d")
    assert [each.file for each in found.problems] == [
        "workspaces.d/_owners.yaml",
        "workspaces.d/_policies.yaml",
    ]
    assert (found.broken, found.any, found.owners, found.policies) == (True, True, None, None)
    none = read_rules(None, None)
    assert (none.broken, none.any) == (False, False)
    half = read_rules(OWNERS.encode(), b"zzz: 1\n")
    assert half.broken
    assert half.owners is not None


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("_owners.yaml", True),
        ("_policies.yaml", True),
        ("_owners.yml", True),
        ("_Owners.YAML", True),
        ("_owners.yaml.bak", False),
        ("_owners", False),
        ("_defaults.yaml", False),
        ("owners.yaml", False),
    ],
)
def test_names(name: str, is_one: bool) -> None:
    assert is_rule_file(name) is is_one


def test_a_slip_in_the_name_does_not_switch_rules_off(tmp_path: Path) -> None:
    (tmp_path / "_owners.yml").write_text(OWNERS)
    (tmp_path / "_policies.yaml").symlink_to("_owners.yml")
    (tmp_path / "alice-api.yaml").write_text("owner: alice\nimage: a\n")
    read = read_folder(tmp_path, label="w")
    assert [(each.file, each.message, each.hint) for each in read.rules.problems] == [
        ("w/_owners.yml", "the name must be _owners.yaml", "rename it to _owners.yaml"),
        ("w/_policies.yaml", "is a symbolic link", "put the file itself here"),
    ]
    assert (list(read.specs), read.problems) == (["alice-api"], [])
    assert read_rule_files(tmp_path, label="w") == read.rules


def test_a_folder_s_rules(tmp_path: Path) -> None:
    assert not read_folder(tmp_path).rules.any
    (tmp_path / "_owners.yaml").write_text(OWNERS)
    (tmp_path / "_policies.yaml").mkdir()
    read = read_rule_files(tmp_path)
    assert read.owners is not None
    assert [each.file for each in read.problems] == [f"{tmp_path.name}/_policies.yaml"]
    with pytest.raises(SourceUnreadableError):
        read_rule_files(tmp_path / "none")


def test_a_tree_s_rules_are_read_from_bytes() -> None:
    files = [
        File(name="_owners.yaml", raw=OWNERS.encode()),
        File(name="_policies.yaml", refusal=("is a submodule", "put the file itself here")),
        File(name="alice.yaml", raw=b"no: workspace\n"),
    ]
    found = rules_in(files, label="")
    assert found.owners is not None
    assert [(each.file, each.message) for each in found.problems] == [
        ("_policies.yaml", "is a submodule")
    ]


def test_the_committed_page_and_schemas_are_the_models() -> None:
    for path, text in outputs():
        assert path.read_text(encoding="utf-8") == text, path
    command = [sys.executable, "-m", "spec.rule_reference"]
    done = subprocess.run(
        command, cwd=PAGE.parents[2], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "".join(f"{path}\n" for path, _ in outputs())


JSON_SCHEMAS = {f"_{path.name.split('.')[0]}.yaml": schema(*told) for path, told in SCHEMAS.items()}
VALIDATORS = {name: Draft202012Validator(found) for name, found in JSON_SCHEMAS.items()}


def test_the_schemas_are_schemas_and_let_good_files_pass() -> None:
    for name, text in (("_owners.yaml", OWNERS), ("_policies.yaml", POLICIES)):
        Draft202012Validator.check_schema(JSON_SCHEMAS[name])
        read = YAML(typ="safe", pure=True).load(text)
        plain = _dates_as_text(read)
        assert list(VALIDATORS[name].iter_errors(plain)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_owners.yaml", {}),
        ("_owners.yaml", {"people": {"Alice": {}}}),
        ("_owners.yaml", {"people": {"alice": {"quota": {"cpu": None}}}}),
        ("_owners.yaml", {"people": {"alice": {"quota": {"memory": 5}}}}),
        ("_owners.yaml", {"people": {"alice": {"login": "x"}}}),
        ("_owners.yaml", {"people": {}, "teams": {"data": {}}}),
        ("_policies.yaml", {"rules": {"no-privilege": {}}}),
        ("_policies.yaml", {"rules": {"image-allowed": {"images": []}}}),
        ("_policies.yaml", {"rules": {"quota-owner": {"level": "of"}}}),
        ("_policies.yaml", {"exemptions": [{"rule": "quota-owner"}]}),
    ],
)
def test_the_schemas_refuse_bad_files(name: str, value: dict[str, Any]) -> None:
    assert list(VALIDATORS[name].iter_errors(value))


@given(st.binary(max_size=200))
def test_no_bytes_make_the_readers_fail_in_another_way(raw: bytes) -> None:
    found = read_rules(raw, raw)
    assert found.broken or found.owners is None or found.policies is None


def _dates_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _dates_as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_dates_as_text(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value
