"""`codehub validate` and `codehub schema`."""

import json
from pathlib import Path

import pytest

from spec.schema import schema_text
from tests.cli.conftest import Cli

GOOD = "owner: alice\nimage: a\n"
BAD = "owner: alice\nimage: a\nstate: cold\nresources: {cpu: 0}\n"


def test_good_files(cli: Cli, place: Path) -> None:
    (place / "workspaces.d/a-b.yaml").write_text(GOOD)
    result = cli("validate")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "1 workspace, no problems\n"


def test_every_error_of_every_file_is_shown(cli: Cli, place: Path) -> None:
    for name in ("aa", "bb"):
        (place / f"workspaces.d/{name}.yaml").write_text(BAD)
    (place / "workspaces.d/cc.yaml").write_text(GOOD)
    result = cli("validate", "workspaces.d")
    assert result.exit_code == 2
    assert result.stdout == "".join(
        f"workspaces.d/{name}.yaml:3:8: state: `cold` is not supported yet\n"
        "    hint: one of auto, running, warm\n"
        f"workspaces.d/{name}.yaml:4:18: resources.cpu: 0 cores is out of range\n"
        "    hint: give a number from 0.1 to 64\n"
        for name in ("aa", "bb")
    )
    assert result.stderr == "4 problems in 2 files, 1 valid workspace\n"


def test_json_has_all_of_it(cli: Cli, place: Path) -> None:
    (place / "workspaces.d/aa.yaml").write_text("owner: alice\n")
    (place / "workspaces.d/bb.yaml").write_text(GOOD)
    result = cli("validate", "workspaces.d", "-o", "json")
    assert result.exit_code == 2
    assert json.loads(result.stdout) == {
        "valid": False,
        "workspaces": ["bb"],
        "problems": [
            {
                "file": "workspaces.d/aa.yaml",
                "line": 1,
                "column": 1,
                "key": "image",
                "message": "`image` is missing",
                "hint": "add image: codehub/code-server",
            }
        ],
    }


def test_single_files(cli: Cli, place: Path) -> None:
    (place / "aa.yaml").write_text(GOOD)
    (place / "bb.yaml").write_bytes(b"owner: \xff")
    assert cli("validate", "aa.yaml").exit_code == 0
    result = cli("validate", "aa.yaml", "bb.yaml")
    assert result.exit_code == 2
    assert result.stdout.startswith("bb.yaml:1:8: byte 0xff is not UTF-8\n")
    assert result.stderr == "1 problem in 1 file, 1 valid workspace\n"


def test_a_missing_folder_is_bad_input(cli: Cli) -> None:
    result = cli("validate", "nowhere")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "error: nowhere: the folder does not exist\n  hint: make it, or name another\n"
    )


def test_the_folder_of_the_settings(cli: Cli, place: Path) -> None:
    (place / "other").mkdir()
    (place / "other/aa.yaml").write_text(GOOD)
    result = cli("validate", env={"CODEHUB_WORKSPACES": "other"})
    assert result.stderr == "1 workspace, no problems\n"


def test_a_file_that_can_not_be_read(cli: Cli) -> None:
    result = cli("validate", "/proc/self/mem")
    assert result.exit_code == 2
    assert "can't be read: Input/output error" in result.stderr


@pytest.mark.parametrize("colour", ["always", "never"])
def test_colours_do_not_change_the_words(cli: Cli, place: Path, colour: str) -> None:
    (place / "workspaces.d/aa.yaml").write_text(BAD)
    result = cli("--color", colour, "validate", "workspaces.d")
    assert ("\x1b[1mworkspaces.d/aa.yaml:3:8:\x1b[0m" in result.stdout) is (colour == "always")


def test_schema_is_the_committed_one(cli: Cli) -> None:
    assert cli("schema").stdout == schema_text()


def test_files_of_owners_and_rules_are_checked_too(cli: Cli, place: Path) -> None:
    (place / "workspaces.d/a-b.yaml").write_text(GOOD)
    owners = place / "workspaces.d/_owners.yaml"
    owners.write_text("people: {alice: {quota: {cpus: 2}}}\n")
    result = cli("validate", "workspaces.d")
    assert result.exit_code == 2
    assert result.stdout == (
        "workspaces.d/_owners.yaml:1:26: people.alice.quota.cpus: `cpus` is not a key\n"
        "    hint: did you mean cpu?\n"
    )
    assert result.stderr == "1 problem in 1 file, 1 valid workspace\n"
    found = json.loads(cli("validate", "-o", "json").stdout)
    assert (found["valid"], found["problems"][0]["key"]) == (False, "people.alice.quota.cpus")
    alone = cli("validate", "workspaces.d/_owners.yaml")
    assert (alone.exit_code, alone.stdout) == (2, result.stdout)
    owners.write_text("people: {alice: {}}\n")
    both = cli("validate", "workspaces.d/_owners.yaml", "workspaces.d/a-b.yaml")
    assert (both.exit_code, both.stderr) == (0, "1 workspace, no problems\n")


def test_exemptions_that_ended_are_told(cli: Cli, place: Path) -> None:
    (place / "workspaces.d/_policies.yaml").write_text(
        "exemptions:\n"
        "  - {rule: quota-owner, workspaces: [aa], reason: a move, until: 2020-01-01}\n"
        "  - {rule: quota-owner, workspaces: [aa], reason: later, until: 2999-01-01}\n"
    )
    result = cli("validate")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        "the exemption of aa from quota-owner ended on 2020-01-01: a move\n"
        "0 workspaces, no problems\n"
    )
