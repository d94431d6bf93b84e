"""`codehub diff`: what differs in a table, all of it as JSON; what is compared is decided elsewhere."""

import json
from pathlib import Path

import pytest

from cli.commands.diff import DIFFERS
from stacks.errors import UnknownWorkspaceError
from stacks.looks import Comparison, Line
from tests.cli.conftest import Cli
from tests.cli.test_gc import daemon
from tests.stacks.test_api import Told

SAME = Line(key="image", file="light", applied="light", engine="light")
MEMORY = Line(key="memory", file="8Gi", applied="4Gi", engine="", differs=True)
STAYS = Line(key="pids", file="64", applied="64", engine="65", differs=True, stays=True)


@pytest.fixture
def told() -> Told:
    made = Told()
    made.compared = Comparison(
        id="aa", phase="RUNNING", sync="OutOfSync", message="it waits", lines=(SAME, MEMORY, STAYS)
    )
    return made


def test_what_differs_is_a_table_of_three_columns(place: Path, cli: Cli, told: Told) -> None:
    with daemon(place, told) as env:
        shown = cli("diff", "aa", env=env)
        assert shown.exit_code == 0
        assert [line.split() for line in shown.stdout.splitlines()] == [
            ["PROPERTY", "FILE", "APPLIED", "ENGINE"],
            ["memory", "8Gi", "4Gi", '""'],
            ["pids", "64", "64", "65"],
        ]
        assert "aa: it waits" in shown.stderr
        assert "1 differs" in shown.stderr
        assert "pids: the engine itself has it so; nothing heals it" in shown.stderr
        assert "image" in cli("diff", "aa", "--all", env=env).stdout
        assert cli("diff", "aa", "--exit-code", env=env).exit_code == DIFFERS


def test_json_has_what_differs_or_all(place: Path, cli: Cli, told: Told) -> None:
    with daemon(place, told) as env:
        found = json.loads(cli("diff", "aa", "-o", "json", env=env).stdout)
        assert [line["key"] for line in found["lines"]] == ["memory", "pids"]
        every = json.loads(cli("diff", "aa", "-o", "json", "--all", env=env).stdout)
        assert [line["key"] for line in every["lines"]] == ["image", "memory", "pids"]
        assert every["lines"][0] == {
            "key": "image",
            "file": "light",
            "applied": "light",
            "engine": "light",
            "differs": False,
            "stays": False,
        }


def test_where_nothing_differs(place: Path, cli: Cli, told: Told) -> None:
    told.compared = Comparison(id="aa", lines=(SAME, STAYS))
    with daemon(place, told) as env:
        assert "nothing differs" in cli("diff", "aa", env=env).stderr
        assert cli("diff", "aa", "--exit-code", env=env).exit_code == 0
        told.compared = Comparison(id="aa", lines=(SAME,))
        assert cli("diff", "aa", env=env).stdout == ""


def test_what_nobody_knows_is_an_error(place: Path, cli: Cli, told: Told) -> None:
    told.refusal = UnknownWorkspaceError("there is no workspace aa")
    with daemon(place, told) as env:
        failed = cli("diff", "aa", "--exit-code", env=env)
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert cli("diff", "No", env={}).exit_code == 2
